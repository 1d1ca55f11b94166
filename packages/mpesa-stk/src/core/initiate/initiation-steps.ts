import type { AuditEntry, AuditEvent } from '../audit/audit-entry.ts'
import type { Fingerprint } from '../audit/fingerprint.ts'
import { pendingPayment } from '../payment/pending-payment.ts'
import { pollDelayMs, pollWork } from '../poll/poll-schedule.ts'
import type { PaymentRecord, PushOutcome, Transition } from '../ports.ts'
import type { Initiation, InitiationState, Intent } from './initiation.ts'

/** The id of a step's audit entry, and its time. */
export type StepMark = { readonly entryId: string; readonly at: Date; readonly fingerprint: Fingerprint }

/** The first line of a payment's trail: what was asked, and of whom as far as a keyed hash tells. */
export function reservedEntry(intent: Intent, mark: StepMark): AuditEntry {
  const { paymentId, amount, transactionType, phoneNumber, accountReference } = intent
  return {
    ...entryFor(paymentId, 'initiation.reserved', mark, null, 'reserved'),
    evidence: {
      amount,
      transactionType,
      phoneNumber: mark.fingerprint(phoneNumber),
      accountReference: mark.fingerprint(accountReference),
    },
  }
}

/** `reserved → sent`: whoever commits this may push, and nobody else. */
export function claimSend(
  { initiation }: PaymentRecord,
  mark: StepMark,
  claim: { readonly sendDeadlineAt: Date; readonly tokenHash: string | null },
): Transition {
  const { sendDeadlineAt, tokenHash } = claim
  return {
    paymentId: initiation.paymentId,
    expected: { initiationState: initiation.state, paymentVersion: null },
    initiation: { ...initiation, state: 'sent', tokenHash, sendDeadlineAt },
    payment: null,
    entry: {
      ...entryFor(initiation.paymentId, 'initiation.sent', mark, initiation.state, 'sent'),
      evidence: { token: tokenHash !== null },
    },
  }
}

const eventOfOutcome = {
  accepted: 'initiation.accepted',
  refused: 'initiation.refused',
  unknown: 'initiation.unknown',
} as const satisfies Record<PushOutcome['outcome'], AuditEvent>

/** To what a push came to. Its payment appears with an acceptance, and is polled from then on. */
export function conclude(
  { initiation }: PaymentRecord,
  answer: PushOutcome,
  mark: StepMark,
  pollIntervalMs: number,
): Transition {
  const { paymentId, state } = initiation
  const isAccepted = answer.outcome === 'accepted'
  return {
    paymentId,
    expected: { initiationState: state, paymentVersion: null },
    initiation: concluded(initiation, answer, mark.at),
    payment: isAccepted ? pendingPayment(initiation, answer.checkoutRequestId, answer.merchantRequestId) : null,
    entry: {
      ...entryFor(paymentId, eventOfOutcome[answer.outcome], mark, state, answer.outcome),
      cause: 'push-answer',
      evidence: isAccepted
        ? { checkoutRequestId: mark.fingerprint(answer.checkoutRequestId) }
        : { code: answer.code, httpStatus: answer.httpStatus },
    },
    ...(isAccepted && { work: [pollWork(initiation, pollDelayMs(0, pollIntervalMs))] }),
  }
}

/** The initiation with what is known of its answer. */
export function concluded(initiation: Initiation, answer: PushOutcome, at: Date): Initiation {
  const isAccepted = answer.outcome === 'accepted'
  return {
    ...initiation,
    state: answer.outcome,
    concludedAt: at,
    answerCode: isAccepted ? null : answer.code,
    answerMessage: isAccepted ? null : answer.message,
  }
}

function entryFor(
  paymentId: string,
  event: AuditEvent,
  { entryId, at }: StepMark,
  before: InitiationState | null,
  after: InitiationState,
): AuditEntry {
  return { id: entryId, paymentId, at, event, cause: 'initiate', before, after, evidence: {} }
}
