import type { RetentionKind, RetentionStep } from '../../core/deliver/retention.ts'
import { firstIdOf } from '../../core/time-ordered-id.ts'
import { isSettled } from '../settled-event.ts'
import { first, type Queryable } from './pool.ts'

type StepRow = { readonly removed: number; readonly seen: number; readonly last: string | null }

const result = `SELECT (SELECT count(*) FROM removed)::int AS removed, (SELECT count(*) FROM seen)::int AS seen,
  (SELECT max(place) FROM seen) AS last`

/**
 * The end stands outside: with it inside, a server that has not analysed the table yet expects few rows between the two, and
 * sorts all that there are. For the same reason `ANY (ARRAY (…))` instead of joins.
 */
const seen = (table: string): string =>
  `seen AS MATERIALIZED (
     SELECT place FROM (SELECT id AS place FROM ${table} WHERE id > $1 ORDER BY id LIMIT $4) ahead WHERE place < $2)`

/** What somebody holds just now is left to the next walk: nobody is waited for. */
const events = (isOld: string, remove: string): string =>
  `WITH ${seen('relay_delivery_events')},
   removed AS (${remove} WHERE id = ANY (ARRAY (
     SELECT e.id FROM relay_delivery_events e WHERE e.id = ANY (ARRAY (SELECT place FROM seen)) AND e.delivered_at < $3
       AND ${isOld} ORDER BY e.id FOR UPDATE OF e SKIP LOCKED)) RETURNING id)`

/** How each kind is walked along its ids, which are in the order of time, and what is done with what is old. */
export const walks: Readonly<Record<RetentionKind, string>> = {
  delivered: `${events(isSettled, 'DELETE FROM relay_delivery_events')},
   attempts AS (DELETE FROM relay_delivery_attempts WHERE event_id = ANY (ARRAY (SELECT id FROM removed)))
   ${result}`,
  bodies: `${events(`e.body IS NOT NULL AND ${isSettled}`, 'UPDATE relay_delivery_events SET body = NULL')} ${result}`,
  // OFFSET 0 keeps the planner from a join with all events.
  attempts: `WITH seen AS MATERIALIZED (
     SELECT a.ctid AS row, a.event_id || ' ' || lpad(a.number::text, 10, '0') AS place, a.event_id, a.at FROM relay_delivery_attempts a
     WHERE (a.event_id, a.number) > (split_part($1, ' ', 1), coalesce(nullif(split_part($1, ' ', 2), '')::int, 0))
       AND a.event_id < $2 ORDER BY a.event_id, a.number LIMIT $4),
   removed AS (DELETE FROM relay_delivery_attempts WHERE ctid = ANY (ARRAY (
     SELECT a.row FROM seen a WHERE a.at < $3 AND NOT EXISTS (SELECT 1 FROM relay_delivery_events e
       WHERE e.id = a.event_id AND NOT (${isSettled}) OFFSET 0))) RETURNING 1)
   ${result}`,
  quarantine: `WITH ${seen('relay_quarantine')},
   removed AS (DELETE FROM relay_quarantine WHERE id = ANY (ARRAY (SELECT place FROM seen)) AND received_at < $3 RETURNING 1)
   ${result}`,
}

export async function retain(
  on: Queryable,
  kind: RetentionKind,
  olderThan: Date,
  after: string,
  limit: number,
): Promise<RetentionStep> {
  const row = await first<StepRow>(on, walks[kind], [after, firstIdOf(olderThan), olderThan, limit])
  return { removed: row?.removed ?? 0, after: row?.last ?? after, isDone: (row?.seen ?? 0) < limit }
}
