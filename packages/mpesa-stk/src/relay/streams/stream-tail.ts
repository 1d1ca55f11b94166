import { formatCursor, type LogCursor, logBeginning } from '../../core/deliver/event-log.ts'
import { describeError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import { paymentAlias } from '../../core/stream/payment-alias.ts'
import { type GapReason, streamEpoch } from '../../core/stream/resume-stream.ts'
import { aliasPrefix } from '../../core/stream/stream-name.ts'
import type { StreamEntry, StreamHead, StreamSlice, StreamStorage } from '../../core/stream/stream-storage.ts'
import { EntryFrames } from './event-frame.ts'
import type { Subscription } from './subscription.ts'
import type { Turns } from './turns.ts'

export type StreamCounters = {
  readonly sent: () => void
  readonly gapped: (reason: GapReason) => void
  /** A page was read for who catches up. */
  readonly caughtUp: () => void
}

export type TailPorts = {
  readonly storage: StreamStorage
  readonly logger: Logger
  /** The time by which history ages. */
  readonly now: () => Date
  readonly historyMs: number
  /** For those who catch up: the store is for callbacks first. */
  readonly turns: Turns
  readonly counters: StreamCounters
}

const pageEntries = 200
const emptyHead: StreamHead = { ...logBeginning, eventsToday: 0, floor: 0, clears: 0 }
const aliasStream = `payment:${aliasPrefix}`

/**
 * Reads the end of an app's log, once for all who subscribe to it in this process. Everything up to its position has been
 * handed to those who are live; all who catch up read as far as that.
 */
export class StreamTail {
  readonly appId: string
  readonly aliasKey: string
  readonly #ports: TailPorts
  /** By the name of their stream. */
  readonly #subscriptions = new Map<string, Set<Subscription>>()
  #aliases = 0
  #head = emptyHead
  #hasBegun = false
  /** The event at the tail's position; null where none stands there. */
  #lastId: string | null = null
  #opening: Promise<void> | null = null
  #reading: Promise<void> | null = null
  #mustReadAgain = false
  #floor: Promise<number> | null = null

  constructor(appId: string, aliasKey: string, ports: TailPorts) {
    this.appId = appId
    this.aliasKey = aliasKey
    this.#ports = ports
  }

  /** How the log stands as far as the tail has come. */
  get head(): StreamHead {
    return this.#head
  }

  get position(): number {
    return this.#head.position
  }

  get epoch(): string {
    return streamEpoch(this.#head)
  }

  /** After all that has been handed out. */
  get cursor(): string {
    return formatCursor({ epoch: this.epoch, position: this.position, eventId: this.#lastId })
  }

  get isIdle(): boolean {
    return this.#subscriptions.size === 0
  }

  /** Finds the end of the log. Rejects when the store fails. */
  open(): Promise<void> {
    this.#opening ??= this.#begin().catch((cause: unknown) => {
      this.#opening = null
      throw cause
    })
    return this.#opening
  }

  add(subscription: Subscription): void {
    const { stream } = subscription.wish
    const those = this.#subscriptions.get(stream) ?? new Set()
    if (those.size === 0) {
      this.#subscriptions.set(stream, those)
      if (stream.startsWith(aliasStream)) this.#aliases++
    }
    those.add(subscription)
  }

  remove(subscription: Subscription): void {
    const { stream } = subscription.wish
    const those = this.#subscriptions.get(stream)
    if (those?.delete(subscription) !== true || those.size > 0) return
    this.#subscriptions.delete(stream)
    if (stream.startsWith(aliasStream)) this.#aliases--
  }

  all(): readonly Subscription[] {
    return [...this.#subscriptions.values()].flatMap(those => [...those])
  }

  /** The log has grown, or may have. Never rejects: the next look tries again. */
  async wake(): Promise<void> {
    if (this.#opening === null) return
    try {
      await this.#readOn()
    } catch (cause) {
      this.failed(cause)
    }
  }

  /** Reads on where a cursor is further than we are, as another relay may have been. Rejects when the store fails. */
  async reach({ epoch, position }: LogCursor): Promise<void> {
    if (epoch === this.epoch && position <= this.position) return
    const before = this.position
    const heads = await this.#ports.storage.listStreamHeads([this.appId], this.#ports.now())
    await this.look(heads.get(this.appId) ?? null, before)
    await this.#readOn()
  }

  /**
   * The log stands so.
   *
   * @param before where the tail was when that was asked: a log that is shorter than this was restored
   */
  async look(head: StreamHead | null, before: number): Promise<void> {
    if (head === null) {
      if (this.#hasBegun) await this.#restart()
      return
    }
    if (!this.#hasBegun) this.#start({ ...head, position: 0 })
    if (head.epoch !== this.#head.epoch || head.position < before) return this.#restart()
    if (head.clears > this.#head.clears) this.#clear(head)
    if (head.position > this.position) await this.wake()
  }

  /** The position of the last entry that is too old. Those who ask at once are told together. */
  findFloor(): Promise<number> {
    if (this.#floor === null) {
      const { storage, now, historyMs } = this.#ports
      this.#floor = storage.findStreamFloor(this.appId, new Date(now().getTime() - historyMs)).finally(() => {
        this.#floor = null
      })
    }
    return this.#floor
  }

  /** Which event stands at a position; null where none does. */
  async findIdAt(position: number): Promise<string | null> {
    if (position === this.position || position === 0) return position === 0 ? null : this.#lastId
    return this.#ports.turns.take(() => this.#readIdAt(position))
  }

  /** A page for who catches up; empty where nobody waits for it any more. */
  readPage(slice: StreamSlice, isUnwanted: () => boolean): Promise<readonly StreamEntry[]> {
    const { turns, storage, counters } = this.#ports
    return turns.take(async () => {
      if (isUnwanted()) return []
      counters.caughtUp()
      return storage.readStream(this.appId, slice)
    })
  }

  /** Whether a cursor with this epoch is of this log, be it of before it was cleared. */
  hasHadEpoch(epoch: string): boolean {
    const { clears } = this.#head
    return epoch === this.#head.epoch || Array.from({ length: clears }, (_, index) => index + 1).some(
      count => epoch === streamEpoch({ epoch: this.#head.epoch, clears: count }),
    )
  }

  sent(): void {
    this.#ports.counters.sent()
  }

  gapped(reason: GapReason): void {
    this.#ports.counters.gapped(reason)
  }

  failed(cause: unknown): void {
    this.#ports.logger.warn({ error: describeError(cause) }, 'a stream waits: the store fails')
  }

  async #begin(): Promise<void> {
    const heads = await this.#ports.storage.listStreamHeads([this.appId], this.#ports.now())
    const head = heads.get(this.appId)
    if (head === undefined) return
    this.#lastId = await this.#readIdAt(head.position)
    this.#start(head)
  }

  #start(head: StreamHead): void {
    this.#head = head
    this.#hasBegun = true
  }

  async #readIdAt(position: number): Promise<string | null> {
    if (position === 0) return null
    const slice = { view: { kind: 'source' }, after: position - 1, until: position, limit: 1 } as const
    const [entry] = await this.#ports.storage.readStream(this.appId, slice)
    return entry?.event.id ?? null
  }

  /** What comes while we read is read as well. */
  #readOn(): Promise<void> {
    this.#mustReadAgain = true
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = null
    })
    return this.#reading
  }

  async #readAll(): Promise<void> {
    while (this.#mustReadAgain) {
      this.#mustReadAgain = false
      if (!this.#hasBegun) await this.#findBeginning()
      while (this.#hasBegun && (await this.#readPage()));
    }
  }

  /** A log that had not begun when we looked first: all of it is new. */
  async #findBeginning(): Promise<void> {
    const heads = await this.#ports.storage.listStreamHeads([this.appId], this.#ports.now())
    const head = heads.get(this.appId)
    if (head !== undefined && !this.#hasBegun) this.#start({ ...head, position: 0 })
  }

  /** Whether there may be more. */
  async #readPage(): Promise<boolean> {
    const { position } = this
    const head = this.#head
    // From the last one on: where another stands in its place, the log is another.
    const slice = { view: { kind: 'source' } as const, after: Math.max(0, position - 1), until: Number.MAX_SAFE_INTEGER }
    const entries = await this.#ports.storage.readStream(this.appId, { ...slice, limit: pageEntries + 1 })
    // Somebody found meanwhile that it is another, or that it was cleared.
    if (this.#head.epoch !== head.epoch || this.position !== position) return true
    const [first] = entries
    if (first?.position === position && this.#lastId !== null && first.event.id !== this.#lastId) {
      await this.#restart()
      return true
    }
    for (const entry of entries) if (entry.position > this.position) this.#dispatch(entry)
    return entries.length > pageEntries
  }

  #dispatch(entry: StreamEntry): void {
    const frames = new EntryFrames(entry, this.epoch, this.aliasKey)
    for (const stream of this.#streamsOf(entry)) {
      for (const subscription of this.#subscriptions.get(stream) ?? []) subscription.deliver(frames)
    }
    this.#lastId = entry.event.id
    this.#head = { ...this.#head, position: entry.position }
  }

  #streamsOf({ paymentId, event }: StreamEntry): readonly string[] {
    const push = event.kind === 'stk' ? event.businessKey : event.checkoutRequestId
    return [
      'source',
      ...(paymentId === null ? [] : [`payment:${paymentId}`]),
      ...(push === null || this.#aliases === 0 ? [] : [`payment:${paymentAlias(this.aliasKey, push)}`]),
    ]
  }

  /** The log is another one than was read. */
  async #restart(): Promise<void> {
    const { storage, now } = this.#ports
    const head = (await storage.listStreamHeads([this.appId], now())).get(this.appId) ?? null
    this.#lastId = head === null ? null : await this.#readIdAt(head.position)
    this.#head = head ?? emptyHead
    this.#hasBegun = head !== null
    const floor = head === null ? 0 : Math.max(head.floor, await this.findFloor())
    for (const subscription of this.all()) subscription.restart(Math.min(floor, this.position))
  }

  #clear(head: StreamHead): void {
    const position = Math.max(this.position, head.floor)
    if (position !== this.position) this.#lastId = null
    this.#head = { ...head, position }
    for (const subscription of this.all()) subscription.clear(head.floor)
  }
}
