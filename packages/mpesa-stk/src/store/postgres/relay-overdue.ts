import type { OverdueAppRow } from '../relay-rows.ts'
import { all, type Queryable } from './pool.ts'
import { waitingApps } from './relay-events.ts'

/**
 * What was replayed was received long ago: it waits since it is due. What an open circuit puts off is due anew each minute, so
 * the time at which the others are due says nothing; of what is due first the oldest is found sooner or later.
 */
export async function findOverdueApps(on: Queryable, before: Date, limit: number): Promise<readonly OverdueAppRow[]> {
  return all<OverdueAppRow>(
    on,
    `WITH RECURSIVE ${waitingApps}
     SELECT app.id AS app_id, oldest.since FROM app CROSS JOIN LATERAL (
       SELECT min(CASE WHEN attempt_count > failures THEN due_at ELSE received_at END) AS since FROM (
         SELECT e.attempt_count, e.failures, e.due_at, e.received_at FROM relay_delivery_events e
         WHERE e.app_id = app.id AND e.status IN ('PENDING', 'FAILED')
           AND (e.lease_until IS NULL OR e.lease_until <= clock_timestamp()) ORDER BY e.due_at LIMIT 16) first) oldest
     WHERE oldest.since <= $1 AND NOT EXISTS (SELECT 1 FROM relay_apps a
       WHERE a.app_id = app.id AND (a.is_disabled = 1 OR a.receives = 'alerts'))
     ORDER BY oldest.since LIMIT $2`,
    [before, limit],
  )
}
