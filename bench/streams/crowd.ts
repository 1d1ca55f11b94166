import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Order, Report, Subscriber } from './subscriber-orders.ts'

const script = fileURLToPath(new URL('subscribers.ts', import.meta.url))
/** One address has so many ports, and a relay so many places for it. */
const mostPerProcess = 2_500
const fewestProcesses = 2

/** Subscribers in processes of their own, each process from an address of its own of this machine. */
export class Crowd implements AsyncDisposable {
  readonly #processes: readonly ChildProcess[]
  readonly #shares: readonly (readonly Subscriber[])[]
  readonly #url: string

  constructor(url: string, subscribers: readonly Subscriber[]) {
    const count = Math.max(fewestProcesses, Math.ceil(subscribers.length / mostPerProcess))
    this.#url = url
    this.#shares = Array.from({ length: count }, (_, part) =>
      subscribers.filter((_each, index) => index % count === part),
    )
    const execArgv = ['--conditions=@mpesa-stk/source', '--import', 'tsx']
    this.#processes = this.#shares.map(() => fork(script, { execArgv, serialization: 'advanced' }))
  }

  /** Resolves when all are live. */
  open(kind: 'open' | 'open-clients'): Promise<readonly Report[]> {
    return this.#order(part => ({
      kind,
      url: this.#url,
      address: `127.0.0.${part + 2}`,
      subscribers: this.#shares[part] ?? [],
    }))
  }

  /** Subscribes each to all of its streams; resolves when so many are live altogether. */
  async openStreams(count: number): Promise<void> {
    await this.#order(() => ({ kind: 'all-streams' }))
    await this.until(({ live }) => live === count)
  }

  /** What they have received since they were last asked. */
  async report(): Promise<Report> {
    const reports = await this.#order(() => ({ kind: 'report' }))
    return {
      live: reports.reduce((sum, { live }) => sum + live, 0),
      lastLiveAtMs: Math.max(...reports.map(({ lastLiveAtMs }) => lastLiveAtMs)),
      received: reports.flatMap(({ received }) => received),
    }
  }

  /** Asks until it is so, at most for `withinMs`; all that was received meanwhile, and how it stands then. */
  async until(isSo: (report: Report) => boolean, withinMs = 60_000): Promise<Report> {
    const deadline = performance.now() + withinMs
    const received: Report['received'][number][] = []
    for (;;) {
      const report = await this.report()
      // Not spread into a call: there are hundreds of thousands.
      for (const each of report.received) received.push(each)
      const all = { ...report, received }
      if (isSo(all) || performance.now() > deadline) return all
      await new Promise(resolve => setTimeout(resolve, 100))
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#processes) child.kill('SIGKILL')
    for (const child of this.#processes) {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    }
  }

  #order(orderOf: (part: number) => Order): Promise<readonly Report[]> {
    return Promise.all(
      this.#processes.map(async (child, part) => {
        const answered = once(child, 'message') as Promise<[Report | { readonly error: string }]>
        child.send(orderOf(part))
        const [answer] = await answered
        if ('error' in answer) throw new Error(`subscribers: ${answer.error}`)
        return answer
      }),
    )
  }
}
