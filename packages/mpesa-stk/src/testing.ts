/**
 * For tests: the conformance suites that every `Store` and every `RelayStorage` must pass. Works with any test runner.
 *
 * @module
 */
export { type RelayStorageFixture, relayStorageConformance } from './conformance/relay-conformance.ts'
export { type ConformanceCase, type StoreFixture, storeConformance } from './conformance/store-conformance.ts'
