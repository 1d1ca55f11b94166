import type { DeliveryOutcome, LeasedEvent } from './relay-event.ts'
import { documentedScheduleMs, pauseAfter } from './retry-schedule.ts'

/** What kind of failure it was. */
export type AttemptFailure =
  /** An answer that is not 2xx, a redirect included: none is followed. */
  | 'http'
  /** The deadline over the whole of it ran out. */
  | 'timeout'
  /** Not connected, or cut off. */
  | 'connection'
  /** Its address is one that we do not connect to. */
  | 'target-refused'

/** What an attempt came to. */
export type AttemptAnswer =
  | {
      readonly outcome: 'answered'
      readonly httpStatus: number
      /** From `Retry-After`. */
      readonly retryAfterMs: number | null
      /** The first 2 KiB of the body, as text. */
      readonly head: string
    }
  | { readonly outcome: 'failed'; readonly failure: Exclude<AttemptFailure, 'http'>; readonly message: string }

export type JudgedAttempt = {
  readonly outcome: DeliveryOutcome
  readonly failure: AttemptFailure | null
  /** The endpoint says that it is gone for good: nothing more is delivered until somebody enables the app again. */
  readonly isGone: boolean
}

/** Answers whose `Retry-After` counts. */
const mayAskToWait: ReadonlySet<number> = new Set([429, 503])
const gone = 410

/**
 * What becomes of an event after an attempt.
 *
 * @param chance from 0 to 1, for the jitter
 */
export function judgeAttempt(
  { failures }: Pick<LeasedEvent, 'failures'>,
  answer: AttemptAnswer,
  scheduleMs: readonly number[] | null,
  chance: number,
): JudgedAttempt {
  if (answer.outcome === 'answered' && answer.httpStatus >= 200 && answer.httpStatus < 300) {
    return { outcome: { status: 'DELIVERED' }, failure: null, isGone: false }
  }
  const isAnswered = answer.outcome === 'answered'
  const error = isAnswered ? `HTTP ${answer.httpStatus}` : `${answer.failure}: ${answer.message}`
  const retryAfterMs = isAnswered && mayAskToWait.has(answer.httpStatus) ? answer.retryAfterMs : null
  const delayMs = pauseAfter(failures + 1, scheduleMs ?? documentedScheduleMs, retryAfterMs, chance)
  return {
    outcome: delayMs === null ? { status: 'DEAD', error } : { status: 'FAILED', delayMs, error },
    failure: isAnswered ? 'http' : answer.failure,
    isGone: isAnswered && answer.httpStatus === gone,
  }
}
