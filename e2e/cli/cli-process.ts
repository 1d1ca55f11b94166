import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('../../packages/mpesa-stk/src/cli/mpesa-stk.ts', import.meta.url))
const tsx = import.meta.resolve('tsx')

export type Environment = Readonly<Record<string, string>>
export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string }

/** `mpesa-stk` as a process that goes on until it is told to end. */
export type RunningCli = {
  readonly pid: number
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
  /** Resolves with the first line of either that has it, be it said already or yet to come; rejects where it ends first. */
  says(text: string): Promise<string>
  readonly ended: Promise<Ended>
  /** Ctrl-C, or the kill that nobody hears of. */
  end(signal: 'SIGINT' | 'SIGKILL'): Promise<Ended>
}

/** A folder for the command to run in, and to keep a relay's data. */
export function openFolder(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'mpesa-stk-cli-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

export function startCli(args: readonly string[], folder: string, environment: Environment): RunningCli {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--conditions=@mpesa-stk/source', '--import', tsx, script, ...args],
    { cwd: folder, env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...environment } },
  )
  const stdout: string[] = []
  const stderr: string[] = []
  const listeners = new Set<(line: string) => void>()
  for (const [stream, lines] of [
    [child.stdout, stdout],
    [child.stderr, stderr],
  ] as const) {
    if (stream === null) throw new Error('no pipes')
    createInterface({ input: stream }).on('line', line => {
      lines.push(line)
      for (const listener of listeners) listener(line)
    })
  }
  const ended = (once(child, 'close') as Promise<[number | null]>).then(([code]) => ({
    code,
    stdout: stdout.join('\n'),
    stderr: stderr.join('\n'),
  }))
  return {
    pid: child.pid ?? 0,
    stdout,
    stderr,
    ended,
    says: text =>
      new Promise((resolve, reject) => {
        const said = [...stdout, ...stderr].find(line => line.includes(text))
        if (said !== undefined) return resolve(said)
        listeners.add(line => line.includes(text) && resolve(line))
        void ended.then(end => reject(new Error(`it ended with ${end.code} and never said ${text}: ${end.stderr}`)))
      }),
    end(signal) {
      child.kill(signal)
      return ended
    },
  }
}

/** Runs a command to its end. */
export function runCli(args: readonly string[], folder: string, environment: Environment = {}): Promise<Ended> {
  return startCli(args, folder, environment).ended
}

/** What a command answers as JSON, where it is done. */
export async function askCli<Answer>(
  args: readonly string[],
  folder: string,
  environment: Environment = {},
): Promise<Answer> {
  const { code, stdout, stderr } = await runCli([...args, '--json'], folder, environment)
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
  return JSON.parse(stdout) as Answer
}
