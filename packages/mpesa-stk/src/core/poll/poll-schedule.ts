import type { NewWork, WorkKind } from '../due/due-work.ts'

/** What a poll needs of the configuration. */
export type PollSettings = {
  readonly pollIntervalMs: number
  readonly maxPollAttempts: number
  readonly queriesPerMinute: number
}

/** Fibonacci's, times `pollIntervalMs`: often while the customer is likely to be typing, then seldom. */
const steps: readonly number[] = [1, 2, 3, 5, 6]
const longestPauseMs = 30_000

/** How long to wait before the query that follows `answers` answers. */
export function pollDelayMs(answers: number, pollIntervalMs: number): number {
  const step = steps[answers]
  return step === undefined ? longestPauseMs : Math.min(longestPauseMs, step * pollIntervalMs)
}

/**
 * How often a payment is asked about in vain: where Daraja does not answer no attempt counts, and waiting must end all the
 * same. An hour, by the longest pause; time in which nobody asked is none of it.
 */
export const maxVainTries = 3_600_000 / longestPauseMs

export function pollKind(shortCode: string): WorkKind {
  return `poll:${shortCode}`
}

/** A payment has one poll, whoever asks for it. */
export function pollId(paymentId: string): string {
  return `poll:${paymentId}`
}

/** The poll of a payment, due after `delayMs`. */
export function pollWork(
  payment: { readonly paymentId: string; readonly shortCode: string },
  delayMs: number,
): NewWork {
  const { paymentId, shortCode } = payment
  return { id: pollId(paymentId), kind: pollKind(shortCode), paymentId, cause: 'initiation.accepted', delayMs }
}
