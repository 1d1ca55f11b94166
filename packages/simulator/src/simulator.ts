import { createApp, type SimulatorApp } from './app.ts'
import { type HandsetAnswer, respondOnPhone } from './control/answer-prompt.ts'
import { listen } from './listen.ts'
import { resolveOptions, type SimulatorOptions } from './options.ts'
import type { HandsetAction } from './payment-flow.ts'
import type { ReceivedRequest } from './request-log.ts'
import { parseScenario, type ScenarioInput } from './scenario.ts'
import type { SimulatorEvent, SimulatorEventName } from './signals.ts'
import { createSimulation } from './simulation.ts'
import { snapshot, type Transaction } from './transaction.ts'

/** How long to wait for something, in milliseconds. Default 5,000. */
export interface WaitOptions {
  readonly timeoutMs?: number | undefined
}

/** A running simulator. */
export interface Simulator extends AsyncDisposable {
  /** Base URL of the simulated Daraja, without a slash at the end. */
  readonly url: string
  /** The seed in use: give it to `createSimulator` to see the same run again. */
  readonly seed: number
  /** The in-memory door: `simulator.app.fetch(request)` or `simulator.app.request(path, init)`. A lost answer rejects. */
  readonly app: SimulatorApp['app']
  /** Decides what happens to the next call that matches. Throws SIMULATOR_SCENARIO_INVALID. */
  addScenario(scenario: ScenarioInput): void
  /** Every accepted push, oldest first (the last 10,000). Snapshots: ask again to see changes. */
  transactions(): readonly Transaction[]
  /** Every call to a Daraja path, oldest first (the last 1,000), authorization masked. */
  requests(): readonly ReceivedRequest[]
  /**
   * Answers the newest live prompt of a phone as a person would, by an action or `{ action, pin }`. Returns the
   * transaction as it then is. Throws SIMULATOR_NO_PROMPT.
   */
  respond(msisdn: string, answer: HandsetAction | HandsetAnswer): Transaction
  /**
   * Forgets payments, requests and scenarios (those of the options stay), ends what is under way without callbacks, and
   * starts the chance anew. Tokens stay good.
   */
  reset(): void
  /** The next event of that name, or the next that the function accepts. Rejects with SIMULATOR_WAIT_TIMEOUT. */
  waitFor(
    awaited: SimulatorEventName | ((event: SimulatorEvent) => boolean),
    options?: WaitOptions,
  ): Promise<SimulatorEvent>
  /** A transaction that the function accepts: one that is there already, or the first to become so. */
  waitForTransaction(matches: (transaction: Transaction) => boolean, options?: WaitOptions): Promise<Transaction>
  /**
   * Resolves when no result and no callback is still to come. Prompts that wait for a person, and payments that never
   * get a result, are not waited for.
   */
  idle(): Promise<void>
  /** Stops listening, ends timers, callbacks and connections. Safe to call twice; resolves when the port is free. */
  close(): Promise<void>
}

/**
 * Starts a simulated Safaricom Daraja on localhost.
 *
 * ```ts
 * await using simulator = await createSimulator({ seed: 1 })
 * simulator.addScenario({ msisdn: '254712345678', outcome: 'cancelled' })
 * ```
 *
 * Rejects with SIMULATOR_OPTIONS_INVALID, SIMULATOR_SCENARIO_INVALID or SIMULATOR_PORT_IN_USE.
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
  const settings = resolveOptions(options)
  const simulation = createSimulation(settings)
  const { app, closeStreams } = createApp(simulation)
  const listener = await listen(app, settings.host, settings.port)
  let closing: Promise<void> | undefined

  const simulator: Simulator = {
    url: listener.url,
    seed: settings.seed,
    app,
    addScenario: scenario => simulation.scenarios.add(parseScenario(scenario)),
    transactions: () => simulation.book.all().map(snapshot),
    requests: () => [...simulation.requests.all()],
    respond: (msisdn, answer) =>
      respondOnPhone(simulation, msisdn, typeof answer === 'string' ? { action: answer } : answer),
    reset: simulation.reset,
    waitFor(awaited, { timeoutMs = 5_000 } = {}) {
      const matches = typeof awaited === 'string' ? (event: SimulatorEvent) => event.type === awaited : awaited
      return simulation.signals.next(matches, timeoutMs, typeof awaited === 'string' ? awaited : 'a matching event')
    },
    async waitForTransaction(matches, { timeoutMs = 5_000 } = {}) {
      let found = simulation.book.all().map(snapshot).find(matches)
      if (found) return found
      const look = (event: SimulatorEvent) => {
        if (!('transaction' in event) || !matches(event.transaction)) return false
        found = event.transaction
        return true
      }
      const event = await simulation.signals.next(look, timeoutMs, 'a matching transaction')
      return found ?? ('transaction' in event ? event.transaction : simulator.waitForTransaction(matches))
    },
    idle: simulation.work.idle,
    close() {
      closing ??= (async () => {
        closeStreams()
        simulation.close()
        await listener.close()
      })()
      return closing
    },
    [Symbol.asyncDispose]: () => simulator.close(),
  }
  return simulator
}
