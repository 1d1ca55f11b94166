import { mergeCopies } from '../core/deliver/merge-copies.ts'
import type { LeasedEvent, NewRelayEvent, QuarantinedBody } from '../core/deliver/relay-event.ts'
import type { RecordedEvent, RelayStorage } from '../core/deliver/relay-storage.ts'
import { describeError } from '../core/errors.ts'
import { readText } from '../core/explain/read-answer.ts'
import type { Clock, Logger, Random } from '../core/ports.ts'
import { classifyCallback } from '../core/receive/classify-callback.ts'
import { sha256 } from '../core/sha256.ts'
import { createTimeOrderedId } from '../core/time-ordered-id.ts'
import type { Spool } from '../spool/spool.ts'
import { Batcher } from '../workers/batcher.ts'
import { type DeliveryWorker, deliveryLeaseMs } from '../workers/delivery-worker.ts'
import type { AppBook } from './app-book.ts'
import { decodeReceived, encodeReceived, maxBodyBytes, type ReceivedBody } from './received-body.ts'

/** What became of a body. Every one but `refused` is safe on a disk, or over its budget and counted. */
export type IntakeOutcome =
  | { readonly outcome: 'recorded' | 'repeat'; readonly eventId: string; readonly contradicts: string | null }
  | { readonly outcome: 'quarantined'; readonly reason: QuarantinedBody['reason']; readonly isKept: boolean }
  | { readonly outcome: 'spooled' }
  /** Neither the store nor the disk took it. */
  | { readonly outcome: 'refused' }

export type IntakePorts = {
  readonly storage: RelayStorage
  readonly spool: Spool
  readonly apps: AppBook
  readonly deliveries: DeliveryWorker
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly monotonicMs: () => number
  readonly onBatch: (events: number, durationMs: number) => void
  /** What may be quarantined of an app within a day. */
  readonly quarantineBudgetBytes: number
}

type Stored =
  | (RecordedEvent & { readonly eventId: string })
  /** The store takes everything but this: it would fail for ever. */
  | { readonly outcome: 'unstorable' }

const maxBatch = 256
const usedUpForMs = 60_000
const maxQueued = 10_000

/** Takes what comes in at the hooks, and keeps it: in the store, or on the local disk while the store cannot. */
export class Intake {
  readonly #ports: IntakePorts
  readonly #events: Batcher<NewRelayEvent, Stored>
  #draining: Promise<void> | null = null
  #isDiskFull = false
  readonly #usedUp = new Map<string, number>()

  constructor(ports: IntakePorts) {
    this.#ports = ports
    this.#events = new Batcher({ maxBatch, maxQueued, write: events => this.#recordEach(events) })
  }

  /** Whether the disk refused the last body that had to go there. */
  get isDiskFull(): boolean {
    return this.#isDiskFull
  }

  get queued(): number {
    return this.#events.queued
  }

  /** Resolves once it is kept: then it may be acknowledged. Never rejects. */
  async receive(received: ReceivedBody): Promise<IntakeOutcome> {
    const { spool, logger } = this.#ports
    // Behind what waits there already: one relay keeps the order of what it takes.
    if (!spool.isEmpty) return this.#spool(received)
    try {
      return await this.#keep(received)
    } catch (cause) {
      logger.warn({ error: describeError(cause) }, 'the store did not take a callback; it goes to the local disk')
      return this.#spool(received)
    }
  }

  /** Brings what waits on the disk to the store. Rejects when the store fails: then it goes on waiting. */
  drain(): Promise<void> {
    this.#draining ??= this.#ports.spool
      .drain(async records => {
        await Promise.all(records.map(record => this.#keepOrPutAside(record)))
      })
      .finally(() => {
        this.#draining = null
      })
    return this.#draining
  }

  /** A record that the store refuses for what is in it would hold up all that wait behind it, for ever. */
  async #keepOrPutAside(record: Uint8Array): Promise<void> {
    try {
      await this.#keep(decodeReceived(record))
    } catch (cause) {
      if (!isDataError(cause)) throw cause
      await this.#ports.spool.putAside(record)
    }
  }

  /** Resolves when nothing is on its way to the store. */
  async idle(): Promise<void> {
    await this.#events.idle()
  }

  async #keep(received: ReceivedBody): Promise<IntakeOutcome> {
    const { appId, token, body, length, receivedAt } = received
    const app = await this.#ports.apps.find(appId)
    if (app === null) return this.#quarantine(received, 'unknown-app', `no app ${readText(appId)}`)
    if (length > maxBodyBytes) return this.#quarantine(received, 'oversize', `${length} bytes`)
    const classified = classifyCallback(body)
    if (classified.kind === 'unrecognised') return this.#quarantine(received, 'unrecognised', classified.reason)
    const stored = await this.#events.push({
      ...classified,
      result: withToken(classified.result, token),
      id: this.#createId(receivedAt),
      appId,
      body,
      callbackToken: token,
      receivedAt,
      copies: 1,
      contradicts: null,
    })
    if (stored.outcome === 'unstorable') return this.#quarantine(received, 'unrecognised', 'the store refused its data')
    const { outcome, eventId } = stored
    return { outcome, eventId, contradicts: stored.outcome === 'recorded' ? stored.contradicts : null }
  }

  /** One commit; where the data of somebody in it is refused, one by one, so that he fails alone. */
  async #recordEach(events: readonly NewRelayEvent[]): Promise<readonly Stored[]> {
    try {
      return await this.#record(events)
    } catch (cause) {
      if (!isDataError(cause)) throw cause
    }
    const stored: Stored[] = []
    for (const event of events) {
      try {
        stored.push(...(await this.#record([event])))
      } catch (cause) {
        if (!isDataError(cause)) throw cause
        stored.push({ outcome: 'unstorable' })
      }
    }
    return stored
  }

  async #record(came: readonly NewRelayEvent[]): Promise<readonly Stored[]> {
    const { storage, deliveries, clock, random, monotonicMs, logger, onBatch } = this.#ports
    const { events, places } = mergeCopies(came)
    const at = clock.now()
    const leasedAtMs = monotonicMs()
    // Nobody here delivers: whoever looks next may have it at once.
    const leaseMs = deliveries.isStarted ? deliveryLeaseMs : 0
    const lease = { leaseId: createTimeOrderedId(at, random(16)), leaseMs, at }
    const outcomes = await storage.recordEvents(events, lease)
    onBatch(came.length, monotonicMs() - leasedAtMs)
    const leased: LeasedEvent[] = []
    for (const [index, event] of events.entries()) {
      const outcome = outcomes[index]
      if (outcome?.outcome !== 'recorded') continue
      const { contradicts } = outcome
      leased.push({ ...event, contradicts, attemptCount: 0, failures: 0, leaseId: lease.leaseId })
      if (contradicts === null) continue
      const { id, appId, kind } = event
      logger.error({ eventId: id, appId, kind, contradicts }, 'a callback says something else than one before')
    }
    deliveries.handOver(leased, leasedAtMs)
    return places.map(({ index, isFirst }) => {
      const outcome = outcomes[index]
      const eventId = events[index]?.id ?? ''
      if (outcome?.outcome === 'recorded' && isFirst) return { ...outcome, eventId }
      return { outcome: 'repeat', eventId } as const
    })
  }

  async #quarantine(
    { appId, body, length, receivedAt }: ReceivedBody,
    reason: QuarantinedBody['reason'],
    detail: string,
  ): Promise<IntakeOutcome> {
    const { storage, quarantineBudgetBytes } = this.#ports
    const id = this.#createId(receivedAt)
    // An app that there is not has a budget with all the others: their ids cost a stranger nothing.
    const budgetOf = reason === 'unknown-app' ? 'unknown' : appId
    // Looking up what a flood has used costs more than the flood: once it is too much, that is known for a while.
    const usedUpUntil = this.#usedUp.get(budgetOf)
    if (usedUpUntil !== undefined && usedUpUntil > receivedAt.getTime()) {
      return { outcome: 'quarantined', reason, isKept: false }
    }
    const isKept = await storage.quarantine(
      { id, appId: budgetOf, reason, detail, body, length, receivedAt },
      quarantineBudgetBytes,
    )
    if (!isKept) {
      this.#usedUp.set(budgetOf, receivedAt.getTime() + usedUpForMs)
      this.#ports.logger.error({ appId: budgetOf, reason }, 'bodies that are nobody’s event are no longer kept: budget')
    }
    return { outcome: 'quarantined', reason, isKept }
  }

  async #spool(received: ReceivedBody): Promise<IntakeOutcome> {
    try {
      await this.#ports.spool.append(encodeReceived(received))
      this.#isDiskFull = false
      return { outcome: 'spooled' }
    } catch (cause) {
      this.#isDiskFull = true
      this.#ports.logger.error(
        { error: describeError(cause) },
        'neither the store nor the local disk took a callback: it was refused with 503',
      )
      return { outcome: 'refused' }
    }
  }

  #createId(at: Date): string {
    return createTimeOrderedId(at, this.#ports.random(16))
  }
}

/**
 * A copy with another token, or with none, is no copy: a stranger without the token could otherwise have the true callback
 * taken for a repetition of his, and the merchant would refuse his and never see the true one.
 */
function withToken(result: string, token: string | null): string {
  return token === null ? result : `${result} token ${sha256(token).slice(0, 16)}`
}

/** PostgreSQL's classes for data that it cannot hold or that break a rule, and SQLite's words for them. */
function isDataError(error: unknown): boolean {
  const code = error instanceof Error ? String(Reflect.get(error, 'code')) : ''
  return /^2[23]|^SQLITE_(?:CONSTRAINT|MISMATCH|TOOBIG)/.test(code)
}
