/** Everything that can happen to a payment, as the audit trail names it. */
export const auditEvents = [
  'initiation.reserved',
  'initiation.sent',
  'initiation.accepted',
  'initiation.refused',
  'initiation.unknown',
  'payment.settled',
  'payment.corrected',
  'payment.receipt-added',
  'callback.unconfirmed',
  'callback.contradiction',
  'callback.refused',
  'evidence.contradiction',
  'reconcile.mismatch',
] as const

export type AuditEvent = (typeof auditEvents)[number]

/** What a payment may be resolved by, other than Safaricom's own word about the push. */
export const resolutionSources = ['operator', 'c2b', 'pull', 'statement'] as const

export type ResolutionSource = (typeof resolutionSources)[number]

/** Who or what caused an entry. */
export type AuditCause = 'initiate' | 'push-answer' | 'callback' | 'poll' | 'reconcile' | ResolutionSource

/**
 * Facts behind an entry. Never a secret and never personal data, because the trail is kept for ever: a phone number,
 * reference, receipt or CheckoutRequestID is in it only as a keyed hash (see `Fingerprint`).
 */
export type AuditEvidence = Readonly<Record<string, string | number | boolean | null>>

/** One line of a payment's story, written in the same transaction as the change that it tells of. */
export type AuditEntry = {
  /** Names the step. A step that is committed again, because its acknowledgement was lost, is known by it. */
  readonly id: string
  readonly paymentId: string
  readonly at: Date
  readonly event: AuditEvent
  readonly cause: AuditCause
  /** State before and after: a payment status, or an initiation state in lower case. Null where there was none. */
  readonly before: string | null
  readonly after: string | null
  readonly evidence: AuditEvidence
}

/**
 * An entry as the store keeps it: `sequence` counts from 1 within a payment, without gaps, and `hash` is chained to the
 * hash of the entry before it.
 */
export type RecordedAuditEntry = AuditEntry & { readonly sequence: number; readonly hash: string }

/** Callbacks that are not believed add at most so many lines to a trail, so that a flood of them cannot grow it. */
export const maxCallbackEntries = 50
