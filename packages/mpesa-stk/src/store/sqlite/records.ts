import type { Initiation } from '../../core/initiate/initiation.ts'
import type { Payment } from '../../core/payment/payment.ts'
import type { PaymentKey, PaymentRecord } from '../../core/ports.ts'
import type { CallbackEvidence } from '../../core/receive/callback-evidence.ts'
import { type InitiationRow, type PaymentRow, toInitiation, toPayment } from '../rows.ts'
import type { SqliteStatements } from './statements.ts'

export function find(on: SqliteStatements, key: PaymentKey): PaymentRecord | null {
  const [condition, value] = conditionOf(key)
  const row = on.get<InitiationRow>(`SELECT * FROM mpesa_initiations WHERE ${condition} LIMIT 1`, [value])
  if (row === undefined) return null
  const payment = on.get<PaymentRow>('SELECT * FROM mpesa_payments WHERE id = ?', [row.payment_id])
  return { initiation: toInitiation(row), payment: payment === undefined ? null : toPayment(payment) }
}

export function findByRequestId(
  on: SqliteStatements,
  { checkoutRequestId, merchantRequestId }: CallbackEvidence,
): PaymentRecord | null {
  if (checkoutRequestId !== null) return find(on, { checkoutRequestId })
  return merchantRequestId === null ? null : find(on, { merchantRequestId })
}

export function takenBy(on: SqliteStatements, payment: Payment): 'receipt' | 'checkoutRequestId' | null {
  const other = on.get<Pick<PaymentRow, 'checkout_request_id'>>(
    'SELECT checkout_request_id FROM mpesa_payments WHERE (checkout_request_id = ? OR mpesa_receipt_number = ?) AND id <> ?',
    [payment.checkoutRequestId, payment.mpesaReceiptNumber, payment.id],
  )
  if (other === undefined) return null
  return other.checkout_request_id === payment.checkoutRequestId ? 'checkoutRequestId' : 'receipt'
}

export function updateInitiation(on: SqliteStatements, initiation: Initiation): void {
  on.run(
    `UPDATE mpesa_initiations SET state = ?, token_hash = ?, send_deadline_at = ?, concluded_at = ?, answer_code = ?,
       answer_message = ? WHERE payment_id = ?`,
    [
      initiation.state,
      initiation.tokenHash,
      initiation.sendDeadlineAt?.getTime() ?? null,
      initiation.concludedAt?.getTime() ?? null,
      initiation.answerCode,
      initiation.answerMessage,
      initiation.paymentId,
    ],
  )
}

export function putPayment(on: SqliteStatements, payment: Payment, callback: CallbackEvidence | undefined): void {
  on.run(
    `INSERT INTO mpesa_payments (id, checkout_request_id, merchant_request_id, phone_number, amount, account_reference,
       status, mpesa_receipt_number, failure_reason, result_code, result_code_text, initiated_at, completed_at,
       raw_callback, idempotency_key, version)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET checkout_request_id = excluded.checkout_request_id,
       merchant_request_id = excluded.merchant_request_id, status = excluded.status, mpesa_receipt_number = excluded.mpesa_receipt_number,
       failure_reason = excluded.failure_reason, result_code = excluded.result_code,
       result_code_text = excluded.result_code_text, completed_at = excluded.completed_at,
       raw_callback = coalesce(excluded.raw_callback, raw_callback), version = excluded.version`,
    [
      payment.id,
      payment.checkoutRequestId,
      payment.merchantRequestId,
      payment.phoneNumber,
      payment.amount,
      payment.accountReference,
      payment.status,
      payment.mpesaReceiptNumber,
      payment.failureReason,
      payment.resultCode,
      payment.resultCodeText,
      payment.initiatedAt.getTime(),
      payment.completedAt?.getTime() ?? null,
      callback === undefined ? null : Buffer.from(callback.body).toString('utf8'),
      payment.idempotencyKey,
      payment.version,
    ],
  )
}

/** Pushes whose outcome is not known, or whose sender did not come back in time. */
export function listUnresolved(on: SqliteStatements, at: Date, limit: number): readonly PaymentRecord[] {
  return on
    .all<InitiationRow>(
      `SELECT * FROM mpesa_initiations WHERE state IN ('sent', 'unknown') AND (state = 'unknown' OR send_deadline_at <= ?)
       ORDER BY reserved_at LIMIT ?`,
      [at.getTime(), limit],
    )
    .map(row => ({ initiation: toInitiation(row), payment: null }))
}

function conditionOf(key: PaymentKey): readonly [condition: string, value: string] {
  if ('paymentId' in key) return ['payment_id = ?', key.paymentId]
  if ('idempotencyKey' in key) return ["idempotency_key = ? AND state <> 'refused'", key.idempotencyKey]
  if ('tokenHash' in key) return ['token_hash = ?', key.tokenHash]
  if ('checkoutRequestId' in key) {
    return ['payment_id = (SELECT id FROM mpesa_payments WHERE checkout_request_id = ?)', key.checkoutRequestId]
  }
  return ['payment_id = (SELECT id FROM mpesa_payments WHERE merchant_request_id = ? LIMIT 1)', key.merchantRequestId]
}
