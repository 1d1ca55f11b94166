import { createHash } from 'node:crypto'
import type { AuditEntry, AuditEvent, RecordedAuditEntry } from '../core/audit/audit-entry.ts'
import type { Initiation, InitiationState, Intent } from '../core/initiate/initiation.ts'
import type { Payment } from '../core/payment/payment.ts'
import { pendingPayment } from '../core/payment/pending-payment.ts'
import type { PaymentRecord, Store, Transition } from '../core/ports.ts'
import type { CallbackEvidence } from '../core/receive/callback-evidence.ts'

/** A fixed instant, so that every adapter stores and returns the same. */
export const sampleTime = new Date('2026-04-03T10:00:00.123Z')

let lastNumber = 0

/** An intent that no other sample shares an id or key with. */
export function sampleIntent(changes: Partial<Intent> = {}): Intent {
  const number = ++lastNumber
  return {
    paymentId: `payment-${number}`,
    idempotencyKey: `key-${number}`,
    phoneNumber: '254708374149',
    amount: 500,
    accountReference: 'ORDER-123',
    description: 'Bread, milk & tea – the “usual”',
    shortCode: '174379',
    transactionType: 'CustomerPayBillOnline',
    partyB: '174379',
    reservedAt: sampleTime,
    ...changes,
  }
}

export function sampleEntry(paymentId: string, event: AuditEvent, evidence: AuditEntry['evidence'] = {}): AuditEntry {
  return {
    id: `entry-${++lastNumber}`,
    paymentId,
    at: sampleTime,
    event,
    cause: 'initiate',
    before: null,
    after: null,
    evidence,
  }
}

export function sampleCallback(changes: Partial<CallbackEvidence> & { readonly text?: string } = {}): CallbackEvidence {
  const { text = `{"n":${++lastNumber}}`, ...rest } = changes
  const body = new TextEncoder().encode(text)
  return {
    digest: createHash('sha256').update(body).digest('hex'),
    body,
    checkoutRequestId: null,
    merchantRequestId: null,
    receivedAt: sampleTime,
    ...rest,
  }
}

export async function reserve(store: Store, intent: Intent = sampleIntent()): Promise<PaymentRecord> {
  const { record } = await store.reserveInitiation(intent, sampleEntry(intent.paymentId, 'initiation.reserved'))
  return record
}

/** A step from `record` as it is, to the state and payment given. */
export function step(
  record: PaymentRecord,
  next: {
    readonly state?: InitiationState
    readonly initiation?: Partial<Initiation>
    readonly payment?: Payment | null
  },
  event: AuditEvent = 'initiation.sent',
): Transition {
  const { initiation, payment } = record
  return {
    paymentId: initiation.paymentId,
    expected: { initiationState: initiation.state, paymentVersion: payment?.version ?? null },
    initiation: { ...initiation, ...next.initiation, state: next.state ?? initiation.state },
    payment: next.payment === undefined ? payment : next.payment,
    entry: sampleEntry(initiation.paymentId, event),
  }
}

/** Commits a step and returns the record after it; fails when somebody else was first. */
export async function commit(store: Store, transition: Transition): Promise<PaymentRecord> {
  const outcome = await store.commitTransition(transition)
  if (outcome.outcome !== 'committed') throw new Error(`expected a commit, got ${outcome.outcome}`)
  return outcome.record
}

export function samplePayment({ initiation }: PaymentRecord, changes: Partial<Payment> = {}): Payment {
  const number = ++lastNumber
  return { ...pendingPayment(initiation, `ws_CO_${number}`, `merchant-${number}`), ...changes }
}

/** Commits the acceptance of a push. */
export async function accept(
  store: Store,
  sent: PaymentRecord,
  changes: Partial<Payment> = {},
): Promise<PaymentRecord> {
  return commit(store, step(sent, { state: 'accepted', payment: samplePayment(sent, changes) }, 'initiation.accepted'))
}

/** A record that Daraja accepted. */
export async function accepted(store: Store): Promise<PaymentRecord> {
  return accept(store, await commit(store, step(await reserve(store), { state: 'sent' })))
}

/** The trail of one payment. */
export async function trailOf(store: Store, paymentId: string): Promise<readonly RecordedAuditEntry[]> {
  return store.readTrail({ paymentId }, 10)
}
