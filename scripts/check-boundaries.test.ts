import { expect, test } from 'vitest'
import { findViolations } from './boundaries/find-violations.ts'

const core = 'packages/mpesa-stk/src/core'

/** A tree that keeps every rule and comes close to breaking many. */
const clean = {
  [`${core}/payment/payment.ts`]: `
    import { createHash } from 'node:crypto'
    import { z } from 'zod'
    import parse from 'libphonenumber-js/mobile'
    import type { Clock } from '../ports.ts'
    // process.env, Date.now(), new Date(), setTimeout(x), console.log
    export const text = 'Math.random() and import("pg") are only words here'
    export const at = (clock: Clock) => new Date(clock.now())
    export const next = { process: 1, setTimeout: 2 }
    export const one = next.process`,
  [`${core}/ports.ts`]: 'export type Clock = { now(): number }',
  [`${core}/payment/payment.test.ts`]: `
    import { test } from 'vitest'
    import { createMemoryStore } from '../../adapters/memory.ts'
    test('x', () => setTimeout(() => console.log(Date.now(), Math.random()), process.pid))`,
  'packages/mpesa-stk/src/adapters/memory.ts': `import '../store/order.ts'\nimport '../core/ports.ts'`,
  'packages/mpesa-stk/src/store/order.ts': `import '../core/ports.ts'\nimport 'node:fs'`,
  'packages/mpesa-stk/src/daraja/token.ts': `import '../core/ports.ts'\nimport './http.ts'`,
  'packages/mpesa-stk/src/daraja/http.ts': '',
  'packages/mpesa-stk/src/index.ts': `export * from './adapters/memory.ts'\nexport * from './daraja/token.ts'`,
  'packages/simulator/src/index.ts': `import 'hono'\nimport 'mpesa-stkish'\nimport '../../../fixtures/daraja/a.json'`,
  'packages/client/src/connect.ts': `import './wire.ts'`,
  'packages/client/src/wire.ts': '',
}

function check(tree: Record<string, string>) {
  return findViolations(Object.entries(tree).map(([path, text]) => ({ path, text })))
}

test('a clean tree breaks no rule', () => {
  expect(check(clean)).toEqual([])
})

test.for<[rule: string, path: string, text: string, problem: string | RegExp]>([
  ['core-imports-only-core', `${core}/a.ts`, `import pg from 'pg'`, 'imports pg'],
  ['core-imports-only-core', `${core}/a.ts`, `import fs from 'node:fs'`, 'imports node:fs'],
  ['core-imports-only-core', `${core}/a.ts`, `import { Hono } from 'hono'`, 'imports hono'],
  ['core-imports-only-core', `${core}/a.ts`, `import parse from 'libphonenumber-js'`, 'imports libphonenumber-js'],
  ['core-imports-only-core', `${core}/a/b.ts`, `import '../../daraja/token.ts'`, /imports .*daraja\/token.ts/],
  ['core-imports-only-core', `${core}/a.ts`, `export * from '../store/x.ts'`, /imports .*store\/x.ts/],
  ['core-imports-only-core', `${core}/a.ts`, `const m = await import('../http/x.ts')`, /imports .*http\/x.ts/],
  ['core-imports-only-core', `${core}/a.ts`, `type P = import('../cli/x.ts').P`, /imports .*cli\/x.ts/],
  ['core-imports-only-core', `${core}/a.ts`, `import { randomUUID } from 'node:crypto'`, /randomUUID/],
  ['core-imports-only-core', `${core}/a.ts`, `import crypto from 'node:crypto'`, /imports all of node:crypto/],
  ['core-is-pure', `${core}/a.ts`, 'export const a = process.env', 'uses process.'],
  ['core-is-pure', `${core}/a.ts`, `export const a = process['env']`, 'uses process.'],
  ['core-is-pure', `${core}/a.ts`, 'export const a = Date.now()', 'uses Date.now'],
  ['core-is-pure', `${core}/a.ts`, 'export const f = (now = Date.now) => now()', 'uses Date.now'],
  ['core-is-pure', `${core}/a.ts`, 'export const a = new Date()', 'uses new Date()'],
  ['core-is-pure', `${core}/a.ts`, 'export const a = new Date', 'uses new Date()'],
  ['core-is-pure', `${core}/a.ts`, 'setTimeout(() => {}, 1)', 'uses setTimeout('],
  ['core-is-pure', `${core}/a.ts`, 'globalThis.setInterval(() => {}, 1)', 'uses setInterval('],
  ['core-is-pure', `${core}/a.ts`, 'export const a = Math.random()', 'uses Math.random'],
  ['core-is-pure', `${core}/a.ts`, `console.log('x')`, 'uses console.'],
  ['core-is-pure', `${core}/a.ts`, 'export const a = globalThis.crypto.randomUUID()', 'uses crypto.randomUUID'],
  ['core-is-pure', `${core}/a.ts`, 'export const a = await fetch(url)', 'uses fetch('],
  ['store-imports-only-core', 'packages/mpesa-stk/src/store/a.ts', `import '../adapters/memory.ts'`, /adapters/],
  [
    'adapters-import-only-store-and-core',
    'packages/mpesa-stk/src/adapters/a.ts',
    `import '../daraja/http.ts'`,
    /daraja/,
  ],
  ['daraja-imports-only-core', 'packages/mpesa-stk/src/daraja/a.ts', `import '../store/order.ts'`, /store/],
  [
    'simulator-shares-no-logic',
    'packages/simulator/src/a.ts',
    `import { MpesaStk } from 'mpesa-stk'`,
    'imports mpesa-stk',
  ],
  ['simulator-shares-no-logic', 'packages/simulator/src/a.test.ts', `import 'mpesa-stk/testing'`, /testing/],
  ['client-has-no-dependencies', 'packages/client/src/a.ts', `import 'zod'`, 'imports zod'],
  ['client-has-no-dependencies', 'packages/client/src/a.ts', `import 'node:http'`, 'imports node:http'],
  ['no-paths-into-other-packages', 'packages/mpesa-stk/src/a.ts', `import '../../client/src/wire.ts'`, /wire/],
  ['no-bucket-files', 'packages/simulator/src/utils.ts', '', 'is named utils.ts'],
  ['no-bucket-files', `${core}/payment/types.ts`, '', 'is named types.ts'],
  ['no-bucket-files', `${core}/helpers.ts`, '', 'is named helpers.ts'],
  ['no-barrels-in-core', `${core}/payment/index.ts`, '', 'is named index.ts'],
])('%s: %s with %s', ([rule, path, text, problem]) => {
  const violations = check({ ...clean, [path]: `\n${text}` })
  expect(violations).toEqual([expect.objectContaining({ path, rule, line: text ? 2 : 1, problem: matching(problem) })])
  expect(violations[0]?.reason).not.toBe('')
})

test('a relative path from the simulator into the product breaks both rules that forbid it', () => {
  const text = `import '../../mpesa-stk/src/index.ts'`
  expect(check({ ...clean, 'packages/simulator/src/a.ts': text }).map(({ rule }) => rule)).toEqual([
    'simulator-shares-no-logic',
    'no-paths-into-other-packages',
  ])
})

test('a cycle is reported once, with its way, type imports included', () => {
  const folder = 'packages/simulator/src'
  const violations = check({
    ...clean,
    [`${folder}/a.ts`]: `import './away.ts'\nimport { b } from './b.ts'`,
    [`${folder}/away.ts`]: '',
    [`${folder}/b.ts`]: `import type { C } from './c.ts'`,
    [`${folder}/c.ts`]: `export { a } from './a.ts'\nimport './b.ts'`,
  })
  expect(violations).toEqual([
    expect.objectContaining({
      path: `${folder}/a.ts`,
      line: 2,
      rule: 'no-import-cycles',
      problem: `is in a cycle: ${['a', 'b', 'c', 'a'].map(name => `${folder}/${name}.ts`).join(' -> ')}`,
    }),
  ])
})

test('a file that imports itself is a cycle', () => {
  const path = 'packages/client/src/a.ts'
  expect(check({ [path]: `import './a.ts'` })[0]?.problem).toBe(`is in a cycle: ${path} -> ${path}`)
})

function matching(problem: string | RegExp): unknown {
  return typeof problem === 'string' ? problem : expect.stringMatching(problem)
}
