import { dayOf } from '../../core/deliver/event-log.ts'
import { type NewPaymentReport, resultOfReport, writeReport } from '../../core/stream/payment-report.ts'
import type { StreamEntry, StreamSlice, StreamView } from '../../core/stream/stream-storage.ts'
import { firstIdOf } from '../../core/time-ordered-id.ts'
import { mostEarlier } from '../earlier-callbacks.ts'
import { type EarlierRow, logEntryColumns, type StreamRow, toStreamEntry } from '../relay-rows.ts'
import type { SqliteStatements } from './statements.ts'

export function reportPayments(
  on: SqliteStatements,
  appId: string,
  reports: readonly NewPaymentReport[],
  epoch: string,
  at: Date,
): number {
  const head = on.get<{ head: number }>('SELECT head FROM relay_logs WHERE app_id = ?', [appId])?.head ?? 0
  let added = 0
  for (const report of reports) {
    const rows = on.all(
      `INSERT INTO relay_delivery_events (id, app_id, kind, business_key, result, checkout_request_id, body, copies, received_at,
         status, attempt_count, failures, due_at, delivered_at, log_position)
       VALUES (?1, ?2, 'lifecycle', ?3, ?4, ?5, ?6, 1, ?7, 'DELIVERED', 0, 0, ?8, ?8, ?9)
       ON CONFLICT (app_id, kind, business_key, result) DO NOTHING RETURNING id`,
      [
        report.id,
        appId,
        report.paymentId,
        resultOfReport(report),
        report.checkoutRequestId,
        writeReport(report),
        report.at.getTime(),
        at.getTime(),
        head + added + 1,
      ],
    )
    added += rows.length
  }
  if (added === 0) return 0
  on.run(
    `INSERT INTO relay_logs (app_id, epoch, head, day, events_of_day) VALUES (?1, ?2, ?3, ?4, 0)
     ON CONFLICT (app_id) DO UPDATE SET head = head + ?3`,
    [appId, epoch, added, dayOf(at)],
  )
  return added
}

export function readStream(
  on: SqliteStatements,
  appId: string,
  { view, after, until, limit }: StreamSlice,
): readonly StreamEntry[] {
  const { sql, key } = viewOf(view)
  const rows = on.all<StreamRow>(sql, [appId, after, until, limit, ...key])
  const earlier = rows.flatMap(row => (row.is_link ? readEarlier(on, appId, row) : []))
  return rows.map(row => toStreamEntry(row, earlier))
}

function readEarlier(on: SqliteStatements, appId: string, row: StreamRow): readonly EarlierRow[] {
  return on.all<EarlierRow>(earlierOfLink, [appId, row.checkout_request_id, Number(row.log_position), mostEarlier])
}

const columns = `${logEntryColumns}, body`
const columnsOf = (table: string): string => columns.replace(/\w+/g, `${table}.$&`)

const link = `(SELECT l.business_key FROM relay_delivery_events l WHERE l.app_id = e.app_id AND l.kind = 'lifecycle'
  AND e.kind = 'stk' AND l.checkout_request_id = e.business_key AND l.log_position < e.log_position ORDER BY l.log_position LIMIT 1)`

const isLink = `e.checkout_request_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM relay_delivery_events l WHERE l.app_id = e.app_id
  AND l.kind = 'lifecycle' AND l.checkout_request_id = e.checkout_request_id AND l.log_position < e.log_position)`

const withLink = (entries: string): string =>
  `SELECT e.*, ${link} AS link, e.kind = 'lifecycle' AND ${isLink} AS is_link FROM (${entries}) e ORDER BY e.log_position`

/** `+`: what is of one payment or push is searched by the unique key, and not by its position along the whole log. */
const within = '+log_position > ?2 AND +log_position <= ?3 ORDER BY +log_position LIMIT ?4'

const ofSource =
  withLink(`SELECT ${columns} FROM relay_delivery_events WHERE app_id = ?1 AND kind IN ('stk', 'c2b', 'lifecycle')
  AND log_position > ?2 AND log_position <= ?3 ORDER BY log_position LIMIT ?4`)

/** Only what is on the page is read whole: whoever knows the hook can have posted any number of bodies for one push. */
const page = (places: string): string =>
  withLink(`SELECT ${columnsOf('w')} FROM (SELECT id FROM (${places}) WHERE ${within}) found
    CROSS JOIN relay_delivery_events w ON w.id = found.id`)

const ofPush = page(
  `SELECT id, log_position FROM relay_delivery_events WHERE app_id = ?1 AND kind IN ('stk', 'c2b') AND business_key = ?5`,
)

const ofPayment = page(`
    SELECT id, log_position FROM relay_delivery_events WHERE app_id = ?1 AND kind = 'lifecycle' AND business_key = ?5
    UNION ALL
    SELECT c.id, c.log_position FROM (SELECT e.checkout_request_id AS push, e.log_position AS position FROM relay_delivery_events e
      WHERE e.app_id = ?1 AND e.kind = 'lifecycle' AND e.business_key = ?5 AND ${isLink}) l
    CROSS JOIN relay_delivery_events c ON c.app_id = ?1 AND c.kind = 'stk' AND c.business_key = l.push
      AND +c.log_position > l.position`)

const earlierOfLink = `SELECT ${columnsOf('w')}, ?3 AS link_position FROM (
    SELECT id FROM relay_delivery_events WHERE app_id = ?1 AND kind = 'stk' AND business_key = ?2 AND +log_position < ?3
    ORDER BY +log_position LIMIT ?4) found
  CROSS JOIN relay_delivery_events w ON w.id = found.id ORDER BY w.log_position`

function viewOf(view: StreamView): { readonly sql: string; readonly key: readonly string[] } {
  switch (view.kind) {
    case 'source':
      return { sql: ofSource, key: [] }
    case 'push':
      return { sql: ofPush, key: [view.businessKey] }
    case 'payment':
      return { sql: ofPayment, key: [view.paymentId] }
  }
}

/**
 * Ids are in the order of time, positions are not quite: what waited on a disk stands behind younger ones. Of a thousand that
 * are next to `since` the first in the log is taken.
 */
export function findStreamFloor(on: SqliteStatements, appId: string, since: Date): number {
  const row = on.get<{ floor: number | null }>(streamFloor, [appId, firstIdOf(since), since.getTime()])
  return row?.floor ?? 0
}

const streamFloor = `SELECT coalesce((SELECT min(log_position) - 1 FROM (SELECT log_position, received_at FROM relay_delivery_events
      WHERE app_id = ?1 AND id >= ?2 ORDER BY id LIMIT 1000) WHERE received_at >= ?3),
    (SELECT head FROM relay_logs WHERE app_id = ?1)) AS floor`
