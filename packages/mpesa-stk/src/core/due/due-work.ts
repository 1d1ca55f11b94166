import type { AuditEvent } from '../audit/audit-entry.ts'

/** What can be due. Deliveries and polls will be kinds of the same rows. */
export type WorkKind = 'settled'

/** Why handlers are told of a payment. */
export type SettledCause = Extract<AuditEvent, 'payment.settled' | 'payment.corrected' | 'payment.receipt-added'>

/** Work to be stored in the same transaction as the step that makes it due. */
export type NewWork = {
  /** Stable across every attempt: what a handler may use to recognise a repetition. */
  readonly id: string
  readonly kind: WorkKind
  readonly paymentId: string
  readonly cause: SettledCause
  readonly dueAt: Date
}

/** Work that is leased to whoever claimed it. */
export type DueWork = NewWork & {
  /** How often it was tried before. */
  readonly attempts: number
  readonly leaseId: string
}

/** Work that failed as often as the schedule allows; kept for a person. */
export type ParkedWork = NewWork & { readonly attempts: number; readonly lastError: string }

/** What became of an attempt. It counts only while the lease is still the one that is named. */
export type WorkResult = { readonly id: string; readonly leaseId: string } & (
  | { readonly outcome: 'done' }
  | { readonly outcome: 'again'; readonly dueAt: Date; readonly error: string }
  | { readonly outcome: 'parked'; readonly error: string }
)

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** The pause after each failed attempt: ten attempts within a day, close together at first. */
const retryAfterMs: readonly number[] = [
  second,
  5 * second,
  30 * second,
  2 * minute,
  10 * minute,
  30 * minute,
  2 * hour,
  6 * hour,
  12 * hour,
]

/** What to do with work whose attempt failed at `at`. */
export function judgeFailure({ id, leaseId, attempts }: DueWork, error: string, at: Date): WorkResult {
  const pauseMs = retryAfterMs[attempts]
  return pauseMs === undefined
    ? { id, leaseId, outcome: 'parked', error }
    : { id, leaseId, outcome: 'again', error, dueAt: new Date(at.getTime() + pauseMs) }
}
