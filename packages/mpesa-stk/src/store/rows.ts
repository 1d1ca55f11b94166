import type { AuditCause, AuditEvent, AuditEvidence, RecordedAuditEntry } from '../core/audit/audit-entry.ts'
import type { AuditCheckpoint } from '../core/audit/checkpoint.ts'
import type { TrailHead } from '../core/audit/trail-chain.ts'
import type { DueWork, ParkedWork, WorkKind } from '../core/due/due-work.ts'
import type { Initiation, InitiationState, TransactionType } from '../core/initiate/initiation.ts'
import type { Payment, PaymentStatus } from '../core/payment/payment.ts'
import type { QueryPace } from '../core/poll/query-pace.ts'
import type { PositionedHash, ReconciliationOpened, RecordedTrail, TokenAsk, TokenTaken } from '../core/ports.ts'
import type { CallbackEvidence } from '../core/receive/callback-evidence.ts'
import type { KeptMismatch, ReconciliationProgress } from '../core/reconcile/reconciliation.ts'

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
  cause: AuditEvent
  attempts: number
  due_at: Time
  lease_id: string | null
  vain_tries: number
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
  hash: string
}

/** A row of `SELECT i.payment_id AS trail_of, i.audit_count, i.audit_head, a.*`: the entry's columns are null without one. */
export type TrailRow = { trail_of: string; audit_count: number; audit_head: string } & (
  | AuditRow
  | Record<keyof AuditRow, null>
)

/** PostgreSQL's driver gives a BIGINT as text. */
export type HashRow = { position: number | string; hash: string }

export type CheckpointRow = {
  number: number
  at: Time
  through: number | string
  entries: number
  digest: string
  seal: string
}

export type PaceRow = { next_at: Time; interval_ms: number }

export type ReconciliationRow = {
  checked: number
  matched: number
  skipped: number
  mismatches: string
  after_initiated: Time | null
  after_payment_id: string | null
  is_done: number
  run: number
  lease_id: string
  lease_until: Time
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
  return { ...toWork(row), vainTries: row.vain_tries, leaseId: row.lease_id ?? '' }
}

export function toParkedWork(row: WorkRow): ParkedWork {
  return { ...toWork(row), lastError: row.last_error ?? '' }
}

function toWork(row: WorkRow): Omit<DueWork, 'leaseId' | 'vainTries'> {
  return {
    id: row.id,
    kind: row.kind,
    paymentId: row.payment_id,
    cause: row.cause,
    dueAt: new Date(row.due_at),
    attempts: row.attempts,
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
    hash: row.hash,
    at: new Date(row.at),
    event: row.event,
    cause: row.cause,
    before: row.before,
    after: row.after,
    evidence: JSON.parse(row.evidence) as AuditEvidence,
  }
}

/** Rows of trails, one after another, as trails. */
export function toTrails(rows: readonly TrailRow[]): readonly RecordedTrail[] {
  const trails = new Map<string, { readonly head: TrailHead; readonly entries: RecordedAuditEntry[] }>()
  for (const row of rows) {
    const { trail_of, audit_count, audit_head } = row
    const trail = trails.get(trail_of) ?? { head: { count: audit_count, hash: audit_head }, entries: [] }
    trails.set(trail_of, trail)
    if (row.entry_id !== null) trail.entries.push(toAuditEntry(row))
  }
  return [...trails].map(([paymentId, trail]) => ({ paymentId, ...trail }))
}

export function toPositionedHash({ position, hash }: HashRow): PositionedHash {
  return { position: Number(position), hash }
}

export function toCheckpoint(row: CheckpointRow): AuditCheckpoint {
  const { number, at, through, entries, digest, seal } = row
  return { number, at: new Date(at), through: Number(through), entries, digest, seal }
}

export function toQueryPace({ next_at, interval_ms }: PaceRow): QueryPace {
  return { nextAt: new Date(next_at), intervalMs: interval_ms, isGranted: false }
}

export function toProgress(row: ReconciliationRow): ReconciliationProgress {
  const afterAt = toDate(row.after_initiated)
  return {
    checked: row.checked,
    matched: row.matched,
    skipped: row.skipped,
    mismatches: JSON.parse(row.mismatches) as readonly KeptMismatch[],
    after: afterAt === null ? null : { initiatedAt: afterAt, paymentId: row.after_payment_id ?? '' },
    isDone: row.is_done === 1,
  }
}

/** What opening a reconciliation comes to, from the row that is there; null when it is ours to begin or go on with. */
export function judgeReconciliation(
  row: ReconciliationRow | undefined,
  awaitedRun: number | null,
  now: Date,
): Exclude<ReconciliationOpened, { readonly outcome: 'opened' }> | null {
  if (row === undefined) return null
  if (row.is_done === 1) {
    const isAwaited = awaitedRun !== null && row.run >= awaitedRun
    return isAwaited ? { outcome: 'done', progress: toProgress(row) } : null
  }
  return new Date(row.lease_until) > now ? { outcome: 'busy', run: row.run } : null
}

function toDate(time: Time | null): Date | null {
  return time === null ? null : new Date(time)
}
