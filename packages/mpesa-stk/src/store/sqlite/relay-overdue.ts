import type { OverdueAppRow } from '../relay-rows.ts'
import { waitingApps } from './relay-events.ts'
import type { SqliteStatements } from './statements.ts'

/**
 * What was replayed was received long ago: it waits since it is due. What an open circuit puts off is due anew each minute, so
 * the time at which the others are due says nothing; of what is due first the oldest is found sooner or later.
 */
export function findOverdueApps(on: SqliteStatements, before: Date, at: Date, limit: number): readonly OverdueAppRow[] {
  return on.all<OverdueAppRow>(
    `WITH RECURSIVE ${waitingApps},
     oldest (app_id, since) AS MATERIALIZED (
       SELECT app.id, (
         SELECT min(CASE WHEN attempt_count > failures THEN due_at ELSE received_at END) FROM (
           SELECT attempt_count, failures, due_at, received_at FROM relay_delivery_events e
           WHERE e.app_id = app.id AND e.status IN ('PENDING', 'FAILED') AND (e.lease_until IS NULL OR e.lease_until <= ?2)
           ORDER BY e.due_at LIMIT 16))
       FROM app WHERE app.id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM relay_apps a
         WHERE a.app_id = app.id AND (a.is_disabled = 1 OR a.receives = 'alerts')))
     SELECT app_id, since FROM oldest WHERE since <= ?1 ORDER BY since LIMIT ?3`,
    [before.getTime(), at.getTime(), limit],
  )
}
