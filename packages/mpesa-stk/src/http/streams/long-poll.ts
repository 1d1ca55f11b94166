import type { StreamErrorCode } from '../../core/stream/stream-error.ts'
import type { EventFrame } from '../../relay/streams/event-frame.ts'
import type { Admission, StreamVisit } from '../../relay/streams/stream-door.ts'
import type { StreamConnection, StreamHub } from '../../relay/streams/stream-hub.ts'
import { Seat } from '../../relay/streams/stream-places.ts'
import type { StreamNotice } from '../../relay/streams/stream-sink.ts'
import { replayPausesAtBytes, type Subscription } from '../../relay/streams/subscription.ts'
import { writeNotice } from './notice-text.ts'

const mostFrames = 200
const mostBytes = 256 * 1024
/** So much longer than it would wait for events it waits for the store: nothing was read yet, so nothing can be said. */
const openingMs = 5_000

export type PollAnswer =
  /** The frames, as JSON. */
  | { readonly outcome: 'frames'; readonly frames: readonly string[]; readonly cursor: string }
  | { readonly outcome: 'over' }
  | { readonly outcome: 'failed'; readonly code: StreamErrorCode }

/** A poll: one subscription, until there is something to answer. */
export class LongPoll implements StreamConnection {
  readonly transport = 'poll'
  readonly visit: StreamVisit
  readonly seat: Seat
  readonly answer: Promise<PollAnswer>
  admission: Admission | null = null
  subscription: Subscription | null = null
  readonly #hub: StreamHub
  readonly #endsAtMs: number
  #finish: (answer: PollAnswer) => void = () => {}
  readonly #frames: string[] = []
  #bytes = 0
  #hasEvents = false
  #cursor: string | null = null
  #failure: StreamErrorCode | null = null
  #isOver = false
  #isDone = false

  constructor(hub: StreamHub, visit: StreamVisit, endsAtMs: number) {
    this.#hub = hub
    this.visit = visit
    this.seat = new Seat(hub.places)
    this.#endsAtMs = endsAtMs
    this.answer = new Promise(resolve => {
      this.#finish = resolve
    })
  }

  get subscriptions(): Iterable<Subscription> {
    return this.subscription === null ? [] : [this.subscription]
  }

  /** What is too much for one answer waits for the next. */
  get bufferedBytes(): number {
    return this.#isFull ? replayPausesAtBytes + 1 : 0
  }

  #read(): PollAnswer {
    if (this.#isOver && !this.#hasEvents) return { outcome: 'over' }
    if (this.#failure !== null && !this.#hasEvents) return { outcome: 'failed', code: this.#failure }
    // No frames say that all was sent: not true of what nothing was read of.
    if (this.#cursor === null) return { outcome: 'failed', code: 'unavailable' }
    return { outcome: 'frames', frames: this.#frames, cursor: this.#cursor }
  }

  send(_id: number, frame: EventFrame, isLive: boolean): void {
    if (this.#isDone) return
    this.#hasEvents = true
    this.#cursor = frame.cursor
    this.#add(frame.text)
    // With what comes in the same moment.
    if (isLive) setImmediate(() => this.finish())
    else if (this.#isFull) this.finish()
  }

  tell(_id: number, notice: StreamNotice): void {
    if (this.#isDone) return
    if (notice.type === 'error') this.#failure = notice.code
    if (notice.type === 'ended') this.#isOver = true
    if (notice.type === 'live') this.#cursor = notice.cursor
    this.#add(writeNotice(notice))
    // A gap, and what is behind it: nobody should wait to hear of it.
    if (notice.type !== 'gap' && (notice.type !== 'live' || this.#frames.length > 1)) this.finish()
  }

  fail(code: StreamErrorCode): void {
    if (this.#isDone) return
    this.#hub.ended(code)
    this.#failure = code
    this.finish()
  }

  tick(nowMs: number): void {
    if (nowMs < this.#endsAtMs) return
    if (this.#hasEvents || this.subscription?.isLive) this.finish()
    else if (nowMs >= this.#endsAtMs + openingMs) this.fail('unavailable')
  }

  destroy(): void {
    this.finish()
  }

  finish(): void {
    if (this.#isDone) return
    // Live, and nothing has come: from here the next poll goes on.
    if (!this.#hasEvents) this.#cursor = this.subscription?.cursor ?? this.#cursor
    this.#isDone = true
    this.subscription?.close()
    this.#hub.leave(this)
    this.#finish(this.#read())
  }

  get #isFull(): boolean {
    return this.#frames.length >= mostFrames || this.#bytes >= mostBytes
  }

  #add(text: string): void {
    this.#frames.push(text)
    this.#bytes += text.length
  }
}
