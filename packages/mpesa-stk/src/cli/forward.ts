import { Agent } from 'undici'
import { describeError } from '../core/errors.ts'
import { DeadlineOver, exchange } from '../outbound/exchange.ts'
import type { LogEntry } from './follow-log.ts'

/** What a server on this machine said of a delivery. */
export type Forwarded = {
  readonly isAcked: boolean
  /** Null: it did not answer. */
  readonly httpStatus: number | null
  /** `HTTP 500`, or why there was no answer. */
  readonly said: string
  readonly durationMs: number
}

export type Forwarder = AsyncDisposable & { forward(delivery: NonNullable<LogEntry['delivery']>): Promise<Forwarded> }

/** Longer than the relay's own: somebody may be looking at it in a debugger. */
const deadlineMs = 60_000

/** Sends what the relay would send, as it is, to this URL. Follows no redirect, as the relay does not. */
export function createForwarder(url: string): Forwarder {
  const agent = new Agent()
  return {
    async forward({ headers, bodyBase64 }) {
      const began = performance.now()
      const durationMs = (): number => Math.round(performance.now() - began)
      try {
        const body = Buffer.from(bodyBase64, 'base64').toString()
        const { httpStatus } = await exchange(agent, { url, headers, body }, deadlineMs)
        const isAcked = httpStatus >= 200 && httpStatus < 300
        return { isAcked, httpStatus, said: `HTTP ${httpStatus}`, durationMs: durationMs() }
      } catch (cause) {
        const said = cause instanceof DeadlineOver ? 'no answer in 60 s' : (describeError(cause)['code'] ?? 'no answer')
        return { isAcked: false, httpStatus: null, said, durationMs: durationMs() }
      }
    },
    [Symbol.asyncDispose]: () => agent.destroy(),
  }
}
