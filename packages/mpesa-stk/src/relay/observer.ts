import type { AlertType } from '../core/deliver/alerts.ts'
import type { AttemptFailure } from '../core/deliver/judge-attempt.ts'
import type { RetentionKind } from '../core/deliver/retention.ts'
import type { GapReason } from '../core/stream/resume-stream.ts'
import type { StreamErrorCode } from '../core/stream/stream-error.ts'

/** Hears of what the relay does, for its numbers. */
export type RelayObserver = {
  /** A commit of so many events. */
  readonly committed: (events: number, durationMs: number) => void
  /** An attempt; its failure is null when the merchant took the event. */
  readonly attempted: (failure: AttemptFailure | null, durationMs: number) => void
  /** An alert, once in the time in which it is told once. */
  readonly alerted: (type: AlertType) => void
  /** So many rows of a kind were removed, being old enough. */
  readonly removed: (kind: RetentionKind, count: number) => void
  /** A sweep came to its end. */
  readonly swept: (at: Date) => void
  /** A callback, by whether its source is known as Safaricom's. */
  readonly sourced: (isKnown: boolean) => void
  readonly streams: StreamObserver
}

/** Hears of those who stream. */
export type StreamObserver = {
  /** An event was sent to one of them. */
  readonly sent: () => void
  readonly gapped: (reason: GapReason) => void
  /** A page of the store was read for one who catches up. */
  readonly caughtUp: () => void
  /** A connection was ended for this. */
  readonly ended: (code: StreamErrorCode) => void
}
