import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCli } from './run-cli.ts'
import { createSimulator } from './simulator.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'daraja-simulator-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function file(name: string, content: unknown) {
  const path = join(folder, name)
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content))
  return path
}

/** Runs the words in this process; once it is ready, `whileRunning` and then the wish to stop. */
async function run(args: string[], whileRunning: (url: string) => Promise<void> = async () => {}) {
  const printed: string[] = []
  const errors: string[] = []
  const exitCode = await runCli(args, {
    print: line => printed.push(line),
    printError: line => errors.push(line),
    async stopRequested() {
      // Asked just before the line is printed: let it be printed first.
      await Promise.resolve()
      await whileRunning(/http:\/\/[\d.:]+/.exec(printed[0] ?? '')?.[0] ?? '')
    },
  })
  return { exitCode, printed: printed.join('\n'), errors: errors.join('\n') }
}

describe('the command', () => {
  it('prints where it is ready, and serves there', async () => {
    let status = 0
    const { exitCode, printed } = await run(['--port', '0', '--seed', '5'], async url => {
      status = (await fetch(`${url}/__sim/transactions`)).status
    })
    expect([exitCode, status]).toEqual([0, 200])
    expect(printed).toMatch(/^ready http:\/\/127\.0\.0\.1:\d+ .*seed 5, sandbox, latency realistic\)$/)
  })

  it('prints JSON where asked', async () => {
    const { printed } = await run(['--port', '0', '--json', '--seed', '5', '--latency', 'none'])
    expect(JSON.parse(printed)).toEqual({
      event: 'ready',
      url: expect.stringMatching(/^http/),
      seed: 5,
      mode: 'sandbox',
      latency: 'none',
    })
  })

  it('helps', async () => {
    const { exitCode, printed } = await run(['--help'])
    expect(exitCode).toBe(0)
    for (const word of ['--auto-approve-ms', '--strict-urls', '--no-spike-arrest', '254708374149', 'Exit codes'])
      expect(printed).toContain(word)
  })

  it('reads scenarios and credentials', async () => {
    const scenarios = await file('scenarios.json', [{ msisdn: '254799999999', outcome: 'cancelled' }])
    const credentials = await file('credentials.json', [{ consumerKey: 'k', consumerSecret: 's', shortCode: 174379 }])
    let listed: unknown
    let stranger = 0
    const args = ['--port', '0', '--scenarios', scenarios, '--credentials', credentials, '--query-rate', '60/60s']
    const { exitCode } = await run(args, async url => {
      listed = await (await fetch(`${url}/__sim/scenarios`)).json()
      const headers = { authorization: `Basic ${btoa('other:s')}` }
      stranger = (await fetch(`${url}/oauth/v1/generate?grant_type=client_credentials`, { headers })).status
    })
    expect([exitCode, stranger]).toEqual([0, 400])
    expect(listed).toMatchObject({ scenarios: [{ remaining: 'always', scenario: { outcome: 'cancelled' } }] })
  })

  it('names a port that is taken, with exit code 3', async () => {
    const other = await createSimulator()
    const port = new URL(other.url).port
    const { exitCode, errors } = await run(['--port', port])
    await other.close()
    expect(exitCode).toBe(3)
    expect(errors).toContain(`Port ${port} on 127.0.0.1 is in use`)
    expect(errors).toContain('--port')
  })

  it('names what is wrong, with exit code 2', async () => {
    const notJson = await file('a.json', '[{')
    const notList = await file('b.json', {})
    const wrong = await file('c.json', [{ outcome: 'payed' }])
    const cases: [string[], RegExp][] = [
      [['--nonsense'], /unknown option '--nonsense'/],
      [['--port', 'x'], /whole number/],
      [['--mode', 'live'], /Allowed choices are sandbox, strict/],
      [['--query-rate', 'fast'], /5\/60s/],
      [['--scenarios', join(folder, 'absent.json')], /Cannot read .*absent\.json/],
      [['--scenarios', notJson], /a\.json is not JSON/],
      [['--scenarios', notList], /must hold a JSON list/],
      [['--scenarios', wrong], /outcome/],
      [['--credentials', wrong], /consumerKey/],
    ]
    for (const [args, message] of cases) {
      const { exitCode, errors } = await run(['--port', '0', ...args])
      expect([args.join(' '), exitCode]).toEqual([args.join(' '), 2])
      expect(errors).toMatch(message)
    }
  })
})

describe('the process', () => {
  let child: ChildProcess | undefined
  afterEach(() => {
    if (child?.exitCode === null) child.kill('SIGKILL')
  })

  it.each(['SIGTERM', 'SIGINT'] as const)('stops cleanly at %s', async signal => {
    const tsx = createRequire(import.meta.url).resolve('tsx')
    const cli = fileURLToPath(new URL('./cli.ts', import.meta.url))
    child = spawn(process.execPath, ['--import', tsx, cli, '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(child.stdout ?? child, 'data')
    expect(String(line)).toMatch(/^ready http/)
    child.kill(signal)
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
  })
})
