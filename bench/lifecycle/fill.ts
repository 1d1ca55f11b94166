import type { Pool } from 'pg'

export const totals = { payments: 1_000_000, auditEntries: 5_000_000 } as const
const atOnce = 50_000

/** The numbers of which payments share what: so many customers pay ten times each, every tenth payment is of one till. */
export const customers = 100_000
export const references = 200_000

/** A million settled payments with their callbacks and trails, written by the server itself; `tell` hears how far it is. */
export async function fill(pool: Pool, tell: (line: string) => void): Promise<void> {
  const began = performance.now()
  // They would make of every payment the rows that are written here, one at a time.
  await pool.query('ALTER TABLE mpesa_payments DISABLE TRIGGER USER')
  for (let from = 1; from <= totals.payments; from += atOnce) {
    for (const statement of statements) await pool.query(statement, [from, from + atOnce - 1])
    const seconds = Math.round((performance.now() - began) / 1_000)
    tell(
      `${(from + atOnce - 1).toLocaleString('en-GB')} payments of ${totals.payments.toLocaleString('en-GB')} after ${seconds} s`,
    )
  }
  await pool.query('ALTER TABLE mpesa_payments ENABLE TRIGGER USER')
  // As the server does by itself in time. Without it the first bench would pay for the fill.
  tell('VACUUM ANALYZE')
  await pool.query('VACUUM (ANALYZE) mpesa_initiations, mpesa_payments, mpesa_receipts, mpesa_callbacks, mpesa_audit')
}

/** The columns of payment `n`. Eight of ten were paid, the others cancelled. */
const source = `(
  SELECT n, '01980000-0000-7000-8000-' || lpad(n::text, 12, '0') AS id, 'ws_CO_large_' || n AS checkout, 'large-' || n AS merchant,
    '2547' || lpad((n % ${customers})::text, 8, '0') AS phone,
    CASE WHEN n % 10 = 0 THEN 'TILL-1' ELSE 'ORDER-' || n % ${references} END AS reference,
    n % 10 < 8 AS is_paid, 'UH' || lpad(n::text, 8, '0') AS receipt,
    timestamptz '2026-01-01' + n * interval '20 seconds' AS at,
    md5(n::text) || md5('digest' || n) AS digest
  FROM generate_series($1::int, $2::int) n) p`

const body = `jsonb_build_object('Body', jsonb_build_object('stkCallback', jsonb_build_object(
  'MerchantRequestID', merchant, 'CheckoutRequestID', checkout, 'ResultCode', CASE WHEN is_paid THEN 0 ELSE 1032 END,
  'ResultDesc', 'The service request is processed successfully.', 'CallbackMetadata', jsonb_build_object('Item', jsonb_build_array(
    jsonb_build_object('Name', 'Amount', 'Value', 500), jsonb_build_object('Name', 'MpesaReceiptNumber', 'Value', receipt),
    jsonb_build_object('Name', 'TransactionDate', 'Value', 20260817101513),
    jsonb_build_object('Name', 'PhoneNumber', 'Value', phone))))))`

const statements = [
  `INSERT INTO mpesa_initiations (payment_id, idempotency_key, state, phone_number, amount, account_reference, description,
     short_code, transaction_type, party_b, reserved_at, send_deadline_at, concluded_at, audit_count, audit_head)
   SELECT id, 'key-' || n, 'accepted', phone, 500, reference, 'Payment', '174379', 'CustomerPayBillOnline', '174379', at,
     at + interval '1 minute', at + interval '1 second', 5, digest FROM ${source}`,
  `INSERT INTO mpesa_payments (id, checkout_request_id, merchant_request_id, phone_number, amount, account_reference, status,
     mpesa_receipt_number, failure_reason, result_code, result_code_text, initiated_at, completed_at, raw_callback,
     idempotency_key, version)
   SELECT id, checkout, merchant, phone, 500, reference, CASE WHEN is_paid THEN 'SUCCESS' ELSE 'CANCELLED' END,
     CASE WHEN is_paid THEN receipt END, CASE WHEN NOT is_paid THEN 'Request cancelled by user' END,
     CASE WHEN is_paid THEN 0 ELSE 1032 END, CASE WHEN is_paid THEN '0' ELSE '1032' END, at, at + interval '20 seconds',
     ${body}, 'key-' || n, 2 FROM ${source}`,
  `INSERT INTO mpesa_receipts (receipt, payment_id) SELECT receipt, id FROM ${source} WHERE is_paid`,
  `INSERT INTO mpesa_callbacks (digest, payment_id, disposition, checkout_request_id, merchant_request_id, body, copies,
     received_at, last_received_at)
   SELECT digest, id, 'applied', checkout, merchant, convert_to((${body})::text, 'UTF8'), 1, at + interval '20 seconds',
     at + interval '20 seconds' FROM ${source}`,
  `INSERT INTO mpesa_audit (payment_id, sequence, entry_id, at, event, cause, before, after, evidence, hash)
   SELECT id, step.sequence, digest || '-' || step.sequence, at + step.sequence * interval '1 second', step.event, step.cause,
     step.before, CASE WHEN step.sequence = 5 AND NOT is_paid THEN 'CANCELLED' ELSE step.after END,
     '{"resultCode":"0","callback":"' || digest || '","token":true}', digest
   FROM ${source} CROSS JOIN (VALUES
     (1, 'initiation.reserved', 'initiate', NULL, 'reserved'), (2, 'initiation.sent', 'initiate', 'reserved', 'sent'),
     (3, 'initiation.accepted', 'push-answer', 'sent', 'PENDING'),
     (4, 'callback.unconfirmed', 'callback', 'PENDING', 'PENDING'), (5, 'payment.settled', 'poll', 'PENDING', 'SUCCESS')
   ) step (sequence, event, cause, before, after)`,
]
