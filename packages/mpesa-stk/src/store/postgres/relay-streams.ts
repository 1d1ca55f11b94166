import { type NewPaymentReport, resultOfReport, writeReport } from '../../core/stream/payment-report.ts'
import type { StreamEntry, StreamSlice, StreamView } from '../../core/stream/stream-storage.ts'
import { firstIdOf } from '../../core/time-ordered-id.ts'
import { mostEarlier } from '../earlier-callbacks.ts'
import { type EarlierRow, logEntryColumns, type StreamRow, toStreamEntry } from '../relay-rows.ts'
import { all, first, type Queryable } from './pool.ts'

/** `relay_report_payments` of the migration: one round trip while others wait for the log. */
export async function reportPayments(
  on: Queryable,
  appId: string,
  reports: readonly NewPaymentReport[],
  epoch: string,
): Promise<number> {
  if (reports.length === 0) return 0
  const row = await first<{ added: number }>(
    on,
    'SELECT relay_report_payments($1, $2, $3, $4, $5, $6, $7, $8) AS added',
    [
      appId,
      epoch,
      reports.map(({ id }) => id),
      reports.map(({ paymentId }) => paymentId),
      reports.map(resultOfReport),
      reports.map(({ checkoutRequestId }) => checkoutRequestId),
      reports.map(report => Buffer.from(writeReport(report))),
      reports.map(({ at }) => at),
    ],
  )
  return row?.added ?? 0
}

export async function readStream(
  on: Queryable,
  appId: string,
  { view, after, until, limit }: StreamSlice,
): Promise<readonly StreamEntry[]> {
  const { entries, key } = views(view)
  const rows = await all<StreamRow>(
    on,
    `SELECT e.*, ${link} AS link, e.kind = 'lifecycle' AND ${isLink} AS is_link FROM (${entries}) e ORDER BY e.log_position`,
    [appId, after, until, limit, ...key],
  )
  const links = rows.filter(({ is_link }) => is_link)
  const earlier = links.length === 0 ? [] : await readEarlier(on, appId, links)
  return rows.map(row => toStreamEntry(row, earlier))
}

/** They were committed before their links, and never change: a second statement sees what the first would have. */
function readEarlier(on: Queryable, appId: string, links: readonly StreamRow[]): Promise<readonly EarlierRow[]> {
  return all<EarlierRow>(
    on,
    `SELECT whole.*, l.position AS link_position FROM unnest($2::text[], $3::bigint[]) AS l (push, position) CROSS JOIN LATERAL (
       SELECT * FROM (SELECT id, log_position FROM relay_delivery_events e WHERE e.app_id = $1 AND e.kind = 'stk'
         AND e.business_key = l.push OFFSET 0) of_push
       WHERE of_push.log_position < l.position ORDER BY of_push.log_position LIMIT ${mostEarlier}) found ${withBodies}
     ORDER BY l.position, found.log_position`,
    [appId, links.map(row => row.checkout_request_id), links.map(row => row.log_position)],
  )
}

const columns = `${logEntryColumns}, body`

/** Only what is on the page is read whole: whoever knows the hook can have posted any number of bodies for one push. */
const withBodies = `CROSS JOIN LATERAL (SELECT ${columns} FROM relay_delivery_events WHERE id = found.id OFFSET 0) whole`

const link = `(SELECT l.business_key FROM relay_delivery_events l WHERE l.app_id = e.app_id AND l.kind = 'lifecycle'
  AND e.kind = 'stk' AND l.checkout_request_id = e.business_key AND l.log_position < e.log_position ORDER BY l.log_position LIMIT 1)`

const isLink = `e.checkout_request_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM relay_delivery_events l WHERE l.app_id = e.app_id
  AND l.kind = 'lifecycle' AND l.checkout_request_id = e.checkout_request_id AND l.log_position < e.log_position)`

const within = 'log_position > $2 AND log_position <= $3 ORDER BY log_position LIMIT $4'

/**
 * What is of one payment or push is searched by the unique key alone, and only then by its position (OFFSET 0): for the order and
 * the limit the planner would else go along the whole log in the hope of coming upon it.
 */
function views(view: StreamView): { readonly entries: string; readonly key: readonly string[] } {
  switch (view.kind) {
    case 'source':
      return {
        entries: `SELECT ${columns} FROM relay_delivery_events WHERE app_id = $1 AND kind IN ('stk', 'c2b', 'lifecycle') AND ${within}`,
        key: [],
      }
    case 'push':
      return {
        entries: page(`SELECT id, log_position FROM relay_delivery_events WHERE app_id = $1 AND kind IN ('stk', 'c2b')
          AND business_key = $5 OFFSET 0`),
        key: [view.businessKey],
      }
    case 'payment':
      return { entries: ofPayment, key: [view.paymentId] }
  }
}

const page = (places: string): string =>
  `SELECT whole.* FROM (SELECT id FROM (${places}) places WHERE ${within}) found ${withBodies}`

const ofPayment = page(`
    WITH reports AS MATERIALIZED (SELECT id, log_position, app_id, checkout_request_id FROM relay_delivery_events
      WHERE app_id = $1 AND kind = 'lifecycle' AND business_key = $5),
    links AS MATERIALIZED (SELECT e.checkout_request_id AS push, e.log_position AS position
      FROM reports e WHERE ${isLink})
    SELECT id, log_position FROM reports
    UNION ALL
    SELECT found.* FROM links l CROSS JOIN LATERAL (SELECT id, log_position FROM relay_delivery_events
      WHERE app_id = $1 AND kind = 'stk' AND business_key = l.push OFFSET 0) found WHERE found.log_position > l.position`)

/**
 * Ids are in the order of time, positions are not quite: what waited on a disk, or committed late, stands behind younger ones.
 * Of a thousand that are next to `since` the first in the log is taken; one statement, so that nothing comes between it and the
 * head. The app stands outside as well: with it inside, a server that has not analysed the table yet expects few rows, and sorts
 * all that there are.
 */
export async function findStreamFloor(on: Queryable, appId: string, since: Date): Promise<number> {
  const row = await first<{ floor: string | null }>(
    on,
    `SELECT coalesce((SELECT min(log_position) - 1 FROM (
         SELECT app_id, log_position, received_at FROM relay_delivery_events WHERE (app_id, id) >= ($1, $2)
         ORDER BY app_id, id LIMIT 1000) next WHERE app_id = $1 AND received_at >= $3),
       (SELECT head FROM relay_logs WHERE app_id = $1)) AS floor`,
    [appId, firstIdOf(since), since],
  )
  return Number(row?.floor ?? 0)
}
