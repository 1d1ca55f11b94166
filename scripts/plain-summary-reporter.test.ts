import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const reporter = fileURLToPath(new URL('plain-summary-reporter.ts', import.meta.url))
const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const none = { TEST_DATABASE_URL: 'none', TEST_REDIS_URL: 'none', CHROMIUM_PATH: 'none' }
const all = { TEST_DATABASE_URL: 'postgres://x', TEST_REDIS_URL: 'redis://x', CHROMIUM_PATH: '/x' }

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'summary-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** Runs a real vitest over one throwaway test file. */
function run(testFile: string | undefined, env: Record<string, string>, ...args: string[]) {
  if (testFile !== undefined) writeFileSync(join(folder, 'sample.test.js'), testFile)
  const { REQUIRE_ALL: _, ...ours } = process.env
  const flags = ['run', '--globals', '--root', folder, '--reporter=default', `--reporter=${reporter}`]
  const done = spawnSync(process.execPath, [vitest, ...flags, ...args], { encoding: 'utf8', env: { ...ours, ...env } })
  return { code: done.status, lines: done.stdout.split('\n') }
}

test('the last line of a green run counts its tests and stands alone', () => {
  const { code, lines } = run(
    `test('a', () => {}); test('b', () => {}); test.skip('c', () => {}); process.stdout.write('open line')`,
    all,
  )
  expect(lines.slice(-2)).toEqual(['2 passed, 0 failed, 1 skipped', ''])
  expect(code).toBe(0)
})

test('a failing test, a failing hook and an unhandled error all count as failed', () => {
  const { code, lines } = run(
    `test('a', () => {}); test('b', () => { throw new Error('no') })
     describe('d', () => { afterAll(() => { throw new Error('no') }); test('c', () => {}) })
     test('e', () => { Promise.reject(new Error('floating')) })`,
    all,
  )
  expect(lines.slice(-4)).toEqual([
    'failed: sample.test.js > b: no',
    'failed: 1 unhandled error(s), see above',
    '3 passed, 3 failed',
    '',
  ])
  expect(code).toBe(1)
})

test('a file that does not load counts as failed', () => {
  const { code, lines } = run(`import './absent.js'; test('a', () => {})`, all)
  expect(lines.at(-2)).toBe('0 passed, 1 failed')
  expect(code).toBe(1)
})

test.for([
  ['no file', undefined, []],
  ['no test with that name', `test('a', () => {})`, ['-t', 'zzz']],
  ['nothing but skipped tests', `test.skip('a', () => {})`, []],
  ['no file, though vitest was told that this is fine', undefined, ['--passWithNoTests']],
] as const)('a run in which no test ran fails: %s', ([, file, args]) => {
  const { code, lines } = run(file, all, ...args)
  expect(lines).toContain('failed: no test ran')
  expect(lines.at(-2)).toMatch(/^0 passed, 1 failed(, 1 skipped)?$/)
  expect(code).toBe(1)
})

test('an absent service is named with its remedy, and does not fail the run', () => {
  const { code, lines } = run(`test('a', () => {})`, none)
  expect(lines.slice(-5, -1)).toEqual([
    'left out: PostgreSQL (npm run services -- start)',
    'left out: Redis (npm run services -- start)',
    'left out: Chromium (npm run services -- install)',
    '1 passed, 0 failed',
  ])
  expect(code).toBe(0)
})

test('REQUIRE_ALL=1 turns an absent service into a failure', () => {
  const { code, lines } = run(`test('a', () => {})`, { ...all, TEST_REDIS_URL: 'none', REQUIRE_ALL: '1' })
  expect(lines).toContain('failed: REQUIRE_ALL=1, but Redis is absent')
  expect(lines.at(-2)).toBe('1 passed, 1 failed')
  expect(code).toBe(1)
})
