import type { Pool } from 'pg'

export const totals = { delivered: 5_000_000, pending: 1_000_000, apps: 100 } as const
const atOnce = 100_000

/** Events of a hundred apps, written by the server itself; `tell` hears how far it is. */
export async function fillEvents(pool: Pool, tell: (line: string) => void): Promise<void> {
  const began = performance.now()
  await pool.query(`INSERT INTO relay_apps SELECT 'app-' || n, 'source-' || n, 'https://shop.example/', '\\x00', 0, NULL, NULL,
    'accept', NULL, now(), 1 FROM generate_series(0, ${totals.apps - 1}) n`)
  const all = totals.delivered + totals.pending
  for (let from = 1; from <= all; from += atOnce) {
    await pool.query(insert, [from, from + atOnce - 1])
    const seconds = Math.round((performance.now() - began) / 1_000)
    tell(`${(from + atOnce - 1).toLocaleString('en-GB')} events of ${all.toLocaleString('en-GB')} after ${seconds} s`)
  }
  await pool.query(
    `INSERT INTO relay_logs SELECT app_id, 'bench', max(log_position), '', 0 FROM relay_delivery_events GROUP BY 1`,
  )
  // As the server does by itself in time. Without it the first bench would pay for the fill.
  tell('VACUUM ANALYZE')
  await pool.query('VACUUM (ANALYZE) relay_delivery_events')
}

/** The delivered ones first; what is pending was tried once, and is due again within two hours. */
const insert = `INSERT INTO relay_delivery_events (id, app_id, kind, business_key, result, checkout_request_id, body,
    callback_token, copies, received_at, contradicts, status, attempt_count, failures, due_at, lease_id, lease_until,
    delivered_at, last_error, log_position)
  SELECT '01980000-0000-7000-8000-' || lpad(n::text, 12, '0'), 'app-' || n % ${totals.apps}, 'stk', 'ws_CO_large_' || n,
    '0 UH' || lpad(n::text, 8, '0') || ' 500 ' || left(md5(n::text), 16), 'ws_CO_large_' || n,
    convert_to('{"Body":{"stkCallback":{"CheckoutRequestID":"ws_CO_large_' || n || '","ResultCode":0,"x":"' || repeat('x', 300)
      || '"}}}', 'UTF8'),
    NULL, 1, now() - interval '1 day', NULL, CASE WHEN n > ${totals.delivered} THEN 'FAILED' ELSE 'DELIVERED' END, 1,
    CASE WHEN n > ${totals.delivered} THEN 1 ELSE 0 END, now() + (1 + n % 7200) * interval '1 second' + interval '1 hour',
    NULL, NULL, CASE WHEN n <= ${totals.delivered} THEN now() END, NULL, n
  FROM generate_series($1::int, $2::int) n`
