import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { bundleScript } from '../bundle-script.ts'

const relayScript = new URL('../../packages/mpesa-stk/src/cli/relay.ts', import.meta.url)

/** A port that nobody has just now. */
export async function findFreePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise(resolve => server.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** `mpesa-stk-relay` as a process of its own. */
export type RelayProcess = {
  readonly url: string
  readonly pid: number
  readonly log: () => string
  /** `kill -9`: resolves when it is gone. */
  kill(): Promise<void>
  /** SIGTERM: resolves with the exit code. */
  stop(): Promise<number | null>
}

/** Throws what it said, where it ends instead. `signal` kills one that does neither; another script may stand for it. */
export async function startRelay(
  environment: Readonly<Record<string, string>>,
  signal?: AbortSignal,
  script = relayScript,
): Promise<RelayProcess> {
  const child = spawn(process.execPath, [await bundleScript(script)], {
    env: { ...process.env, RELAY_ALLOW_PRIVATE_TARGETS: '1', LOG_LEVEL: 'warn', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    killSignal: 'SIGKILL',
    signal,
  })
  const log: string[] = []
  child.stderr?.on('data', (chunk: Buffer) => log.push(chunk.toString()))
  const exited = once(child, 'exit') as Promise<[number | null]>
  // Later than its exit: then all that it said has been heard.
  const closed = once(child, 'close') as Promise<[number | null]>
  const url = await readyUrl(child)
  if (url === null) {
    const [code] = await closed
    throw new Error(`the relay did not start: exit code ${code}\n${log.join('')}`)
  }
  return {
    url,
    pid: child.pid ?? 0,
    log: () => log.join(''),
    async kill() {
      child.kill('SIGKILL')
      await exited
    },
    async stop() {
      child.kill('SIGTERM')
      const [code] = await exited
      return code
    },
  }
}

/** Null when it ends without having been ready. */
async function readyUrl(child: ChildProcess): Promise<string | null> {
  if (child.stdout === null) throw new Error('no stdout')
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^ready (\S+)/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  return null
}
