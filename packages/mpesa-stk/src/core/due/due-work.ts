import type { AuditEvent } from '../audit/audit-entry.ts'

/**
 * What can be due: calls of handlers, and polls, which are of one shortcode each because asking needs its passkey.
 * Deliveries will be a kind of the same rows.
 */
export type WorkKind = 'settled' | 'discrepancy' | `poll:${string}`

/** Why handlers are told of a payment. */
export type SettledCause = Extract<AuditEvent, 'payment.settled' | 'payment.corrected' | 'payment.receipt-added'>

/** Work to be stored in the same transaction as the step that makes it due. */
export type NewWork = {
  /**
   * Stable across every attempt: what a handler may use to recognise a repetition. Work with the id of work that is there
   * already makes that due no later, and begins it anew.
   */
  readonly id: string
  readonly kind: WorkKind
  readonly paymentId: string
  /** The event behind it. */
  readonly cause: AuditEvent
  /** How long after the step it is due, by the store's own time where it has one. */
  readonly delayMs: number
}

/** Work that is leased to whoever claimed it. */
export type DueWork = Omit<NewWork, 'delayMs'> & {
  readonly dueAt: Date
  /** How often it was tried before. */
  readonly attempts: number
  /** How often it was tried without coming to anything that counts as an attempt. */
  readonly vainTries: number
  readonly leaseId: string
}

/** Work that failed as often as the schedule allows; kept for a person. */
export type ParkedWork = Omit<DueWork, 'leaseId' | 'vainTries'> & { readonly lastError: string }

/** What became of the claim of a piece of work. */
export type WorkOutcome =
  | { readonly outcome: 'done' }
  | {
      readonly outcome: 'again'
      /** How long from now; null leaves it as due as it was. */
      readonly delayMs: number | null
      /** Whether this counts in `attempts`. */
      readonly isAttempt: boolean
      /** Whether it counts in `vainTries`. Default false. */
      readonly isVain?: boolean
      readonly error: string | null
    }
  | { readonly outcome: 'parked'; readonly error: string }

/** It counts only while the lease is still the one that is named. */
export type WorkResult = { readonly id: string; readonly leaseId: string } & WorkOutcome

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

/** What to do with work whose attempt failed. */
export function judgeFailure({ attempts }: DueWork, error: string): WorkOutcome {
  const delayMs = retryAfterMs[attempts]
  return delayMs === undefined ? { outcome: 'parked', error } : { outcome: 'again', delayMs, isAttempt: true, error }
}
