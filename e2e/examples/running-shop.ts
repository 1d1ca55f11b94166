import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** The command that the READMEs of the examples name. */
export const command = 'node --env-file=simulator.env server.js'

/** What the examples tell of a payment. */
type Answer = { paymentId: string; status: string; receipt: string | null; message: string }

/** An example that runs as a process of its own. */
export type RunningShop = {
  readonly url: string
  post(path: string, body: string): Promise<Response>
  checkout(order: unknown, phone: string, amount?: number): Promise<Response>
  /** What a checkout answers. */
  pay(order: string, phone: string): Promise<Answer>
  /** A payment as it is now. */
  look(paymentId: string): Promise<Answer>
  /** The first line that fits, written already or still to come. */
  line(pattern: RegExp): Promise<string>
  /** Everything it wrote, to stdout and to stderr. */
  output(): string
  /** Asks it to stop as an operating system does; resolves with its exit code. */
  stop(): Promise<number | null>
  kill(): void
}

/**
 * @param env goes before what `simulator.env` says
 * @param flags of Node, before those of the README
 */
export async function runShop(
  home: string,
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<RunningShop> {
  const [, ...words] = command.split(' ')
  const child = spawn(process.execPath, [...flags, ...words], {
    cwd: home,
    // Nothing of ours: neither our module condition nor what a developer has set.
    env: { PATH: process.env['PATH'], PORT: '0', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const watchers = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', line => {
      lines.push(line)
      for (const look of watchers) look()
    })
  }
  let hasEnded = false
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => {
      hasEnded = true
      resolve(code)
      for (const look of watchers) look()
    })
  })
  const line = (pattern: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const found = lines.find(each => pattern.test(each))
        if (found === undefined && !hasEnded) return
        watchers.delete(look)
        if (found !== undefined) resolve(found)
        else reject(new Error(`ended without a line like ${pattern}:\n${lines.join('\n')}`))
      }
      watchers.add(look)
      look()
    })
  const ready = await line(/^ready http:\/\/127\.0\.0\.1:\d+$/)
  const url = ready.slice('ready '.length)
  // A connection that is kept alive would keep a server that stops waiting for seconds.
  const headers = { 'content-type': 'application/json', connection: 'close' }
  const post = (path: string, body: string): Promise<Response> => fetch(url + path, { method: 'POST', headers, body })
  const checkout = (order: unknown, phone: string, amount = 500): Promise<Response> =>
    post('/checkout', JSON.stringify({ order, phone, amount }))
  return {
    url,
    post,
    checkout,
    pay: async (order, phone) => (await checkout(order, phone)).json() as Promise<Answer>,
    look: async id => (await fetch(`${url}/payments/${id}`, { headers })).json() as Promise<Answer>,
    line,
    output: () => lines.join('\n'),
    stop() {
      child.kill('SIGTERM')
      return ended
    },
    kill: () => void child.kill('SIGKILL'),
  }
}
