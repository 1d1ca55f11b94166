/**
 * For tests: the conformance suite that every `Store` adapter must pass. Works with any test runner.
 *
 * @module
 */
export { type ConformanceCase, type StoreFixture, storeConformance } from './conformance/store-conformance.ts'
