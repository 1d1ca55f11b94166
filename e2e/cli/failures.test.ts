import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SqliteRelayAdapter } from 'mpesa-stk/server'
import { expect, onTestFinished, test } from 'vitest'
import { runCli } from '../../packages/mpesa-stk/src/cli/program.ts'
import { openAnswering } from './answering.ts'

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-cli-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

async function run(args: readonly string[], environment: Readonly<Record<string, string>>) {
  const out: string[] = []
  const err: string[] = []
  const code = await runCli(args, {
    environment,
    isInteractive: false,
    signal: new AbortController().signal,
    out: line => void out.push(line),
    note: line => void err.push(line),
  })
  return { code, out, err }
}

test('with --json every failure is one line of JSON, also what nobody foresaw, and no stack', async () => {
  const folder = newFolder()
  const unusable = join(folder, 'a-folder')
  mkdirSync(unusable)
  const environment = { RELAY_URL: 'http://127.0.0.1:9' }
  for (const [args, code, exit] of [
    [['frobnicate'], 'MPESA_STK_CLI_USAGE', 2],
    [['apps', 'create'], 'MPESA_STK_CLI_USAGE', 2],
    [['apps', 'list'], 'MPESA_STK_RELAY_UNREACHABLE', 5],
    [['listen', 'app', '--forward-to', 'http://127.0.0.1:9/', '--cursor-file', unusable], 'MPESA_STK_CLI_FAILED', 1],
  ] as const) {
    const told = await run([...args, '--json'], environment)
    expect([args, told.code, told.out, told.err.length]).toEqual([args, exit, [], 1])
    const { error } = JSON.parse(told.err[0] ?? '') as { error: { code: string; message: string } }
    expect(error.code).toBe(code)
    expect(error.message).not.toMatch(/\n|^error:/)
  }
})

test('the operator’s token goes to nobody who is no relay, whatever he answers', async () => {
  await using shop = await openAnswering(200, '<h1>shop</h1>')
  const told = await run(['apps', 'list'], {
    PORT: shop.port,
    RELAY_ADMIN_TOKEN: 'hunter2hunter2hunter2',
    RELAY_DATA_DIR: newFolder(),
  })
  expect(told.code).toBe(5)
  expect(shop.requests.length).toBeGreaterThan(0)
  expect(JSON.stringify(shop.requests)).not.toContain('hunter2')
})

test('a store that was written with a key gets no other by being looked at', async () => {
  const RELAY_DATA_DIR = newFolder()
  const storage = await SqliteRelayAdapter.open(join(RELAY_DATA_DIR, 'relay.db'))
  await storage.migrate()
  await storage.keepSetting('key-check', 'of a key from the environment')
  await storage.close()
  const told = await run(['apps', 'list'], { PORT: '9', RELAY_DATA_DIR })
  expect(told).toMatchObject({ code: 1, err: [expect.stringContaining('MPESA_STK_RELAY_KEY_WRONG')] })
  expect(existsSync(join(RELAY_DATA_DIR, 'encryption-key')), readdirSync(RELAY_DATA_DIR).join()).toBe(false)
})
