import type { RaiseAlert } from '../core/deliver/alerts.ts'
import { appMark } from '../core/deliver/app-mark.ts'
import type { NewRelayEvent, QuarantinedBody } from '../core/deliver/relay-event.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { describeError } from '../core/errors.ts'
import { readText } from '../core/explain/read-answer.ts'
import type { Clock, Logger, Random } from '../core/ports.ts'
import { type ClassifiedCallback, classifyCallback } from '../core/receive/classify-callback.ts'
import { sha256 } from '../core/sha256.ts'
import { createSignal, type Signal } from '../core/signal.ts'
import { createTimeOrderedId } from '../core/time-ordered-id.ts'
import type { Spool } from '../spool/spool.ts'
import { Batcher } from '../workers/batcher.ts'
import { withinDeadline } from '../workers/within-deadline.ts'
import type { AppBook } from './app-book.ts'
import { storeDeadlineMs } from './bounded-storage.ts'
import { isDataError } from './data-error.ts'
import type { QuarantineBudget } from './quarantine-budget.ts'
import { decodeReceived, encodeReceived, maxBodyBytes, type ReceivedBody } from './received-body.ts'
import type { Recorder, Recording } from './recorder.ts'
import type { SpoolBudget } from './spool-budget.ts'

export type RecordedBody = Exclude<Recording, { readonly outcome: 'unstorable' }>

/** What became of a body. Every one but `refused` is safe on a disk, or over its budget and counted. */
export type IntakeOutcome =
  | RecordedBody
  | { readonly outcome: 'quarantined'; readonly reason: QuarantinedBody['reason']; readonly isKept: boolean }
  | { readonly outcome: 'spooled' }
  /** Neither the store nor the disk took it. */
  | { readonly outcome: 'refused' }

export type IntakePorts = {
  readonly storage: RelayStorage
  readonly spool: Spool
  readonly spoolBudget: SpoolBudget
  readonly quarantineBudget: QuarantineBudget
  readonly apps: AppBook
  readonly recorder: Recorder
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly raise: RaiseAlert
}

/** Why a body is nobody's event. */
export type NoEvent = { readonly reason: QuarantinedBody['reason']; readonly detail: string }

const mebibyte = 1024 * 1024
/** So little of the spool, and callbacks wait for it to be in the store instead of going behind it: else it never ends. */
const lastStretchBytes = mebibyte / 4
/** How long a callback waits at most for a slice of the spool to be in the store before it goes behind it. */
const longestWaitMs = 1_000

/** Takes what comes in at the hooks, and keeps it: in the store, or on the local disk while the store cannot. */
export class Intake {
  readonly #ports: IntakePorts
  readonly #events: Batcher<NewRelayEvent, Recording>
  readonly #quarantined: Batcher<QuarantinedBody, undefined>
  #draining: Promise<void> | null = null
  /** While the little that is left in the spool is brought to the store. */
  #lastStretch: Signal | null = null
  /** While the spool is drained well, slice after slice. */
  #nextSlice: Signal | null = null
  #isDiskFull = false
  #isHalted = false

  constructor(ports: IntakePorts) {
    this.#ports = ports
    this.#events = new Batcher({
      maxBatch: 256,
      maxQueued: 10_000,
      weight: { of: ({ body }) => body.length, maxBatchBytes: 4 * mebibyte, maxQueuedBytes: 64 * mebibyte },
      failsTogether: true,
      // One at a time: two on their way at once were half as large each, and a fifth slower together.
      write: events => withinDeadline(storeDeadlineMs, ports.recorder.record(events)),
    })
    this.#quarantined = new Batcher({
      maxBatch: 64,
      maxQueued: 10_000,
      weight: { of: ({ body }) => body.length, maxBatchBytes: mebibyte, maxQueuedBytes: 64 * mebibyte },
      failsTogether: true,
      write: async bodies => {
        await ports.storage.quarantine(bodies)
        return bodies.map(() => undefined)
      },
    })
  }

  get queued(): number {
    return this.#events.queued
  }

  /** Whether the disk refuses what has to go there. */
  async isDiskFull(): Promise<boolean> {
    if (this.#isDiskFull) this.#isDiskFull = !(await this.#ports.spool.canWrite())
    return this.#isDiskFull
  }

  /** Resolves once it is kept: then it may be acknowledged. Never rejects. */
  async receive(received: ReceivedBody): Promise<IntakeOutcome> {
    const { spool, logger } = this.#ports
    await this.#waitForDrain()
    // Behind what waits there already: one relay keeps the order of what it takes.
    if (!spool.isEmpty) return this.#spoolOrKeep(received)
    try {
      return await this.#keep(received)
    } catch (cause) {
      logger.warn({ error: describeError(cause) }, 'the store did not take a callback; it goes to the local disk')
      return this.#spool(received)
    }
  }

  /** Brings what waits on the disk to the store. Rejects when the store fails: then it goes on waiting. */
  drain(): Promise<void> {
    this.#draining ??= this.#drainAll().finally(() => {
      this.#draining = null
    })
    return this.#draining
  }

  /** Resolves when nothing is on its way to the store. */
  async idle(): Promise<void> {
    await this.#events.idle()
    await this.#quarantined.idle()
  }

  async #drainAll(): Promise<void> {
    const { spool, spoolBudget } = this.#ports
    try {
      while (!spool.isEmpty) {
        if (spool.bytes < lastStretchBytes) this.#lastStretch ??= createSignal()
        await spool.drain(records => this.#drainSlice(records))
      }
      spoolBudget.reset()
    } finally {
      for (const signal of [this.#lastStretch, this.#nextSlice]) signal?.happen()
      this.#lastStretch = null
      this.#nextSlice = null
    }
  }

  async #drainSlice(records: readonly Uint8Array[]): Promise<void> {
    const slice = this.#nextSlice
    try {
      if (this.#isHalted) throw new Error('the relay is stopping')
      await Promise.all(records.map(record => this.#keepOrPutAside(record)))
      this.#nextSlice = createSignal()
    } finally {
      slice?.happen()
    }
  }

  /** What the disk refuses the store may take: to be out of order is better than to be lost. */
  async #spoolOrKeep(received: ReceivedBody): Promise<IntakeOutcome> {
    const spooled = await this.#spool(received)
    if (spooled.outcome !== 'refused') return spooled
    return this.#keep(received).catch(() => spooled)
  }

  /** Else the disk, which takes callbacks faster than the store, would never be empty while they do not cease to come. */
  async #waitForDrain(): Promise<void> {
    const signal = this.#lastStretch ?? this.#nextSlice
    if (signal !== null) await withinDeadline(longestWaitMs, signal.happened).catch(() => undefined)
  }

  /** Drains no further, and resolves when what was begun of it is done. */
  async halt(): Promise<void> {
    this.#isHalted = true
    await this.#draining?.catch(() => undefined)
    this.#isHalted = false
  }

  /** A record that nobody can read, or that the store refuses for what is in it, would hold up all that wait behind it. */
  async #keepOrPutAside(record: Uint8Array): Promise<void> {
    const received = decodeReceived(record)
    if (received === null) return this.#ports.spool.putAside(record)
    try {
      // It was acknowledged when it came: what the quarantine has no room for stays on the disk.
      if ((await this.#keep(received)).outcome === 'refused') await this.#ports.spool.putAside(record)
    } catch (cause) {
      if (!isDataError(cause)) throw cause
      await this.#ports.spool.putAside(record)
    }
  }

  async #keep(received: ReceivedBody): Promise<IntakeOutcome> {
    const kept = await this.record(received, this.#createId(received.receivedAt))
    if (!('reason' in kept)) return kept
    const aside = await this.#quarantine(received, kept)
    if (kept.reason === 'unknown-source') {
      this.#ports.raise('source.held', appMark(received.appId), { source: received.unknownSource ?? 'unknown' })
    }
    // It may be a true callback from an address that nobody has listed: what cannot be kept of it is not acknowledged.
    return kept.reason === 'unknown-source' && !aside.isKept ? { outcome: 'refused' } : aside
  }

  /** Records a body as the event of this id, or tells why it is none. Rejects when the store fails. */
  async record(received: ReceivedBody, id: string): Promise<RecordedBody | NoEvent> {
    const { appId, token, body, receivedAt, unknownSource, traceParent } = received
    const app = await this.#ports.apps.find(appId)
    if (app === null) return { reason: 'unknown-app', detail: `no app ${readText(appId)}` }
    if (app.receives === 'alerts') {
      return { reason: 'unknown-app', detail: 'its app receives alerts, and no callbacks' }
    }
    const read = readBody(received)
    if ('reason' in read) return read
    if (unknownSource !== null) return { reason: 'unknown-source', detail: `from ${unknownSource}` }
    const stored = await this.#events.push({
      ...read,
      result: withToken(read.result, token),
      id,
      appId,
      body,
      callbackToken: token,
      receivedAt,
      copies: 1,
      isHeld: app.isDisabled,
      contradicts: null,
      traceParent,
    })
    return stored.outcome === 'unstorable' ? { reason: 'unrecognised', detail: 'the store refused its data' } : stored
  }

  async #quarantine({ appId, token, body, length, receivedAt }: ReceivedBody, { reason, detail }: NoEvent) {
    const { quarantineBudget, logger } = this.#ports
    // An app that there is not has a budget with all the others: their ids cost a stranger nothing.
    const budget = reason === 'unknown-app' ? 'unknown' : appId
    const isKept = await quarantineBudget.take(budget, body.length)
    if (isKept) {
      const id = this.#createId(receivedAt)
      const about = { id, appId, budget, reason, detail, length, callbackToken: token, receivedAt }
      await this.#quarantined.push({ ...about, body })
    } else {
      logger.warn(
        { app: appMark(budget), reason },
        'a body that is nobody’s event was not kept: over the budget of its app',
      )
    }
    return { outcome: 'quarantined', reason, isKept } as const
  }

  async #spool(received: ReceivedBody): Promise<IntakeOutcome> {
    const { spool, spoolBudget, apps, logger } = this.#ports
    const read = readBody(received)
    const isJunk = 'reason' in read
    const record = encodeReceived(received)
    // A stranger who knows the way to an app's hook has no more of the disk than others.
    const isSeen = received.unknownSource === null && apps.hasSeen(received.appId)
    const admission = spoolBudget.admit(record.length, { junk: isJunk, ofSeenApp: isSeen })
    if (admission === 'drop' && isJunk) return { outcome: 'quarantined', reason: read.reason, isKept: false }
    try {
      if (admission === 'refuse') throw new Error('the disk holds as much of unknown apps as it may')
      await spool.append(record)
      return { outcome: 'spooled' }
    } catch (cause) {
      this.#isDiskFull ||= admission === 'take'
      logger.error(
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

/** What a body says, without a store: an event, or why it is nobody's. Never throws: what did would stay in the spool for ever. */
function readBody({ body, length }: ReceivedBody): ClassifiedCallback | NoEvent {
  if (length > maxBodyBytes) return { reason: 'oversize', detail: `${length} bytes` }
  try {
    const classified = classifyCallback(body)
    return classified.kind === 'unrecognised' ? { reason: 'unrecognised', detail: classified.reason } : classified
  } catch {
    return { reason: 'unrecognised', detail: 'it cannot be read' }
  }
}

/**
 * A copy with another token, or with none, is no copy: a stranger without the token could otherwise have the true callback
 * taken for a repetition of his, and the merchant would refuse his and never see the true one.
 */
function withToken(result: string, token: string | null): string {
  return token === null ? result : `${result} token ${sha256(token).slice(0, 16)}`
}
