import type { DeliveryResult, NewRelayEvent } from '../../core/deliver/relay-event.ts'
import type { ClaimLimits, DeliveryLease, EventFilter, RecordedEvent } from '../../core/deliver/relay-storage.ts'
import { type EventRow, type ListedEventRow, listedEventColumns } from '../relay-rows.ts'
import { all, type Queryable } from './pool.ts'

/** Apps of which something waits to be delivered, by the index of that alone: from each to the next. */
export const waitingApps = `app (id) AS (
     (SELECT min(app_id) FROM relay_delivery_events WHERE status IN ('PENDING', 'FAILED'))
     UNION ALL
     SELECT (SELECT min(e.app_id) FROM relay_delivery_events e
       WHERE e.status IN ('PENDING', 'FAILED') AND e.app_id > app.id) FROM app WHERE app.id IS NOT NULL)`

const millisecond = "interval '1 millisecond'"

/** One insert for the whole batch: `relay_record_events` of the migration. */
export async function recordEvents(
  on: Queryable,
  events: readonly NewRelayEvent[],
  { leaseId, leaseMs }: DeliveryLease,
): Promise<readonly RecordedEvent[]> {
  const column = <Key extends keyof NewRelayEvent>(key: Key) => events.map(event => event[key])
  const rows = await all<{ event_id: string; contradicted_id: string | null }>(
    on,
    'SELECT * FROM relay_record_events($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)',
    [
      column('id'),
      column('appId'),
      column('kind'),
      column('businessKey'),
      column('result'),
      column('checkoutRequestId'),
      events.map(({ body }) => Buffer.from(body)),
      column('callbackToken'),
      column('copies'),
      column('receivedAt'),
      column('contradicts'),
      column('isHeld'),
      column('traceParent'),
      leaseId,
      leaseMs,
    ],
  )
  const recorded = new Map(rows.map(row => [row.event_id, row.contradicted_id]))
  return events.map(({ id }) => {
    const contradicts = recorded.get(id)
    return contradicts === undefined ? { outcome: 'repeat' } : { outcome: 'recorded', contradicts }
  })
}

/** Copies of an event that is there. */
export type Copies = Pick<NewRelayEvent, 'appId' | 'kind' | 'businessKey' | 'result' | 'copies'>

/** Counts the copies of events that were there already. Added up before, because an update changes a row once. */
export async function countCopies(on: Queryable, repeats: readonly Copies[]): Promise<void> {
  const column = <Key extends keyof Copies>(key: Key) => repeats.map(event => event[key])
  await all(
    on,
    `UPDATE relay_delivery_events e SET copies = e.copies + n.copies FROM (
       SELECT e.id, n.copies FROM (SELECT app_id, kind, business_key, result, sum(copies)::int AS copies
         FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::int[])
           AS each (app_id, kind, business_key, result, copies) GROUP BY app_id, kind, business_key, result) n
       JOIN relay_delivery_events e USING (app_id, kind, business_key, result) ORDER BY e.id FOR UPDATE OF e) n
     WHERE e.id = n.id`,
    [column('appId'), column('kind'), column('businessKey'), column('result'), column('copies')],
  )
}

/**
 * By the database's time, so that no clock of a relay takes a lease early. App by app, so that a backlog that may not be
 * claimed now is not read over and over to find what may. `statement_timestamp`, because an index is not searched by
 * `clock_timestamp`, which may change from row to row: of a million that were due later every one was read, for 5 s.
 */
export async function claimDueEvents(
  on: Queryable,
  { leaseId, leaseMs }: DeliveryLease,
  { perApp, total }: ClaimLimits,
  exceptApps: readonly string[],
): Promise<readonly EventRow[]> {
  return all<EventRow>(
    on,
    `WITH RECURSIVE ${waitingApps}
     UPDATE relay_delivery_events SET lease_id = $1, lease_until = clock_timestamp() + $2 * ${millisecond} WHERE id IN (
       SELECT due.id FROM app CROSS JOIN LATERAL (
         SELECT e.id FROM relay_delivery_events e WHERE e.app_id = app.id AND e.status IN ('PENDING', 'FAILED')
           AND e.due_at <= statement_timestamp() AND (e.lease_until IS NULL OR e.lease_until <= statement_timestamp())
         ORDER BY e.due_at LIMIT $4 FOR UPDATE SKIP LOCKED) due
       WHERE app.id <> ALL ($5) AND NOT EXISTS (SELECT 1 FROM relay_apps a WHERE a.app_id = app.id AND a.is_disabled = 1)
       LIMIT $3) RETURNING *`,
    [leaseId, leaseMs, total, perApp, exceptApps],
  )
}

export async function renewLeases(
  on: Queryable,
  ids: readonly string[],
  { leaseId, leaseMs }: DeliveryLease,
): Promise<readonly string[]> {
  const rows = await all<{ id: string }>(
    on,
    `UPDATE relay_delivery_events SET lease_until = clock_timestamp() + $3 * ${millisecond} WHERE id IN (
       SELECT id FROM relay_delivery_events WHERE id = ANY ($1) AND lease_id = $2 AND lease_until > clock_timestamp()
       ORDER BY id FOR UPDATE) RETURNING id`,
    [ids, leaseId, leaseMs],
  )
  return rows.map(({ id }) => id)
}

/**
 * Rows are locked in the order of their ids, as everywhere, so that two batches never wait for each other in a circle. One
 * statement is one transaction, and a third of the time of two between BEGIN and COMMIT.
 */
export async function finishDeliveries(on: Queryable, results: readonly DeliveryResult[]): Promise<void> {
  const sorted = results.toSorted((a, b) => (a.eventId < b.eventId ? -1 : 1))
  const attempts = sorted.flatMap(({ attempt }) => (attempt === null ? [] : [attempt]))
  const delayOf = ({ outcome }: DeliveryResult): number => ('delayMs' in outcome ? outcome.delayMs : 0)
  const errorOf = ({ outcome }: DeliveryResult): string | null => ('error' in outcome ? outcome.error : null)
  await all(
    on,
    `WITH kept AS (
       INSERT INTO relay_delivery_attempts SELECT * FROM unnest($7::text[], $8::int[], $9::timestamptz[], $10::int[],
         $11::int[], $12::text[], $13::text[]))
     UPDATE relay_delivery_events e SET
       status = CASE WHEN n.status = 'held' THEN e.status ELSE n.status END,
       attempt_count = e.attempt_count + n.tried,
       failures = e.failures + CASE WHEN n.status IN ('FAILED', 'DEAD') THEN 1 ELSE 0 END,
       last_error = CASE n.status WHEN 'held' THEN e.last_error WHEN 'DELIVERED' THEN NULL ELSE n.error END,
       delivered_at = CASE WHEN n.status = 'DELIVERED' THEN clock_timestamp() ELSE e.delivered_at END,
       due_at = clock_timestamp() + n.delay_ms * ${millisecond}, lease_id = NULL, lease_until = NULL
     FROM (SELECT l.id, n.* FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::float8[], $6::text[])
         AS n (event_id, lease_id, status, tried, delay_ms, error)
       JOIN relay_delivery_events l ON l.id = n.event_id AND l.lease_id = n.lease_id ORDER BY l.id FOR UPDATE OF l) n
     WHERE e.id = n.id`,
    [
      sorted.map(({ eventId }) => eventId),
      sorted.map(({ leaseId }) => leaseId),
      sorted.map(({ outcome }) => outcome.status),
      sorted.map(({ attempt }) => (attempt === null ? 0 : 1)),
      sorted.map(delayOf),
      sorted.map(errorOf),
      attempts.map(({ eventId }) => eventId),
      attempts.map(({ number }) => number),
      attempts.map(({ at }) => at),
      attempts.map(({ durationMs }) => Math.round(durationMs)),
      attempts.map(({ httpStatus }) => httpStatus),
      attempts.map(({ errorClass }) => errorClass),
      attempts.map(({ responseHead }) => responseHead.replaceAll('\0', ' ')),
    ],
  )
}

export async function listEvents(
  on: Queryable,
  appId: string,
  { status = null, kind = null, from = null, to = null, before = null }: Partial<Record<keyof EventFilter, unknown>>,
  limit: number,
): Promise<readonly ListedEventRow[]> {
  return all<ListedEventRow>(
    on,
    `SELECT ${listedEventColumns} FROM relay_delivery_events WHERE app_id = $1 AND ($2::text IS NULL OR status = $2)
       AND ($3::text IS NULL OR kind = $3) AND ($4::timestamptz IS NULL OR received_at >= $4)
       AND ($5::timestamptz IS NULL OR received_at <= $5) AND ($6::text IS NULL OR id < $6) ORDER BY id DESC LIMIT $7`,
    [appId, status, kind, from, to, before, limit],
  )
}
