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

const hourMs = 3_600_000

/**
 * How long a payment is polled at all. Where Daraja does not answer, no attempt counts, and waiting must end all the same:
 * an hour, and twice the time that the attempts take.
 */
export function pollAgeBoundMs({ pollIntervalMs, maxPollAttempts }: PollSettings): number {
  let attemptsMs = 0
  for (let answers = 0; answers < maxPollAttempts; answers++) attemptsMs += pollDelayMs(answers, pollIntervalMs)
  return hourMs + 2 * attemptsMs
}

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
