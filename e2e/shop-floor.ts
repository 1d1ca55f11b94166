import { inspect } from 'node:util'
import {
  type Clock,
  type Logger,
  type MpesaSettings,
  MpesaStk,
  type Payment,
  type ProcessedCallback,
  type Store,
  type Transition,
  type TransitionOutcome,
} from 'mpesa-stk'
import { createSimulator, type Simulator, type SimulatorOptions } from 'mpesa-stk-simulator'
import { watchLogLine } from '../scripts/watch-log-output.ts'
import { interceptStore } from './intercept-store.ts'
import { startCallbackServer } from './local-server.ts'

/** A merchant as the tests need one: the simulator, a callback route on a real socket, and everything that was heard. */
export type ShopFloor = AsyncDisposable & {
  readonly simulator: Simulator
  readonly callbackUrl: string
  /** What `processCallback` returned, in order. */
  readonly processed: readonly ProcessedCallback[]
  /** What the settled handler heard, in order. */
  readonly settled: readonly Payment[]
  /** Resolves when no callback is still to come and no handler is running. */
  idle(): Promise<void>
  /** Everything that was logged, as text. */
  log(): string
  /** A library on `store`, whose callbacks arrive here. A later one takes the callbacks over from an earlier one. */
  open(store: Store, config?: Partial<MpesaSettings>, clock?: Clock, secrets?: Partial<typeof credentials>): MpesaStk
  /** The same with no handler registered, as a process that settles and dies before it calls one. */
  openSilent(store: Store): MpesaStk
  /** Posts a body as anybody on the internet could. */
  post(body: unknown, token?: string): Promise<number>
}

export const credentials = {
  consumerKey: 'the-consumer-key',
  consumerSecret: 'the-consumer-secret',
  passKey: 'the-pass-key',
}

export async function openShopFloor(options: SimulatorOptions = {}): Promise<ShopFloor> {
  const simulator = await createSimulator({ seed: 1, queryRate: false, ...options })
  const processed: ProcessedCallback[] = []
  const settled: Payment[] = []
  const lines: unknown[] = []
  let current: MpesaStk | null = null

  const server = await startCallbackServer(async (path, body) => {
    const token = /\/t\/([^/?]+)/.exec(path)?.[1]
    if (current !== null) processed.push(await current.processCallback(body, { token }))
  })
  const callbackUrl = `${server.url}/mpesa/callback`

  const write = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    const line = { level, message, ...fields }
    lines.push(line)
    watchLogLine(line)
  }
  const logger: Logger = { info: write('info'), warn: write('warn'), error: write('error') }

  function create(store: Store, config: Partial<MpesaSettings> = {}, clock?: Clock, secrets = {}): MpesaStk {
    current = new MpesaStk(
      {
        ...credentials,
        ...secrets,
        shortCode: '174379',
        environment: 'sandbox',
        callbackUrl,
        baseUrl: simulator.url,
        timeoutMs: 5_000,
        ...config,
      },
      store,
      { logger, ...(clock && { clock }) },
    )
    return current
  }

  return {
    simulator,
    callbackUrl,
    processed,
    settled,
    async idle() {
      await simulator.idle()
      await current?.idle()
    },
    log: () => lines.map(line => inspect(line, { depth: 10, breakLength: Number.POSITIVE_INFINITY })).join('\n'),
    openSilent: store => create(store),
    open(store, config, clock, secrets) {
      const mpesa = create(store, config, clock, secrets)
      mpesa.onPaymentSettled(payment => {
        settled.push(payment)
      })
      return mpesa
    },
    async post(body, token) {
      const url = token === undefined ? callbackUrl : `${callbackUrl}/t/${token}`
      const text = typeof body === 'string' ? body : JSON.stringify(body)
      return (await fetch(url, { method: 'POST', body: text })).status
    },
    async [Symbol.asyncDispose]() {
      await simulator.close()
      await server.close()
    },
  }
}

/** The store with its transitions passing through `commit`. */
export function interceptCommits(
  store: Store,
  commit: (transition: Transition, pass: () => Promise<TransitionOutcome>) => Promise<TransitionOutcome>,
): Store {
  return interceptStore(store, (name, pass, [transition]) =>
    name === 'commitTransition' ? commit(transition as Transition, pass as () => Promise<TransitionOutcome>) : pass(),
  )
}

/** A clock whose sleepers wake at once, and which moves only when told: by sleeping or by `advance`. */
export function createManualClock(start = new Date()): Clock & { advance(ms: number): void } {
  let now = start.getTime()
  return {
    now: () => new Date(now),
    async sleep(ms) {
      now += ms
      await new Promise(resolve => setImmediate(resolve))
    },
    advance(ms) {
      now += ms
    },
  }
}
