import type { StreamErrorCode } from '../../core/stream/stream-error.ts'
import { viewProblem } from '../../core/stream/stream-error.ts'
import type { EventFrame } from '../../relay/streams/event-frame.ts'
import type { Admission, StreamVisit } from '../../relay/streams/stream-door.ts'
import type { StreamConnection, StreamHub } from '../../relay/streams/stream-hub.ts'
import { Seat } from '../../relay/streams/stream-places.ts'
import type { StreamNotice } from '../../relay/streams/stream-sink.ts'
import type { Subscription } from '../../relay/streams/subscription.ts'
import { writeNotice } from './notice-text.ts'
import type { StreamTools } from './stream-tools.ts'

const commentEveryMs = 15_000
/** Before proxies cut; not all at once. */
const rotateAfterMs = 220_000
const rotateSpreadMs = 40_000
const highWaterBytes = 64 * 1024
/** Whoever does not take the last of it. */
const goodbyeMs = 10_000
const encoder = new TextEncoder()

/** How a response begins: with events, with nothing because nothing more comes, or with what is wrong. */
export type StreamBeginning =
  | { readonly outcome: 'streaming' | 'over' }
  | { readonly outcome: 'failed'; readonly code: StreamErrorCode }

/** A response of server-sent events: one subscription. */
export class EventStream implements StreamConnection {
  readonly transport = 'sse'
  readonly visit: StreamVisit
  readonly seat: Seat
  admission: Admission | null = null
  subscription: Subscription | null = null
  readonly body: ReadableStream<Uint8Array>
  /** What it is to be answered with: known when the first thing is to be told. */
  readonly beginning: Promise<StreamBeginning>
  readonly #hub: StreamHub
  #settle: (beginning: StreamBeginning) => void = () => {}
  #hasEvents = false
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null
  #commentAtMs: number
  readonly #endsAtMs: number
  readonly #nowMs: () => number
  #endedAtMs: number | null = null

  constructor(hub: StreamHub, visit: StreamVisit, { monotonicMs, chance }: StreamTools) {
    const nowMs = monotonicMs()
    this.#nowMs = monotonicMs
    this.#hub = hub
    this.visit = visit
    this.seat = new Seat(hub.places)
    this.#commentAtMs = nowMs + commentEveryMs
    this.#endsAtMs = nowMs + rotateAfterMs + chance() * rotateSpreadMs
    this.beginning = new Promise(resolve => {
      // Whatever is said first counts.
      this.#settle = resolve
    })
    this.body = new ReadableStream<Uint8Array>(
      {
        start: controller => {
          this.#controller = controller
        },
        pull: () => this.subscription?.goOn(),
        cancel: () => {
          this.#controller = null
          this.destroy()
        },
      },
      { highWaterMark: highWaterBytes, size: chunk => chunk.byteLength },
    )
  }

  get subscriptions(): Iterable<Subscription> {
    return this.subscription === null ? [] : [this.subscription]
  }

  get bufferedBytes(): number {
    return highWaterBytes - (this.#controller?.desiredSize ?? highWaterBytes)
  }

  send(_id: number, frame: EventFrame): void {
    this.#hasEvents = true
    this.#write(`id: ${frame.cursor}\ndata: ${frame.text}\n\n`)
    this.#settle({ outcome: 'streaming' })
  }

  tell(_id: number, notice: StreamNotice): void {
    const place = notice.type === 'live' ? `id: ${notice.cursor}\n` : ''
    this.#write(`${place}data: ${writeNotice(notice)}\n\n`)
    // A gap is told together with what is behind it.
    if (notice.type === 'live') this.#settle({ outcome: 'streaming' })
    if (notice.type === 'ended') this.#settle({ outcome: this.#hasEvents ? 'streaming' : 'over' })
    if (notice.type === 'error') this.#settle({ outcome: 'failed', code: notice.code })
    if (notice.type === 'ended' || notice.type === 'error') this.#close()
  }

  fail(code: StreamErrorCode): void {
    if (this.#endedAtMs !== null) return
    this.#hub.ended(code)
    this.#write(`data: ${JSON.stringify({ type: 'error', ...viewProblem(code) })}\n\n`)
    this.#settle({ outcome: 'failed', code })
    this.#close()
  }

  tick(nowMs: number): void {
    if (this.#endedAtMs !== null) {
      if (this.#isTaken || nowMs - this.#endedAtMs > goodbyeMs) this.destroy()
    } else if (nowMs >= this.#endsAtMs) this.#close()
    else if (nowMs >= this.#commentAtMs) {
      this.#commentAtMs = nowMs + commentEveryMs
      this.#write(': here\n\n')
    }
  }

  /** What was not taken by now is lost, and its connection with it. */
  destroy(): void {
    this.#close()
    this.#hub.leave(this)
    this.#controller?.error(new Error('the stream has ended'))
  }

  #write(text: string): void {
    if (this.#endedAtMs === null) this.#controller?.enqueue(encoder.encode(text))
  }

  /** Nothing is left to be taken. */
  get #isTaken(): boolean {
    return this.#controller === null || this.#controller.desiredSize === 0 || this.bufferedBytes === 0
  }

  /** It keeps its place until all has been taken: whoever stalls must not gather responses that nobody counts. */
  #close(): void {
    if (this.#endedAtMs !== null) return
    this.#endedAtMs = this.#nowMs()
    this.#settle({ outcome: 'streaming' })
    this.subscription?.close()
    const isTaken = this.bufferedBytes === 0
    this.#controller?.close()
    if (isTaken) this.#hub.leave(this)
  }
}
