import type { AuditCause, AuditEntry, AuditEvent, AuditEvidence, RecordedAuditEntry } from '../audit/audit-entry.ts'
import type { NewWork } from '../due/due-work.ts'
import type { PaymentRecord } from '../ports.ts'

/** Events that say that two accounts of one payment differ. Each is raised through `onDiscrepancy`. */
export type DiscrepancyEvent = Extract<
  AuditEvent,
  'callback.contradiction' | 'evidence.contradiction' | 'reconcile.mismatch'
>

/** Two accounts of one payment that differ. Both are kept; nothing was changed. */
export type Discrepancy = {
  /** The same on every attempt to tell you. */
  readonly id: string
  readonly paymentId: string
  readonly event: DiscrepancyEvent
  /** Who says something else than what stands. */
  readonly cause: AuditCause
  /** Why it was not believed, e.g. `amount-differs`, `receipt-seen-before`, `other-status`. */
  readonly reason: string
  /** What stood when it came: a payment status, or an initiation state in lower case. */
  readonly standing: string | null
  /** The status that was claimed, where it is known. */
  readonly claimed: string | null
  readonly at: Date
  readonly evidence: AuditEvidence
}

export function viewDiscrepancy({
  id,
  paymentId,
  event,
  cause,
  before,
  at,
  evidence,
}: RecordedAuditEntry): Discrepancy {
  const { reason = 'other-status', claimed = null } = evidence
  return {
    id,
    paymentId,
    event: event as DiscrepancyEvent,
    cause,
    reason: String(reason),
    standing: before,
    claimed: claimed === null ? null : String(claimed),
    at,
    evidence,
  }
}

/** The state of a record in one word. */
function standingOf({ initiation, payment }: PaymentRecord): string {
  return payment?.status ?? initiation.state
}

/** A line for the trail that changes nothing. */
export function noteEntry(
  record: PaymentRecord,
  event: AuditEvent,
  cause: AuditCause,
  mark: { readonly entryId: string; readonly at: Date },
  evidence: AuditEvidence,
): AuditEntry {
  const standing = standingOf(record)
  return {
    id: mark.entryId,
    paymentId: record.initiation.paymentId,
    at: mark.at,
    event,
    cause,
    before: standing,
    after: standing,
    evidence,
  }
}

/** The call of the discrepancy handlers that comes with such a line. */
export function discrepancyWork({ id, paymentId, event }: AuditEntry): NewWork {
  return { id, kind: 'discrepancy', paymentId, cause: event, delayMs: 0 }
}
