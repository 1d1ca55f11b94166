import { createDeferred } from '../deferred.ts'
import type { Clock } from '../nairobi-time.ts'
import type { Timers } from '../timers.ts'
import type { CallbackAttempt } from '../transaction.ts'
import { postCallback } from './post-callback.ts'

/** What happens after a delivery that was not answered 200. Five published accounts disagree, so it is a switch. */
export type RetryPolicy = 'none' | 'three' | 'until-200'

/** Tries in all, the first included. `until-200` has a bound as well: every loop here ends. */
const mostAttempts: Readonly<Record<RetryPolicy, number>> = { none: 1, three: 3, 'until-200': 50 }

export interface CallbackJob {
  readonly url: string
  readonly body: string
  readonly copies: number
  readonly retryPolicy: RetryPolicy
  onAttempt(attempt: CallbackAttempt): void
}

/** Posts callbacks of any API and counts every attempt. */
export interface CallbackSender {
  /** `firstTries` resolves when every copy was tried once, `finished` when no try is left. Neither rejects. */
  send(job: CallbackJob): { readonly firstTries: Promise<void>; readonly finished: Promise<void> }
  /** Gives up everything in flight and everything waiting. */
  abort(): void
}

export interface CallbackSenderOptions {
  readonly now: Clock
  readonly timers: Timers
  /** Longest wait for one answer, in milliseconds. */
  readonly deadlineMs: number
  /** Milliseconds before the second, third … try; the last value repeats. */
  readonly retryDelaysMs: readonly number[]
}

export function createCallbackSender({
  now,
  timers,
  deadlineMs,
  retryDelaysMs,
}: CallbackSenderOptions): CallbackSender {
  let closing = new AbortController()

  async function sendCopy(job: CallbackJob, copy: number, triedOnce: () => void, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; attempt <= mostAttempts[job.retryPolicy] && !signal.aborted; attempt++) {
      const startedAt = new Date(now()).toISOString()
      const begun = performance.now()
      const outcome = await postCallback(job.url, job.body, { deadlineMs, closing: signal })
      if (signal.aborted) break
      job.onAttempt({ copy, attempt, startedAt, durationMs: Math.round(performance.now() - begun), ...outcome })
      triedOnce()
      if (outcome.status === 'acknowledged') break
      if (attempt < mostAttempts[job.retryPolicy])
        await timers.sleep(retryDelaysMs[attempt - 1] ?? retryDelaysMs.at(-1) ?? 0)
    }
    triedOnce()
  }

  return {
    send(job) {
      const { signal } = closing
      const finished: Promise<void>[] = []
      const firstTries = Array.from({ length: job.copies }, (_, index) => {
        const tried = createDeferred()
        finished.push(sendCopy(job, index + 1, tried.resolve, signal))
        return tried.promise
      })
      return {
        firstTries: Promise.all(firstTries).then(() => {}),
        finished: Promise.all(finished).then(() => {}),
      }
    },
    abort() {
      closing.abort(new Error('the simulator was reset or closed'))
      closing = new AbortController()
    },
  }
}
