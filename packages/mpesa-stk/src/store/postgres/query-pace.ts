import type { QueryPace } from '../../core/poll/query-pace.ts'
import { type PaceRow, toQueryPace } from '../rows.ts'
import { all, first, type Queryable } from './pool.ts'

/** One caller after another: each holds the row while it decides. */
export async function changeQueryPace(
  client: Queryable,
  shortCode: string,
  change: (pace: QueryPace | null) => QueryPace,
): Promise<QueryPace> {
  // Without a row there is nothing to hold: two would both begin.
  await all(client, 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`mpesa pace ${shortCode}`])
  const row = await first<PaceRow>(client, 'SELECT next_at, interval_ms FROM mpesa_query_paces WHERE short_code = $1', [
    shortCode,
  ])
  const next = change(row === undefined ? null : toQueryPace(row))
  await all(
    client,
    `INSERT INTO mpesa_query_paces VALUES ($1, $2, $3)
     ON CONFLICT (short_code) DO UPDATE SET next_at = excluded.next_at, interval_ms = excluded.interval_ms`,
    [shortCode, next.nextAt, next.intervalMs],
  )
  return next
}
