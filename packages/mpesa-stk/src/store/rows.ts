import type { AuditCause, AuditEvent, AuditEvidence, RecordedAuditEntry } from '../core/audit/audit-entry.ts'
import type { DueWork, NewWork, ParkedWork, SettledCause, WorkKind } from '../core/due/due-work.ts'
import type { Initiation, InitiationState, TransactionType } from '../core/initiate/initiation.ts'
import type { Payment, PaymentStatus } from '../core/payment/payment.ts'
import type { TokenAsk, TokenTaken } from '../core/ports.ts'
import type { CallbackEvidence } from '../core/receive/callback-evidence.ts'

/** A time as a database returns it: milliseconds since 1970 from SQLite, a Date from PostgreSQL. */
type Time = number | Date

/** Rows as either database returns them. The CHECKs of the schema vouch for the unions. */
export type InitiationRow = {
  payment_id: string
  idempotency_key: string | null
  state: InitiationState
  phone_number: string
  amount: number
  account_reference: string
  description: string
  short_code: string
  transaction_type: TransactionType
  party_b: string
  token_hash: string | null
  reserved_at: Time
  send_deadline_at: Time | null
  concluded_at: Time | null
  answer_code: string | null
  answer_message: string | null
}

export type PaymentRow = {
  id: string
  checkout_request_id: string
  merchant_request_id: string
  phone_number: string
  amount: number
  account_reference: string
  status: PaymentStatus
  mpesa_receipt_number: string | null
  failure_reason: string | null
  result_code: number | null
  result_code_text: string | null
  initiated_at: Time
  completed_at: Time | null
  idempotency_key: string | null
  version: number
}

export type CallbackRow = {
  digest: string
  checkout_request_id: string | null
  merchant_request_id: string | null
  body: Uint8Array
  received_at: Time
}

export type TokenRow = {
  sealed: Uint8Array | null
  digest: string | null
  ends_at: Time | null
  fetched_until: Time | null
}

export type WorkRow = {
  id: string
  kind: WorkKind
  payment_id: string
  cause: SettledCause
  attempts: number
  due_at: Time
  lease_id: string | null
  last_error: string | null
}

export type AuditRow = {
  payment_id: string
  sequence: number
  entry_id: string
  at: Time
  event: AuditEvent
  cause: AuditCause
  before: string | null
  after: string | null
  evidence: string
}

export function toInitiation(row: InitiationRow): Initiation {
  return {
    paymentId: row.payment_id,
    idempotencyKey: row.idempotency_key,
    state: row.state,
    phoneNumber: row.phone_number,
    amount: row.amount,
    accountReference: row.account_reference,
    description: row.description,
    shortCode: row.short_code,
    transactionType: row.transaction_type,
    partyB: row.party_b,
    tokenHash: row.token_hash,
    reservedAt: new Date(row.reserved_at),
    sendDeadlineAt: toDate(row.send_deadline_at),
    concludedAt: toDate(row.concluded_at),
    answerCode: row.answer_code,
    answerMessage: row.answer_message,
  }
}

export function toPayment(row: PaymentRow): Payment {
  return {
    id: row.id,
    checkoutRequestId: row.checkout_request_id,
    merchantRequestId: row.merchant_request_id,
    phoneNumber: row.phone_number,
    amount: row.amount,
    accountReference: row.account_reference,
    status: row.status,
    mpesaReceiptNumber: row.mpesa_receipt_number,
    failureReason: row.failure_reason,
    resultCode: row.result_code,
    resultCodeText: row.result_code_text,
    initiatedAt: new Date(row.initiated_at),
    completedAt: toDate(row.completed_at),
    idempotencyKey: row.idempotency_key,
    version: row.version,
  }
}

export function toCallback(row: CallbackRow): CallbackEvidence {
  return {
    digest: row.digest,
    body: new Uint8Array(row.body),
    checkoutRequestId: row.checkout_request_id,
    merchantRequestId: row.merchant_request_id,
    receivedAt: new Date(row.received_at),
  }
}

export function toDueWork(row: WorkRow): DueWork {
  return { ...toNewWork(row), attempts: row.attempts, leaseId: row.lease_id ?? '' }
}

export function toParkedWork(row: WorkRow): ParkedWork {
  return { ...toNewWork(row), attempts: row.attempts, lastError: row.last_error ?? '' }
}

function toNewWork(row: WorkRow): NewWork {
  return {
    id: row.id,
    kind: row.kind,
    paymentId: row.payment_id,
    cause: row.cause,
    dueAt: new Date(row.due_at),
  }
}

/** What asking for a token comes to, from the row that is there. */
export function toTokenTaken(row: TokenRow | undefined, { at, goodUntil }: TokenAsk): TokenTaken {
  const endsAt = toDate(row?.ends_at ?? null)
  if (row?.sealed && row.digest !== null && endsAt !== null && endsAt > goodUntil) {
    return { outcome: 'kept', token: { sealed: new Uint8Array(row.sealed), digest: row.digest, endsAt } }
  }
  const fetchedUntil = toDate(row?.fetched_until ?? null)
  return { outcome: fetchedUntil !== null && fetchedUntil > at ? 'wait' : 'fetch' }
}

export function toAuditEntry(row: AuditRow): RecordedAuditEntry {
  return {
    id: row.entry_id,
    paymentId: row.payment_id,
    sequence: row.sequence,
    at: new Date(row.at),
    event: row.event,
    cause: row.cause,
    before: row.before,
    after: row.after,
    evidence: JSON.parse(row.evidence) as AuditEvidence,
  }
}

function toDate(time: Time | null): Date | null {
  return time === null ? null : new Date(time)
}
