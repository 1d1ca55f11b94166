import type { GapReason } from '../../core/stream/resume-stream.ts'
import type { StreamErrorCode } from '../../core/stream/stream-error.ts'
import type { EventFrame } from './event-frame.ts'

/** Why nothing more comes on a subscription. */
export type EndReason = 'over' | 'destroyed' | 'refused'

/** What a subscription tells beside its events. After `ended` and `error` it is no more. */
export type StreamNotice =
  | { readonly type: 'gap'; readonly reason: GapReason }
  | { readonly type: 'live'; readonly cursor: string }
  | { readonly type: 'ended'; readonly reason: EndReason }
  | { readonly type: 'error'; readonly code: StreamErrorCode }

/** Where the events of subscriptions go: a connection, by whichever transport. `id` is the subscription's number on it. */
export interface StreamSink {
  send(id: number, frame: EventFrame, isLive: boolean): void
  tell(id: number, notice: StreamNotice): void
  /** What was sent and has not been taken yet. */
  readonly bufferedBytes: number
  /** Ends all of it, saying why. */
  fail(code: StreamErrorCode): void
}
