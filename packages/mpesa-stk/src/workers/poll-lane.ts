import { type PollPorts, pollPayment } from '../core/poll/poll-payment.ts'
import { type PollSettings, pollKind } from '../core/poll/poll-schedule.ts'
import type { Lane } from './due-worker.ts'

/** Room for a token to be fetched and the result to be stored beside the query itself. */
const marginMs = 60_000
/** How long to wait when our own store failed: a poll is never given up for that. */
const afterFailureMs = 30_000

/** The polls of one shortcode, one query at a time because every query waits for its turn. */
export function createPollLane(
  ports: PollPorts,
  settings: PollSettings & { readonly shortCode: string; readonly timeoutMs: number },
): Lane {
  // A payment that code from before this library wrote has no shortcode: it is anybody's.
  const kinds = [pollKind(settings.shortCode), pollKind('')]
  return {
    kinds: () => kinds,
    claimAtOnce: 1,
    leaseMs: settings.timeoutMs + marginMs,
    run: work => pollPayment(ports, settings, work),
    judge: (_work, error) => ({ outcome: 'again', delayMs: afterFailureMs, isAttempt: false, error }),
  }
}
