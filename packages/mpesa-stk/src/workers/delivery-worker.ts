import type { RaiseAlert } from '../core/deliver/alerts.ts'
import { appMark } from '../core/deliver/app-mark.ts'
import { type CircuitCounts, opensAfter } from '../core/deliver/circuit.ts'
import { type AttemptAnswer, type AttemptFailure, judgeAttempt } from '../core/deliver/judge-attempt.ts'
import type { OutboundRequest } from '../core/deliver/prepare-delivery.ts'
import { prepareDelivery } from '../core/deliver/prepare-delivery.ts'
import type { AppSecrets, RelayApp } from '../core/deliver/relay-app.ts'
import type { DeliveryOutcome, DeliveryResult, LeasedEvent } from '../core/deliver/relay-event.ts'
import type { ClaimLimits, RelayStorage } from '../core/deliver/relay-storage.ts'
import { describeError } from '../core/errors.ts'
import type { Clock, Logger, Random } from '../core/ports.ts'
import { createTimeOrderedId } from '../core/time-ordered-id.ts'
import { sendTraced } from '../telemetry/relay-spans.ts'
import { Batcher } from './batcher.ts'
import { DeliveryQueue, enoughOfOneApp, type QueuedEvent } from './delivery-queue.ts'

type OpenedApp = { readonly app: RelayApp; readonly secrets: AppSecrets }

export type DeliveryPorts = {
  readonly storage: RelayStorage
  readonly clock: Clock
  /** A time that never jumps, for leases and for what is due. */
  readonly steadyNow: () => Date
  readonly random: Random
  readonly logger: Logger
  readonly send: (request: OutboundRequest) => Promise<AttemptAnswer>
  /** The app as it stands, with its secrets; null when there is none. */
  readonly findApp: (appId: string) => Promise<OpenedApp | null>
  /** The endpoint said that it is gone. */
  readonly disableApp: (appId: string, reason: string) => Promise<void>
  readonly onAttempt: (failure: AttemptFailure | null, durationMs: number) => void
  readonly raise: RaiseAlert
  /** A clock that never jumps, in milliseconds. */
  readonly monotonicMs: () => number
}

/** A lease outlasts the attempt that begins under it by far: 10 s of deadline, and the time to store the result. */
export const deliveryLeaseMs = 60_000
const mustBeginWithinMs = 30_000
/** Of one app no more than are soon sent, so that its backlog keeps nobody else waiting. */
const claimLimits: ClaimLimits = { perApp: enoughOfOneApp, total: 4 * enoughOfOneApp }
const lookEveryMs = 1_000
const maxResults = 20_000
/** Nobody waits for results to be stored. Measured: stored at once, each cost PostgreSQL four times as much. */
const gatherResultsMs = 20
const maxStoreAttempts = 40
const storeAgainAfterMs = 500
/** How soon what is given back is due again. */
const giveBackMs = 1_000

/** Delivers events: those that were handed over in memory, and those that are due in the store. */
export class DeliveryWorker {
  readonly #ports: DeliveryPorts
  readonly #queue = new DeliveryQueue()
  readonly #results: Batcher<DeliveryResult, undefined>
  readonly #sending = new Set<Promise<void>>()
  readonly #backlogged = new Set<string>()
  #timer: NodeJS.Timeout | null = null
  #claiming: Promise<void> | null = null

  constructor(ports: DeliveryPorts) {
    this.#ports = ports
    this.#results = new Batcher({
      maxBatch: 256,
      maxQueued: maxResults,
      gatherMs: gatherResultsMs,
      write: results => this.#store(results),
    })
  }

  get isStarted(): boolean {
    return this.#timer !== null
  }

  /** How many endpoints are open to attempts, left alone, and being probed. */
  circuits(): CircuitCounts {
    return this.#queue.circuits()
  }

  /** Takes events that were just recorded under a lease that was asked for at `leasedAtMs`. */
  handOver(events: readonly LeasedEvent[], leasedAtMs: number): void {
    this.#takeIn(events, leasedAtMs)
  }

  /** Looks for due events regularly, until `stop`. Starting twice is starting once. */
  start(): void {
    if (this.#timer !== null) return
    this.#timer = setInterval(() => void this.claimDue(), lookEveryMs).unref()
    void this.claimDue()
  }

  /** Begins nothing more, gives back what waits, and resolves when what is under way has ended and is stored. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    await this.#claiming
    for (const { event } of this.#queue.drain()) this.#giveBack(event, 0)
    await this.idle()
  }

  /** Resolves when nothing is being sent or stored. */
  async idle(): Promise<void> {
    while (this.#sending.size > 0) await Promise.all(this.#sending)
    await this.#results.idle()
  }

  /** Claims what is due, as much as there is room for, until nothing more is. */
  claimDue(): Promise<void> {
    this.#claiming ??= this.#claimAll().finally(() => {
      this.#claiming = null
    })
    return this.#claiming
  }

  async #claimAll(): Promise<void> {
    const { storage, random, logger, monotonicMs, steadyNow } = this.#ports
    try {
      // Where nothing of a claim had room the next would have none either.
      for (let claimed = claimLimits.total; claimed > 0; ) {
        if (!this.isStarted) return
        const at = steadyNow()
        const leasedAtMs = monotonicMs()
        const lease = { leaseId: createTimeOrderedId(at, random(16)), leaseMs: deliveryLeaseMs, at }
        const events = await storage.claimDueEvents(lease, claimLimits, this.#queue.shutApps(leasedAtMs))
        this.#noteBacklogs(events)
        claimed = this.#takeIn(events, leasedAtMs)
        // A store in this process answers at once: whoever else waits comes in between.
        await new Promise(resolve => setImmediate(resolve))
      }
    } catch (cause) {
      logger.warn({ error: describeError(cause) }, 'due events could not be claimed; they stay in the store')
    }
  }

  /** Whose claim was full has more that is due: it is claimed when this is nearly sent, and not a second later. */
  #noteBacklogs(claimed: readonly LeasedEvent[]): void {
    const counts = new Map<string, number>()
    for (const { appId } of claimed) counts.set(appId, (counts.get(appId) ?? 0) + 1)
    for (const [appId, count] of counts) if (count >= claimLimits.perApp) this.#backlogged.add(appId)
  }

  #claimMoreOf(appId: string): void {
    if (this.#backlogged.has(appId) && this.#queue.isLow(appId) && this.#backlogged.delete(appId)) void this.claimDue()
  }

  /** How many there was room for; the others are given back. */
  #takeIn(events: readonly LeasedEvent[], leasedAtMs: number): number {
    const nowMs = this.#ports.monotonicMs()
    let taken = 0
    for (const event of events) {
      // Stopped since the lease was asked for: whoever looks next need not wait for its end.
      if (!this.isStarted) this.#giveBack(event, 0)
      else if (this.#queue.add({ event, leasedAtMs }, nowMs)) taken++
      else this.#giveBack(event, this.#pauseOf(event.appId, nowMs))
    }
    this.#sendMore()
    return taken
  }

  #sendMore(): void {
    for (;;) {
      const queued = this.#queue.take(this.#ports.monotonicMs())
      if (queued === null) return
      const sending = this.#deliver(queued).finally(() => {
        this.#sending.delete(sending)
        this.#sendMore()
        this.#claimMoreOf(queued.event.appId)
      })
      this.#sending.add(sending)
    }
  }

  /** Never rejects. */
  async #deliver({ event, leasedAtMs }: QueuedEvent): Promise<void> {
    const { clock, logger, monotonicMs, raise } = this.#ports
    const { id, appId, kind } = event
    const app = appMark(appId)
    try {
      const found = await this.#ports.findApp(appId)
      if (found === null || found.app.isDisabled) {
        this.#queue.cancel(appId)
        if (found === null) this.#finish(event, { status: 'DEAD', error: 'its app was deleted' }, null)
        else this.#giveBack(event, giveBackMs)
        return
      }
      // Last of what is waited for: what came in between may have taken longer than the lease.
      if (!(await this.#isStillOurs(event, leasedAtMs))) {
        this.#queue.cancel(appId)
        return
      }
      const at = clock.now()
      const began = monotonicMs()
      const request = this.#prepare(event, found, at)
      if (request === null) {
        this.#queue.cancel(appId)
        const error = 'its body cannot be written as JSON'
        this.#finish(event, { status: 'DEAD', error }, null)
        raise('delivery.dead', app, { eventId: id, kind, attempts: event.attemptCount, error })
        return
      }
      const answer = await sendTraced('deliver callback', this.#ports.send, request, event)
      const durationMs = monotonicMs() - began
      const judged = judgeAttempt(event, answer, found.app.scheduleMs, this.#chance())
      this.#ports.onAttempt(judged.failure, durationMs)
      const isAlive = answer.outcome === 'answered' && answer.httpStatus < 500
      const wasLeftAlone = this.#queue.waitsUntilMs(appId) !== null
      const given = this.#queue.end(appId, isAlive, monotonicMs())
      if (!wasLeftAlone && this.#queue.waitsUntilMs(appId) !== null) {
        raise('breaker.opened', app, { failures: opensAfter, lastError: errorOf(answer) })
      }
      for (const each of given) this.#giveBack(each.event, this.#pauseOf(appId, monotonicMs()))
      this.#finish(event, judged.outcome, {
        eventId: id,
        number: event.attemptCount + 1,
        at,
        durationMs,
        httpStatus: answer.outcome === 'answered' ? answer.httpStatus : null,
        errorClass: judged.failure,
        responseHead: answer.outcome === 'answered' ? answer.head : answer.message,
      })
      if (judged.outcome.status === 'DEAD') {
        const { error } = judged.outcome
        raise('delivery.dead', app, { eventId: id, kind, attempts: event.attemptCount + 1, error })
      }
      if (judged.isGone) await this.#disable(appId)
    } catch (cause) {
      this.#queue.cancel(appId)
      this.#giveBack(event, giveBackMs)
      logger.error({ eventId: id, app, error: describeError(cause) }, 'an event could not be sent; it is due again')
    }
  }

  /** Null for a body that was read once and cannot be written: nested deeper than the stack. It would fail for ever. */
  #prepare(event: LeasedEvent, { app, secrets }: OpenedApp, at: Date): OutboundRequest | null {
    try {
      return prepareDelivery(event, app, secrets, at, event.kind)
    } catch {
      return null
    }
  }

  /** The event itself is dealt with already: a failure here shows again at the next 410. */
  async #disable(appId: string): Promise<void> {
    try {
      await this.#ports.disableApp(appId, '410')
      this.#ports.raise('endpoint.disabled', appMark(appId), { reason: '410' })
    } catch (cause) {
      this.#ports.logger.error(
        { app: appMark(appId), error: describeError(cause) },
        'an app whose endpoint is gone was not disabled',
      )
    }
  }

  /** A lease that may not outlast the attempt is begun anew first: whoever has lost it sends nothing. */
  async #isStillOurs({ id, leaseId }: LeasedEvent, leasedAtMs: number): Promise<boolean> {
    const { storage, monotonicMs, steadyNow } = this.#ports
    let askedAtMs = leasedAtMs
    while (monotonicMs() - askedAtMs >= mustBeginWithinMs) {
      askedAtMs = monotonicMs()
      const lease = { leaseId, leaseMs: deliveryLeaseMs, at: steadyNow() }
      if ((await storage.renewLeases([id], lease)).length === 0) return false
    }
    return true
  }

  #giveBack(event: LeasedEvent, delayMs: number): void {
    this.#finish(event, { status: 'held', delayMs }, null)
  }

  /** A result that cannot be stored is lost with its lease: the event is delivered once more. */
  #finish({ id, leaseId }: LeasedEvent, outcome: DeliveryOutcome, attempt: DeliveryResult['attempt']): void {
    this.#results.push({ eventId: id, leaseId, attempt, outcome }).catch((cause: unknown) => {
      this.#ports.logger.warn(
        { eventId: id, error: describeError(cause) },
        'what became of an event could not be stored; it is due again when its lease has run out',
      )
    })
  }

  /** A store that is away for a moment costs no merchant a second delivery; one that stays away costs no more than that. */
  async #store(results: readonly DeliveryResult[]): Promise<readonly undefined[]> {
    const { storage, clock, steadyNow } = this.#ports
    for (let attempt = 1; ; attempt++) {
      try {
        await storage.finishDeliveries(results, steadyNow())
        return results.map(() => undefined)
      } catch (cause) {
        if (attempt >= maxStoreAttempts || !this.isStarted) throw cause
        await clock.sleep(storeAgainAfterMs)
      }
    }
  }

  #pauseOf(appId: string, nowMs: number): number {
    return Math.max(giveBackMs, (this.#queue.waitsUntilMs(appId) ?? nowMs) - nowMs)
  }

  #chance(): number {
    const [byte = 0] = this.#ports.random(1)
    return byte / 255
  }
}

function errorOf(answer: AttemptAnswer): string {
  return answer.outcome === 'answered' ? `HTTP ${answer.httpStatus}` : answer.failure
}
