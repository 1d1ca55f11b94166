import type { Payment } from '../../core/payment/payment.ts'
import type { CallbackDisposition, CallbackEvidence } from '../../core/receive/callback-evidence.ts'
import { type CallbackRow, toCallback } from '../rows.ts'
import type { SqliteStatements } from './statements.ts'

export const callbackColumns = 'digest, checkout_request_id, merchant_request_id, body, received_at'

export function parkedFor(on: SqliteStatements, payment: Payment | null): readonly CallbackEvidence[] {
  if (payment === null) return []
  return on
    .all<CallbackRow>(
      `SELECT ${callbackColumns} FROM mpesa_callbacks WHERE disposition = 'parked' AND (checkout_request_id = ?
       OR (checkout_request_id IS NULL AND merchant_request_id = ?)) ORDER BY received_at`,
      [payment.checkoutRequestId, payment.merchantRequestId],
    )
    .map(toCallback)
}

export function listCallbacks(
  on: SqliteStatements,
  paymentId: string,
  disposition: CallbackDisposition,
  limit: number,
  offset: number,
): readonly CallbackEvidence[] {
  return on
    .all<CallbackRow>(
      `SELECT ${callbackColumns} FROM mpesa_callbacks WHERE payment_id = ? AND disposition = ?
       ORDER BY received_at, digest LIMIT ? OFFSET ?`,
      [paymentId, disposition, limit, offset],
    )
    .map(toCallback)
}

/**
 * True when these bytes are new for this payment and disposition. A parked callback that finds its payment leaves the park,
 * and one that waited for a confirmation waits no more.
 */
export function keep(
  on: SqliteStatements,
  callback: CallbackEvidence,
  disposition: CallbackDisposition,
  paymentId: string | null,
): boolean {
  const { digest, checkoutRequestId, merchantRequestId, body, receivedAt } = callback
  if (paymentId !== null) {
    on.run(
      `DELETE FROM mpesa_callbacks WHERE digest = ?1 AND disposition <> ?3 AND
         ((payment_id = '' AND disposition = 'parked') OR (payment_id = ?2 AND disposition = 'unconfirmed'))`,
      [digest, paymentId, disposition],
    )
  }
  const row = on.get<{ copies: number }>(
    `INSERT INTO mpesa_callbacks (digest, payment_id, disposition, checkout_request_id, merchant_request_id, body, copies,
       received_at, last_received_at)
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7)
     ON CONFLICT (digest, payment_id, disposition) DO UPDATE SET copies = copies + 1, last_received_at = ?7
     RETURNING copies`,
    [digest, paymentId ?? '', disposition, checkoutRequestId, merchantRequestId, body, receivedAt.getTime()],
  )
  return row?.copies === 1
}
