import { type CallbackSender, createCallbackSender } from './callbacks/callback-sender.ts'
import { type CredentialCheck, createCredentialCheck } from './credentials.ts'
import { createSpikeArrest, type SpikeArrest } from './daraja/spike-arrest.ts'
import { createIdMint, type IdMint } from './ids.ts'
import { createLatency, type Latency } from './latency.ts'
import type { SimulatorSettings } from './options.ts'
import { createPaymentFlow, type PaymentFlow } from './payment-flow.ts'
import { createRequestLog, type RequestLog } from './request-log.ts'
import { parseScenario, type Scenario } from './scenario.ts'
import { createScenarioQueue, type ScenarioQueue, type ScenarioSubject } from './scenario-queue.ts'
import { createSeededRandom, type SeededRandom } from './seeded-random.ts'
import { createSignals, type Signals } from './signals.ts'
import { testNumbers } from './test-numbers.ts'
import { createTimers, type Timers } from './timers.ts'
import { createTokenBook, type TokenBook } from './tokens.ts'
import { createTransactionBook, type TransactionBook } from './transaction-book.ts'
import { createUnfinishedWork, type UnfinishedWork } from './unfinished-work.ts'

/** One simulated Safaricom: its state and its rules, without HTTP. */
export interface Simulation {
  readonly settings: SimulatorSettings
  readonly random: SeededRandom
  readonly ids: IdMint
  readonly latency: Latency
  readonly timers: Timers
  readonly tokens: TokenBook
  readonly credentials: CredentialCheck
  readonly spikeArrest: SpikeArrest
  readonly scenarios: ScenarioQueue
  readonly book: TransactionBook
  readonly requests: RequestLog
  readonly sender: CallbackSender
  readonly signals: Signals
  readonly work: UnfinishedWork
  readonly flow: PaymentFlow
  /** The scenario for a call: one from the queue, completed by the number's own outcome; else the number's own; else a blank one. */
  scenarioFor(subject: ScenarioSubject): Scenario
  /** Forgets payments, requests and waiting scenarios, ends everything under way, and starts the chance anew. Tokens stay good. */
  reset(): void
  close(): void
}

export function createSimulation(settings: SimulatorSettings): Simulation {
  const { now } = settings
  const tokenRandom = createSeededRandom(settings.seed)
  const tokens = createTokenBook(createIdMint(tokenRandom, now), now, settings.tokenLifetimeMs)
  const timers = createTimers()
  const book = createTransactionBook()
  const requests = createRequestLog()
  const scenarios = createScenarioQueue()
  const signals = createSignals()
  const work = createUnfinishedWork()
  const spikeArrest = createSpikeArrest(settings.queryRate, now)
  const { callbackDeadlineMs: deadlineMs, callbackRetryDelaysMs: retryDelaysMs } = settings
  const sender = createCallbackSender({ now, timers, deadlineMs, retryDelaysMs })

  const standing = settings.scenarios.map(parseScenario).map(scenario => ({ times: 'always' as const, ...scenario }))
  const byNumber = new Map(testNumbers.map(({ msisdn, scenario }) => [msisdn, parseScenario(scenario)]))
  const plain = parseScenario({})

  /** Everything that draws from the seed, so that a reset can start it again from the same point. */
  function drawFromSeed() {
    const random = createSeededRandom(settings.seed)
    const ids = createIdMint(random, now)
    const latency = createLatency(settings.latency, random)
    const flow = createPaymentFlow({ settings, ids, random, latency, timers, book, sender, signals, work })
    return { random: random.fork('answers'), ids, latency, flow }
  }
  let drawn = drawFromSeed()

  const loadStanding = () => {
    for (const scenario of standing) scenarios.add(scenario)
  }
  loadStanding()

  function stop() {
    timers.cancelAll()
    sender.abort()
    work.clear()
  }

  return {
    settings,
    timers,
    tokens,
    credentials: createCredentialCheck(settings.credentials, settings.mode),
    spikeArrest,
    scenarios,
    book,
    requests,
    sender,
    signals,
    work,
    get random() {
      return drawn.random
    },
    get ids() {
      return drawn.ids
    },
    get latency() {
      return drawn.latency
    },
    get flow() {
      return drawn.flow
    },
    scenarioFor(subject) {
      const ofNumber = byNumber.get(subject.msisdn ?? '') ?? plain
      const queued = scenarios.take(subject)
      if (!queued || queued.outcome !== undefined || queued.resultCode !== undefined) return queued ?? ofNumber
      // It speaks of the answer or the callback only: what becomes of the payment is still up to the number.
      const { outcome, resultCode } = ofNumber
      return { ...queued, outcome, resultCode }
    },
    reset() {
      // The book first: whoever is woken by the end of a timer must find his payment gone.
      const firstCallbacks = book.all().map(transaction => transaction.firstCallbacks)
      book.clear()
      requests.clear()
      scenarios.clear()
      loadStanding()
      spikeArrest.reset()
      stop()
      for (const waiting of firstCallbacks) waiting.resolve()
      drawn = drawFromSeed()
      signals.emit({ type: 'reset' })
    },
    close() {
      timers.close()
      stop()
      for (const transaction of book.all()) transaction.firstCallbacks.resolve()
      signals.close()
    },
  }
}
