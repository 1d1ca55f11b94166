import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { runCli } from '../../packages/mpesa-stk/src/cli/program.ts'

const script = fileURLToPath(new URL('../../packages/mpesa-stk/src/cli/mpesa-stk.ts', import.meta.url))
/** By its place, because a command may be started in any folder. */
const tsx = import.meta.resolve('tsx')

export type CliRun = { readonly code: number | null; readonly out: string; readonly err: string }

/** Runs `mpesa-stk` as a process of its own, with nothing in its environment but what it is given. */
export async function runMpesaStk(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  folder = process.cwd(),
): Promise<CliRun> {
  const child = spawn(process.execPath, ['--conditions=@mpesa-stk/source', '--import', tsx, script, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() }
}

/** The same in this process, for tests that ask many times: a process takes seconds to start. */
export async function runMpesaStkHere(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<CliRun> {
  const [out, err]: [string[], string[]] = [[], []]
  const code = await runCli(args, {
    environment,
    isInteractive: false,
    signal: new AbortController().signal,
    out: line => out.push(`${line}\n`),
    note: line => err.push(`${line}\n`),
  })
  return { code, out: out.join(''), err: err.join('') }
}
