import { describeError } from '../errors.ts'
import type { Clock, Daraja, Logger, QueryOutcome, Store } from '../ports.ts'
import { type QueryPace, slowDown, speedUp, takeTurn } from './query-pace.ts'

export type QueryPorts = {
  readonly store: Pick<Store, 'changeQueryPace'>
  readonly daraja: Pick<Daraja, 'query'>
  readonly clock: Clock
  readonly logger: Logger
}

/** An answer, or when to ask again because it is not our turn. */
export type PacedQueryOutcome = QueryOutcome | { readonly outcome: 'not-now'; readonly waitMs: number }

/**
 * Asks Daraja how a push ended, if it is our turn. Every query of a shortcode goes through here, in every process, and
 * what the answer says about the rate is learnt for all of them.
 */
export async function queryInTurn(
  { store, daraja, clock, logger }: QueryPorts,
  queriesPerMinute: number,
  push: { readonly shortCode: string; readonly checkoutRequestId: string },
): Promise<PacedQueryOutcome> {
  const { shortCode } = push
  const askedAt = clock.now()
  const turn = await store.changeQueryPace(shortCode, pace => takeTurn(pace, askedAt, 60_000 / queriesPerMinute))
  if (!turn.isGranted) return { outcome: 'not-now', waitMs: turn.nextAt.getTime() - askedAt.getTime() }
  const answer = await daraja.query(push)
  const learn = whatToLearn(answer, clock.now())
  try {
    if (learn !== null) await store.changeQueryPace(shortCode, pace => learn(pace ?? turn))
  } catch (cause) {
    // The answer is worth more than the pace: another one will teach it.
    logger.warn({ error: describeError(cause) }, 'the pace of queries could not be stored')
  }
  return answer
}

function whatToLearn(answer: QueryOutcome, at: Date): ((pace: QueryPace) => QueryPace) | null {
  if (answer.outcome !== 'indeterminate') return speedUp
  if (answer.reason !== 'throttled') return null
  return pace => slowDown(pace, at, answer.retryAfterMs)
}

/** Whether Daraja refused to answer because it is asked too often. */
export function isThrottled(answer: QueryOutcome): boolean {
  return answer.outcome === 'indeterminate' && answer.reason === 'throttled'
}
