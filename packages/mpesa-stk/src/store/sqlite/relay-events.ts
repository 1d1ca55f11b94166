import { dayOf } from '../../core/deliver/event-log.ts'
import type { DeliveryResult, NewRelayEvent } from '../../core/deliver/relay-event.ts'
import type { ClaimLimits, DeliveryLease, RecordedEvent } from '../../core/deliver/relay-storage.ts'
import type { EventRow } from '../relay-rows.ts'
import type { SqliteStatements } from './statements.ts'

/** Apps of which something waits to be delivered, by the index of that alone: from each to the next. */
export const waitingApps = `app (id) AS (
     SELECT min(app_id) FROM relay_delivery_events WHERE status IN ('PENDING', 'FAILED')
     UNION ALL
     SELECT (SELECT min(e.app_id) FROM relay_delivery_events e
       WHERE e.status IN ('PENDING', 'FAILED') AND e.app_id > app.id) FROM app WHERE app.id IS NOT NULL)`

export function recordEvents(
  on: SqliteStatements,
  events: readonly NewRelayEvent[],
  lease: DeliveryLease,
): readonly RecordedEvent[] {
  // Before the first is written: two of this batch that differ would each find the other.
  const contradicted = events.map(event => findContradicted(on, event) ?? event.contradicts)
  const logs = new Map<string, { readonly head: number; added: number }>()
  const outcomes = events.map((event, index) => {
    const log = logs.get(event.appId) ?? { head: headOf(on, event.appId), added: 0 }
    logs.set(event.appId, log)
    const outcome = recordEvent(on, event, contradicted[index] ?? null, lease, log.head + log.added + 1)
    if (outcome.outcome === 'recorded') log.added++
    return outcome
  })
  for (const [appId, { added }] of logs) if (added > 0) addToLog(on, appId, added, lease)
  return outcomes
}

function headOf(on: SqliteStatements, appId: string): number {
  return on.get<{ head: number }>('SELECT head FROM relay_logs WHERE app_id = ?', [appId])?.head ?? 0
}

/** The lease is as good as any for a name that no other log has. */
function addToLog(on: SqliteStatements, appId: string, added: number, { leaseId, at }: DeliveryLease): void {
  on.run(
    `INSERT INTO relay_logs (app_id, epoch, head, day, events_of_day) VALUES (?1, ?2, ?3, ?4, ?3) ON CONFLICT (app_id) DO UPDATE SET head = head + ?3, day = ?4,
       events_of_day = CASE WHEN day = ?4 THEN events_of_day ELSE 0 END + ?3`,
    [appId, leaseId, added, dayOf(at)],
  )
}

/** At most fifty are read: whoever posts ever more of one key must not make each dearer than the one before. */
function findContradicted(on: SqliteStatements, event: NewRelayEvent): string | null {
  const { appId, kind, businessKey, result } = event
  const row = on.get<{ id: string | null }>(
    `SELECT min(id) AS id FROM (SELECT id FROM relay_delivery_events WHERE app_id = ? AND kind = ? AND business_key = ?
       AND result <> ? LIMIT 50)`,
    [appId, kind, businessKey, result],
  )
  return row?.id ?? null
}

function recordEvent(
  on: SqliteStatements,
  event: NewRelayEvent,
  contradicts: string | null,
  { leaseId, leaseMs, at }: DeliveryLease,
  position: number,
): RecordedEvent {
  const { appId, kind, businessKey, result } = event
  const now = at.getTime()
  const [row] = on.all(
    `INSERT INTO relay_delivery_events (id, app_id, kind, business_key, result, checkout_request_id, body, callback_token,
       copies, received_at, contradicts, status, attempt_count, failures, due_at, lease_id, lease_until, trace_parent,
       log_position)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'PENDING', 0, 0, ?, ?, ?, ?, ?)
     ON CONFLICT (app_id, kind, business_key, result) DO NOTHING RETURNING id`,
    [
      event.id,
      appId,
      kind,
      businessKey,
      result,
      event.checkoutRequestId,
      event.body,
      event.callbackToken,
      event.copies,
      event.receivedAt.getTime(),
      contradicts,
      now,
      event.isHeld ? null : leaseId,
      event.isHeld ? null : now + leaseMs,
      event.traceParent,
      position,
    ],
  )
  if (row !== undefined) return { outcome: 'recorded', contradicts }
  on.run(
    `UPDATE relay_delivery_events SET copies = copies + ?5 WHERE app_id = ?1 AND kind = ?2 AND business_key = ?3
       AND result = ?4`,
    [appId, kind, businessKey, result, event.copies],
  )
  return { outcome: 'repeat' }
}

/** App by app, so that a backlog that may not be claimed now is not read over and over to find what may. */
export function claimDueEvents(
  on: SqliteStatements,
  { leaseId, leaseMs, at }: DeliveryLease,
  { perApp, total }: ClaimLimits,
  exceptApps: readonly string[],
): EventRow[] {
  const now = at.getTime()
  const apps = on.all<{ id: string }>(
    `WITH RECURSIVE ${waitingApps}
     SELECT id FROM app WHERE id IS NOT NULL AND id NOT IN (SELECT value FROM json_each(?))
       AND NOT EXISTS (SELECT 1 FROM relay_apps WHERE app_id = id AND is_disabled = 1)`,
    [JSON.stringify(exceptApps)],
  )
  const claimed: EventRow[] = []
  for (const app of apps) {
    const limit = Math.min(perApp, total - claimed.length)
    if (limit === 0) break
    claimed.push(
      ...on.all<EventRow>(
        `UPDATE relay_delivery_events SET lease_id = ?1, lease_until = ?2 WHERE id IN (
           SELECT id FROM relay_delivery_events WHERE app_id = ?4 AND status IN ('PENDING', 'FAILED') AND due_at <= ?3
             AND (lease_until IS NULL OR lease_until <= ?3) ORDER BY due_at LIMIT ?5) RETURNING *`,
        [leaseId, now + leaseMs, now, app.id, limit],
      ),
    )
  }
  return claimed
}

export function finishDelivery(on: SqliteStatements, result: DeliveryResult, at: Date): void {
  const { eventId, leaseId, attempt, outcome } = result
  const now = at.getTime()
  on.run(
    `UPDATE relay_delivery_events SET status = CASE WHEN ?3 = 'held' THEN status ELSE ?3 END,
       attempt_count = attempt_count + ?4, failures = failures + CASE WHEN ?3 IN ('FAILED', 'DEAD') THEN 1 ELSE 0 END,
       last_error = CASE ?3 WHEN 'held' THEN last_error WHEN 'DELIVERED' THEN NULL ELSE ?5 END,
       delivered_at = CASE WHEN ?3 = 'DELIVERED' THEN ?6 ELSE delivered_at END, due_at = ?6 + ?7, lease_id = NULL,
       lease_until = NULL WHERE id = ?1 AND lease_id = ?2`,
    [
      eventId,
      leaseId,
      outcome.status,
      attempt === null ? 0 : 1,
      'error' in outcome ? outcome.error : null,
      now,
      'delayMs' in outcome ? Math.round(outcome.delayMs) : 0,
    ],
  )
  if (attempt === null) return
  on.run('INSERT INTO relay_delivery_attempts VALUES (?, ?, ?, ?, ?, ?, ?)', [
    eventId,
    attempt.number,
    attempt.at.getTime(),
    Math.round(attempt.durationMs),
    attempt.httpStatus,
    attempt.errorClass,
    attempt.responseHead,
  ])
}
