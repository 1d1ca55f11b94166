import { formatCursor, type LogCursor, parseCursor } from '../../core/deliver/event-log.ts'
import { type GapReason, resumeStream } from '../../core/stream/resume-stream.ts'
import type { StreamErrorCode } from '../../core/stream/stream-error.ts'
import type { StreamScope } from '../../core/stream/stream-event.ts'
import type { StreamView } from '../../core/stream/stream-storage.ts'
import { EntryFrames } from './event-frame.ts'
import type { EndReason, StreamSink } from './stream-sink.ts'
import type { Follower, StreamTail } from './stream-tail.ts'

/** What is subscribed to, and as whom. */
export type SubscriptionWish = {
  /** The subscriber's number for it. */
  readonly id: number
  /** The stream's name. */
  readonly stream: string
  readonly view: StreamView
  readonly scope: StreamScope
}

/** Where a subscription begins. */
export type StreamStart = 'start' | 'now' | LogCursor

/** What a client says of it; null for what is no place. */
export function readStart(text: string): StreamStart | null {
  return text === 'start' || text === 'now' ? text : parseCursor(text)
}

const pageEntries = 100
/** Over this a replay waits until all of it is taken. */
export const replayPausesAtBytes = 256 * 1024
/** Over this a live subscriber reads too slowly. */
export const liveEndsAtBytes = 1024 * 1024
/** Who acknowledges has at most so many events on the way. */
const mostUnacked = 1_000

/**
 * One subscriber's way through a stream. It has no buffer: while it catches up it reads pages of the store up to where the
 * app's tail has come; once it is there it is live, and the tail hands it each event. Both are decided in one tick, so that
 * nothing is between them and nothing twice.
 */
export class Subscription implements Follower {
  readonly wish: SubscriptionWish
  readonly #tail: StreamTail
  readonly #sink: StreamSink
  #state: 'opening' | 'catching-up' | 'live' | 'ended' = 'opening'
  /** All of the stream up to here has been sent. */
  #position = 0
  /** The last cursor that was sent, and its position. */
  #sent: LogCursor | null = null
  #hasSent = false
  #isReading = false
  /** A page that was asked for before this changed is of another log. */
  #generation = 0
  /** Positions of events that were sent and not acknowledged; null for who never acknowledged anything. */
  #unacked: number[] | null = null

  constructor(tail: StreamTail, sink: StreamSink, wish: SubscriptionWish) {
    this.#tail = tail
    this.#sink = sink
    this.wish = wish
  }

  get isLive(): boolean {
    return this.#state === 'live'
  }

  get isEnded(): boolean {
    return this.#state === 'ended'
  }

  /** After which the next one begins; null before anything was said. */
  get cursor(): string | null {
    const cursor = this.#state === 'live' ? this.#tail.cursor : this.#sent
    return cursor === null ? null : formatCursor(cursor)
  }

  /** Begins. Never rejects: what goes wrong is told. */
  async begin(from: StreamStart): Promise<void> {
    const tail = this.#tail
    try {
      await tail.open()
      if (from !== 'start' && from !== 'now') await tail.reach(from)
      const floor = from === 'now' || tail.position === 0 ? 0 : await tail.findFloor()
      const cursor = typeof from === 'string' ? null : from
      const standing = cursor === null ? null : await tail.findIdAt(cursor.position)
      if (this.isEnded) return
      const resumption = resumeStream(cursor, tail.head, Math.min(floor, tail.position), standing)
      this.#position = from === 'now' ? tail.position : Math.min(resumption.after, tail.position)
      this.#state = 'catching-up'
      tail.add(this)
      if (resumption.gap !== null) this.#tellGap(resumption.gap)
      // Of what was never streamed for its age, if that is all: what was cleared may be of a payment that goes on.
      const isReplay = from === 'start' || resumption.gap === 'aged'
      await this.#sendMore(isReplay && floor > tail.head.floor ? Math.min(floor, tail.position) : null)
    } catch (cause) {
      this.#giveUp(cause)
    }
  }

  /** Goes on with a replay that had to wait. */
  goOn(): void {
    if (this.#state !== 'catching-up' || this.#isReading) return
    this.#sendMore(null).catch((cause: unknown) => this.#giveUp(cause))
  }

  /** The tail has come to an entry of this stream. */
  deliver(entry: EntryFrames): void {
    if (this.#state !== 'live') return
    if (this.#sink.bufferedBytes > liveEndsAtBytes) this.#sink.fail('too_slow')
    // From here on it is in the store.
    else if (this.#mustWaitForAck) this.#state = 'catching-up'
    else this.#send(entry, true)
  }

  /** False for what was not sent here. Everything up to it has been handled. */
  acknowledge(text: string): boolean {
    const cursor = parseCursor(text)
    const sent = this.#sent
    if (cursor === null || sent === null || cursor.position > sent.position) return false
    if (cursor.epoch !== sent.epoch && !this.#tail.hasHadEpoch(cursor.epoch)) return false
    if (cursor.position === sent.position && cursor.eventId !== null && cursor.eventId !== sent.eventId) return false
    const unacked = this.#unacked ?? []
    const first = unacked.findIndex(position => position > cursor.position)
    this.#unacked = first === -1 ? [] : unacked.slice(first)
    this.goOn()
    return true
  }

  /** Who may no longer acknowledge is no longer held back. */
  forgetAcks(): void {
    this.#unacked = null
    this.goOn()
  }

  /** The log is another one than was read: begins again where that begins. */
  restart(floor: number): void {
    if (this.isEnded || this.#state === 'opening') return
    this.#generation++
    this.#position = floor
    this.#state = 'catching-up'
    // What is on its way is of a log that is gone: nobody is held back for it.
    this.#unacked = null
    this.#tellGap('restored')
    this.goOn()
  }

  /** What there was up to here is streamed no more. */
  clear(floor: number): void {
    if (this.isEnded || this.#state === 'opening') return
    this.#position = Math.max(this.#position, floor)
    this.#tellGap('cleared')
  }

  /** Nothing more comes. */
  end(reason: EndReason): void {
    if (this.isEnded) return
    this.close()
    this.#sink.tell(this.wish.id, { type: 'ended', reason })
  }

  /** Nothing more comes until the subscriber comes again. */
  fail(code: StreamErrorCode): void {
    if (this.isEnded) return
    this.close()
    this.#sink.tell(this.wish.id, { type: 'error', code })
  }

  /** Nobody wants more of it. */
  close(): void {
    this.#state = 'ended'
    this.#tail.remove(this)
  }

  get #mustWaitForAck(): boolean {
    return this.#unacked !== null && this.#unacked.length >= mostUnacked
  }

  get #mustWait(): boolean {
    return this.#mustWaitForAck || this.#sink.bufferedBytes > replayPausesAtBytes
  }

  /** `agedUntil`: what stands up to there is too old to be streamed, which tells a payment that is over from one that has not begun. */
  async #sendMore(agedUntil: number | null): Promise<void> {
    if (this.#isReading) return
    this.#isReading = true
    try {
      while (this.#state === 'catching-up' && !this.#mustWait) {
        if (this.#position >= this.#tail.position) {
          if (agedUntil !== null && !this.#hasSent && (await this.#isOver(agedUntil))) return this.end('over')
          // Asking may have taken a while.
          if (this.#state === 'catching-up' && this.#position >= this.#tail.position) this.#goLive()
        } else await this.#readPage()
      }
    } finally {
      this.#isReading = false
    }
  }

  async #readPage(): Promise<void> {
    const generation = this.#generation
    const until = this.#tail.position
    const slice = { view: this.wish.view, after: this.#position, until, limit: pageEntries }
    const entries = await this.#tail.readPage(slice, () => this.isEnded)
    if (this.isEnded || generation !== this.#generation) return
    for (const entry of entries) {
      if (this.isEnded || this.#mustWait) return
      // A log that was cleared meanwhile.
      if (entry.position <= this.#position) continue
      this.#send(new EntryFrames(entry, this.#tail.epoch, this.#tail.aliasKey, this.#tail.head.floor), false)
    }
    if (entries.length < pageEntries) this.#position = Math.max(this.#position, until)
  }

  /** Whether all that there was of a payment is too old to be streamed. */
  async #isOver(agedUntil: number): Promise<boolean> {
    if (this.wish.view.kind === 'source') return false
    const slice = { view: this.wish.view, after: 0, until: agedUntil, limit: 1 }
    return (await this.#tail.readPage(slice, () => this.isEnded)).length > 0
  }

  #goLive(): void {
    this.#state = 'live'
    this.#sent = this.#tail.cursor
    this.#sink.tell(this.wish.id, { type: 'live', cursor: formatCursor(this.#sent) })
  }

  #send(entry: EntryFrames, isLive: boolean): void {
    this.#position = entry.position
    const { id, scope, view } = this.wish
    for (const frame of entry.of(scope, view.kind !== 'source')) {
      this.#sink.send(id, frame, isLive)
      this.#sent = frame.place
      this.#unacked?.push(entry.position)
      this.#hasSent = true
      this.#tail.sent()
    }
  }

  #tellGap(reason: GapReason): void {
    this.#tail.gapped(reason)
    this.#sink.tell(this.wish.id, { type: 'gap', reason })
  }

  #giveUp(cause: unknown): void {
    if (this.isEnded) return
    this.#tail.failed(cause)
    this.#sink.fail('unavailable')
  }
}
