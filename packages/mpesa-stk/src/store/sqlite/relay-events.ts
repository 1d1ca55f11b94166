import type { DeliveryResult, NewRelayEvent } from '../../core/deliver/relay-event.ts'
import type { DeliveryLease, RecordedEvent } from '../../core/deliver/relay-storage.ts'
import type { SqliteStatements } from './statements.ts'

/** `+id`: by the index of app and id, every event of the app would be read to find the first of one key. */
export function recordEvent(
  on: SqliteStatements,
  event: NewRelayEvent,
  { leaseId, leaseMs, at }: DeliveryLease,
): RecordedEvent {
  const { appId, kind, businessKey, result } = event
  const now = at.getTime()
  const [row] = on.all<{ contradicts: string | null }>(
    `INSERT INTO relay_delivery_events (id, app_id, kind, business_key, result, checkout_request_id, body, callback_token,
       copies, received_at, contradicts, status, attempt_count, failures, due_at, lease_id, lease_until)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, coalesce((SELECT id FROM relay_delivery_events WHERE app_id = ?2
       AND kind = ?3 AND business_key = ?4 AND result <> ?5 ORDER BY +id LIMIT 1), ?11), 'PENDING', 0, 0, ?12, ?13, ?14)
     ON CONFLICT (app_id, kind, business_key, result) DO NOTHING RETURNING contradicts`,
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
      event.contradicts,
      now,
      leaseId,
      now + leaseMs,
    ],
  )
  if (row !== undefined) return { outcome: 'recorded', contradicts: row.contradicts }
  on.run(
    `UPDATE relay_delivery_events SET copies = copies + ?5 WHERE app_id = ?1 AND kind = ?2 AND business_key = ?3
       AND result = ?4`,
    [appId, kind, businessKey, result, event.copies],
  )
  return { outcome: 'repeat' }
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
