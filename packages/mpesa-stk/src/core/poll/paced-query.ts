import type { Clock, Daraja, QueryOutcome, Store } from '../ports.ts'
import { slowDown, speedUp, takeTurn } from './query-pace.ts'

export type QueryPorts = {
  readonly store: Pick<Store, 'changeQueryPace'>
  readonly daraja: Pick<Daraja, 'query'>
  readonly clock: Clock
}

/** An answer, or when to ask again because it is not our turn. */
export type PacedQueryOutcome = QueryOutcome | { readonly outcome: 'not-now'; readonly waitMs: number }

/**
 * Asks Daraja how a push ended, if it is our turn. Every query of a shortcode goes through here, in every process, and
 * what the answer says about the rate is learnt for all of them.
 */
export async function queryInTurn(
  { store, daraja, clock }: QueryPorts,
  queriesPerMinute: number,
  push: { readonly shortCode: string; readonly checkoutRequestId: string },
): Promise<PacedQueryOutcome> {
  const { shortCode } = push
  const askedAt = clock.now()
  const turn = await store.changeQueryPace(shortCode, pace => takeTurn(pace, askedAt, 60_000 / queriesPerMinute))
  if (!turn.isGranted) return { outcome: 'not-now', waitMs: turn.nextAt.getTime() - askedAt.getTime() }
  const answer = await daraja.query(push)
  const at = clock.now()
  if (answer.outcome !== 'indeterminate') {
    await store.changeQueryPace(shortCode, pace => speedUp(pace ?? turn))
  } else if (answer.reason === 'throttled') {
    await store.changeQueryPace(shortCode, pace => slowDown(pace ?? turn, at, answer.retryAfterMs))
  }
  return answer
}
