import type { AlertType } from '../core/deliver/alerts.ts'
import type { AttemptFailure } from '../core/deliver/judge-attempt.ts'
import type { RetentionKind } from '../core/deliver/retention.ts'

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
}
