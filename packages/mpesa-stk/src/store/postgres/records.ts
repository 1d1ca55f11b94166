import type { TrailHead } from '../../core/audit/trail-chain.ts'
import type { Initiation, Intent } from '../../core/initiate/initiation.ts'
import type { Payment } from '../../core/payment/payment.ts'
import type { PaymentKey, PaymentRecord } from '../../core/ports.ts'
import type { CallbackEvidence } from '../../core/receive/callback-evidence.ts'
import { type InitiationRow, type PaymentRow, toInitiation, toPayment } from '../rows.ts'
import { all, first, type Queryable, sqlState } from './pool.ts'
import type { Statement } from './statement.ts'

export const paymentColumns = [
  'id',
  'checkout_request_id',
  'merchant_request_id',
  'phone_number',
  'amount',
  'account_reference',
  'status',
  'mpesa_receipt_number',
  'failure_reason',
  'result_code',
  'result_code_text',
  'initiated_at',
  'completed_at',
  'idempotency_key',
  'version',
] as const satisfies readonly (keyof PaymentRow)[]

const conditions = {
  paymentId: 'i.payment_id = $1',
  idempotencyKey: "i.idempotency_key = $1 AND i.state <> 'refused'",
  tokenHash: 'i.token_hash = $1',
  checkoutRequestId: 'p.checkout_request_id = $1',
  merchantRequestId: 'p.merchant_request_id = $1',
} as const

export async function find(on: Queryable, key: PaymentKey): Promise<PaymentRecord | null> {
  const [[name, value] = ['', '']] = Object.entries(key)
  const condition = conditions[name as keyof typeof conditions]
  const row = await first<InitiationRow & Record<string, unknown>>(
    on,
    `SELECT i.*, ${paymentColumns.map(column => `p.${column} AS p_${column}`).join(', ')}
     FROM mpesa_initiations i LEFT JOIN mpesa_payments p ON p.id = i.payment_id WHERE ${condition} LIMIT 1`,
    [value],
  )
  return row === undefined ? null : toRecord(row)
}

function toRecord(row: InitiationRow & Record<string, unknown>): PaymentRecord {
  const payment = Object.fromEntries(paymentColumns.map(column => [column, row[`p_${column}`]])) as PaymentRow
  return { initiation: toInitiation(row), payment: row['p_id'] === null ? null : toPayment(payment) }
}

/** Pushes whose outcome is not known, or whose sender did not come back in time. */
export async function listUnresolved(on: Queryable, at: Date, limit: number): Promise<readonly PaymentRecord[]> {
  const rows = await all<InitiationRow>(
    on,
    `SELECT * FROM mpesa_initiations WHERE state IN ('sent', 'unknown') AND (state = 'unknown' OR send_deadline_at <= $1)
     ORDER BY reserved_at LIMIT $2`,
    [at, limit],
  )
  return rows.map(row => ({ initiation: toInitiation(row), payment: null }))
}

export async function findByRequestId(
  client: Queryable,
  { checkoutRequestId, merchantRequestId }: CallbackEvidence,
): Promise<PaymentRecord | null> {
  if (checkoutRequestId !== null) return find(client, { checkoutRequestId })
  return merchantRequestId === null ? null : find(client, { merchantRequestId })
}

/** False when its key is in use, or the intent is there already. */
export async function insertInitiation(client: Queryable, intent: Intent): Promise<boolean> {
  const inserted = await first(
    client,
    `INSERT INTO mpesa_initiations (payment_id, idempotency_key, state, phone_number, amount, account_reference,
       description, short_code, transaction_type, party_b, reserved_at)
     VALUES ($1, $2, 'reserved', $3, $4, $5, $6, $7, $8, $9, $10)
     ON CONFLICT DO NOTHING RETURNING payment_id`,
    [
      intent.paymentId,
      intent.idempotencyKey,
      intent.phoneNumber,
      intent.amount,
      intent.accountReference,
      intent.description,
      intent.shortCode,
      intent.transactionType,
      intent.partyB,
      intent.reservedAt,
    ],
  )
  return inserted !== undefined
}

/** The initiation as it is after a step, with the head of its trail: one row, written once. */
export function updateInitiation(initiation: Initiation, head: TrailHead): Statement {
  return {
    text: `UPDATE mpesa_initiations SET state = $2, token_hash = $3, send_deadline_at = $4, concluded_at = $5,
      answer_code = $6, answer_message = $7, audit_count = $8, audit_head = $9 WHERE payment_id = $1`,
    values: [
      initiation.paymentId,
      initiation.state,
      initiation.tokenHash,
      initiation.sendDeadlineAt,
      initiation.concludedAt,
      initiation.answerCode,
      initiation.answerMessage,
      head.count,
      head.hash,
    ],
  }
}

/** Notes whose a receipt is: ours already when a later step writes it again; anybody else's is a unique violation. */
export function putReceipt(before: Payment | null, { id, mpesaReceiptNumber }: Payment): readonly Statement[] {
  if (mpesaReceiptNumber !== null && mpesaReceiptNumber === before?.mpesaReceiptNumber) return []
  if (mpesaReceiptNumber !== null) {
    return [
      ...(before?.mpesaReceiptNumber == null
        ? []
        : [
            {
              text: 'DELETE FROM mpesa_receipts WHERE receipt = $1 AND payment_id = $2',
              values: [before.mpesaReceiptNumber, id],
            },
          ]),
      {
        text: `INSERT INTO mpesa_receipts (receipt, payment_id) SELECT $1::text, $2::text
          WHERE NOT EXISTS (SELECT 1 FROM mpesa_receipts WHERE receipt = $1 AND payment_id = $2)`,
        values: [mpesaReceiptNumber, id],
      },
    ]
  }
  const hadReceipt = before !== null && before.mpesaReceiptNumber !== null
  return hadReceipt ? [{ text: 'DELETE FROM mpesa_receipts WHERE payment_id = $1', values: [id] }] : []
}

export function putPayment(payment: Payment, callback: CallbackEvidence | undefined): Statement {
  return {
    text: `INSERT INTO mpesa_payments (id, checkout_request_id, merchant_request_id, phone_number, amount, account_reference,
        status, mpesa_receipt_number, failure_reason, result_code, result_code_text, initiated_at, completed_at,
        raw_callback, idempotency_key, version)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, mpesa_try_jsonb($14), $15, $16)
      ON CONFLICT (id) DO UPDATE SET checkout_request_id = excluded.checkout_request_id,
        merchant_request_id = excluded.merchant_request_id, status = excluded.status,
        mpesa_receipt_number = excluded.mpesa_receipt_number, failure_reason = excluded.failure_reason,
        result_code = excluded.result_code, result_code_text = excluded.result_code_text,
        completed_at = excluded.completed_at, version = excluded.version,
        raw_callback = coalesce(excluded.raw_callback, mpesa_payments.raw_callback)`,
    values: [
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
      payment.initiatedAt,
      payment.completedAt,
      callback === undefined ? null : storableText(callback.body),
      payment.idempotencyKey,
      payment.version,
    ],
  }
}

/** The body as text, or null where PostgreSQL would refuse the text itself. */
function storableText(body: Uint8Array): string | null {
  const text = Buffer.from(body).toString('utf8')
  return text.includes('\0') ? null : text
}

const takenByConstraint: Readonly<Record<string, 'receipt' | 'checkoutRequestId'>> = {
  mpesa_receipts_pkey: 'receipt',
  mpesa_payments_checkout_request_id_key: 'checkoutRequestId',
}

export function takenField(error: unknown): 'receipt' | 'checkoutRequestId' | null {
  if (sqlState(error) !== '23505' || !(error instanceof Error)) return null
  return takenByConstraint[String(Reflect.get(error, 'constraint'))] ?? null
}
