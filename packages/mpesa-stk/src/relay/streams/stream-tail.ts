import { type LogCursor, logBeginning } from '../../core/deliver/event-log.ts'
import { describeError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import { paymentAlias } from '../../core/stream/payment-alias.ts'
import { type GapReason, streamEpoch } from '../../core/stream/resume-stream.ts'
import { aliasPrefix } from '../../core/stream/stream-name.ts'
import type { StreamEntry, StreamHead, StreamSlice, StreamStorage } from '../../core/stream/stream-storage.ts'
import type { StreamObserver } from '../observer.ts'
import { EntryFrames } from './event-frame.ts'
import type { Turns } from './turns.ts'

export type TailPorts = {
  readonly storage: StreamStorage
  readonly logger: Logger
  /** The time by which history ages. */
  readonly now: () => Date
  readonly historyMs: number
  /** For those who catch up: the store is for callbacks first. */
  readonly turns: Turns
  readonly observer: StreamObserver
}

/** One who is told what the tail comes to. */
export interface Follower {
  readonly wish: { readonly stream: string }
  deliver(entry: EntryFrames): void
  /** The log is another one than was read: what is in it now begins behind `floor`. */
  restart(floor: number): void
  /** What there was up to here is streamed no more. */
  clear(floor: number): void
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
  readonly #followers = new Map<string, Set<Follower>>()
  #aliases = 0
  #head = emptyHead
  #hasBegun = false
  /** What was read last: where another stands in its place, the log is another. Null where nothing was read. */
  #last: { readonly position: number; readonly eventId: string } | null = null
  #isOpen = false
  #opening: Promise<void> | null = null
  #reading: Promise<void> | null = null
  #mustReadAgain = false
  #restarting: Promise<void> | null = null
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
  get cursor(): LogCursor {
    const eventId = this.#last?.position === this.position ? this.#last.eventId : null
    return { epoch: this.epoch, position: this.position, eventId }
  }

  get isIdle(): boolean {
    return this.#followers.size === 0
  }

  /** Finds the end of the log. Rejects when the store fails. */
  open(): Promise<void> {
    this.#opening ??= this.#begin().catch((cause: unknown) => {
      this.#opening = null
      throw cause
    })
    return this.#opening
  }

  add(follower: Follower): void {
    const { stream } = follower.wish
    const those = this.#followers.get(stream) ?? new Set()
    if (those.size === 0) {
      this.#followers.set(stream, those)
      if (stream.startsWith(aliasStream)) this.#aliases++
    }
    those.add(follower)
  }

  remove(follower: Follower): void {
    const { stream } = follower.wish
    const those = this.#followers.get(stream)
    if (those?.delete(follower) !== true || those.size > 0) return
    this.#followers.delete(stream)
    if (stream.startsWith(aliasStream)) this.#aliases--
  }

  all(): readonly Follower[] {
    return [...this.#followers.values()].flatMap(those => [...those])
  }

  /** The log has grown, or may have. Never rejects: the next look tries again. */
  async wake(): Promise<void> {
    if (!this.#isOpen) return
    try {
      await this.#readOn()
    } catch (cause) {
      this.failed(cause)
    }
  }

  /** Reads on where a cursor is further than we are, as another relay may have been. Rejects when the store fails. */
  async reach({ epoch, position }: LogCursor): Promise<void> {
    if (epoch === this.epoch && position <= this.position) return
    await this.refresh()
    await this.#readOn()
  }

  /** Looks how the log stands. Rejects when the store fails. */
  async refresh(): Promise<void> {
    const before = this.position
    await this.look(await this.#findHead(), before)
  }

  /**
   * The log stands so.
   *
   * Rejects when the store fails.
   *
   * @param before where the tail was when that was asked: a log that is shorter than this was restored
   */
  async look(head: StreamHead | null, before: number): Promise<void> {
    if (!this.#isOpen) return
    if (head === null) return this.#hasBegun ? this.#restart() : undefined
    if (!this.#hasBegun) this.#start({ ...head, position: 0 })
    if (head.epoch !== this.#head.epoch || head.position < before) return this.#restart()
    if (head.clears > this.#head.clears) this.#clear(head)
    if (head.position <= this.position) return
    await this.#readOn()
    // What no stream has, stands in the log as well.
    if (head.epoch === this.#head.epoch && head.position > this.position)
      this.#head = { ...this.#head, position: head.position }
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
    if (position === 0) return null
    if (position === this.#last?.position) return this.#last.eventId
    return this.#ports.turns.take(() => this.#readIdAt(position))
  }

  /** A page for who catches up; empty where nobody waits for it any more. */
  readPage(slice: StreamSlice, isUnwanted: () => boolean): Promise<readonly StreamEntry[]> {
    const { turns, storage, observer } = this.#ports
    return turns.take(async () => {
      if (isUnwanted()) return []
      observer.caughtUp()
      return storage.readStream(this.appId, slice)
    })
  }

  /** Whether a cursor with this epoch is of this log, be it of before it was cleared. */
  hasHadEpoch(epoch: string): boolean {
    const { clears } = this.#head
    return (
      epoch === this.#head.epoch ||
      Array.from({ length: clears }, (_, index) => index + 1).some(
        count => epoch === streamEpoch({ epoch: this.#head.epoch, clears: count }),
      )
    )
  }

  sent(): void {
    this.#ports.observer.sent()
  }

  gapped(reason: GapReason): void {
    this.#ports.observer.gapped(reason)
  }

  failed(cause: unknown): void {
    this.#ports.logger.warn({ error: describeError(cause) }, 'a stream waits: the store fails')
  }

  async #begin(): Promise<void> {
    const head = await this.#findHead()
    if (head !== null) {
      this.#last = await this.#readLast(head.position)
      this.#start(head)
    }
    this.#isOpen = true
    // What came meanwhile woke nobody.
    void this.wake()
  }

  #start(head: StreamHead): void {
    this.#head = head
    this.#hasBegun = true
  }

  async #findHead(): Promise<StreamHead | null> {
    const { storage, now } = this.#ports
    return (await storage.listStreamHeads([this.appId], now())).get(this.appId) ?? null
  }

  async #readLast(position: number): Promise<{ readonly position: number; readonly eventId: string } | null> {
    const eventId = position === 0 ? null : await this.#readIdAt(position)
    return eventId === null ? null : { position, eventId }
  }

  async #readIdAt(position: number): Promise<string | null> {
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
    const head = await this.#findHead()
    if (head !== null && !this.#hasBegun) this.#start({ ...head, position: 0 })
  }

  /** Whether there may be more. */
  async #readPage(): Promise<boolean> {
    const { position } = this
    const last = this.#last
    // From the last one on, to see whether it is still there.
    const slice = { view: { kind: 'source' } as const, after: last === null ? position : last.position - 1 }
    const limit = pageEntries + 1
    const until = Number.MAX_SAFE_INTEGER
    const entries = await this.#ports.storage.readStream(this.appId, { ...slice, until, limit })
    await this.#restarting
    // It was found meanwhile that the log is another, or that it was cleared.
    if (this.position !== position || this.#last !== last) return true
    const standing = entries.find(entry => entry.position === last?.position)
    if (standing !== undefined && standing.event.id !== last?.eventId) {
      await this.#restart()
      return true
    }
    for (const entry of entries) if (entry.position > this.position) this.#dispatch(entry)
    return entries.length === limit
  }

  #dispatch(entry: StreamEntry): void {
    const frames = new EntryFrames(entry, this.epoch, this.aliasKey, this.#head.floor)
    for (const stream of this.#streamsOf(entry)) {
      for (const follower of this.#followers.get(stream) ?? []) follower.deliver(frames)
    }
    this.#last = { position: entry.position, eventId: entry.event.id }
    this.#head = { ...this.#head, position: entry.position }
  }

  #streamsOf({ paymentId, event }: StreamEntry): readonly string[] {
    const push = event.kind === 'lifecycle' ? null : event.businessKey
    return [
      'source',
      ...(paymentId === null ? [] : [`payment:${paymentId}`]),
      ...(push === null || this.#aliases === 0 ? [] : [`payment:${paymentAlias(this.aliasKey, push)}`]),
    ]
  }

  /** The log is another one than was read. */
  #restart(): Promise<void> {
    this.#restarting ??= this.#beginAnew().finally(() => {
      this.#restarting = null
    })
    return this.#restarting
  }

  async #beginAnew(): Promise<void> {
    const head = await this.#findHead()
    const last = head === null ? null : await this.#readLast(head.position)
    const floor = head === null ? 0 : Math.max(head.floor, await this.findFloor())
    this.#last = last
    this.#head = head ?? emptyHead
    this.#hasBegun = head !== null
    for (const follower of this.all()) follower.restart(Math.min(floor, this.position))
  }

  #clear(head: StreamHead): void {
    // It is no more where reading goes on: from there it would never get on.
    if (head.floor > this.position) this.#last = null
    this.#head = { ...head, position: Math.max(this.position, head.floor) }
    for (const follower of this.all()) follower.clear(head.floor)
  }
}
