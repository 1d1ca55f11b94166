import type { AuditEvidence } from '../audit/audit-entry.ts'
import type { Fingerprint } from '../audit/fingerprint.ts'
import type { SettledCause } from '../due/due-work.ts'
import type { Initiation } from '../initiate/initiation.ts'
import { readAmount } from '../payment/amount.ts'
import type { Payment } from '../payment/payment.ts'
import { pendingPayment } from '../payment/pending-payment.ts'
import { isStandIn, standInRequestId } from '../payment/request-id.ts'
import { resultCodeAsInteger } from '../payment/result-code.ts'
import type { PaymentRecord, Transition } from '../ports.ts'
import type { Claim } from './claim.ts'
import { settlementTable } from './settlement-table.ts'

/** Why a claim was not believed. */
export type ContradictionReason =
  | 'other-checkout-request-id'
  | 'no-checkout-request-id'
  | 'push-was-refused'
  | 'amount-differs'
  | 'amount-missing'
  | 'receipt-differs'
  | 'receipt-seen-before'
  | 'checkout-request-id-seen-before'
  | 'other-status'
  | 'other-result-code'
  | 'query-says-otherwise'
  | 'never-confirmed'

/** What to do about a claim. Only a `move` changes a payment. */
export type SettlementDecision =
  | { readonly decision: 'move'; readonly transition: Transition }
  | { readonly decision: 'repeat' }
  | { readonly decision: 'contradict'; readonly reason: ContradictionReason }

/** The id of the audit entry, should the claim move the payment, and its time. */
export type SettlementMark = { readonly entryId: string; readonly at: Date; readonly fingerprint: Fingerprint }

/** Decides what a claim does to a payment, from data alone, whoever makes it. */
export function decideSettlement(record: PaymentRecord, claim: Claim, mark: SettlementMark): SettlementDecision {
  const { initiation } = record
  if (initiation.state === 'refused') return contradict('push-was-refused')
  const standing = paymentFor(record, claim)
  if (standing === null) return contradict('no-checkout-request-id')
  if (claim.checkoutRequestId !== null && claim.checkoutRequestId !== standing.checkoutRequestId) {
    return contradict('other-checkout-request-id')
  }
  if (claim.status === 'SUCCESS') {
    if (claim.amount === undefined && claim.needsAmount) return contradict('amount-missing')
    if (claim.amount !== undefined && readAmount(claim.amount) !== initiation.amount)
      return contradict('amount-differs')
  }
  if (claim.weight === 'yields' && standing.status !== 'PENDING') return { decision: 'repeat' }
  const effect = settlementTable[standing.status][claim.status]
  switch (effect === 'contradict' && claim.weight === 'overrules' ? 'correct' : effect) {
    case 'contradict':
      return contradict('other-status')
    case 'settle':
      return move(record, settle(standing, claim, mark.at), 'payment.settled', claim, mark)
    case 'correct':
      return move(record, settle(standing, claim, mark.at), 'payment.corrected', claim, mark)
    case 'repeat':
      return repeat(record, standing, claim, mark)
  }
}

/**
 * The payment that a claim is about: the one that stands, or the one that a push must have made whose answer we never
 * heard. Where Daraja's id is still missing, the claim may bring it.
 */
function paymentFor({ initiation, payment }: PaymentRecord, claim: Claim): Payment | null {
  const { checkoutRequestId, merchantRequestId } = claim
  if (payment !== null) {
    if (checkoutRequestId === null || !isStandIn(payment.checkoutRequestId)) return payment
    return { ...payment, checkoutRequestId, merchantRequestId: merchantRequestId ?? payment.merchantRequestId }
  }
  if (checkoutRequestId !== null) return pendingPayment(initiation, checkoutRequestId, merchantRequestId ?? '')
  // Safaricom's own word about a push always names it; a person or a statement knows the money and not the push.
  return claim.cause === 'callback' ? null : pendingPayment(initiation, standInRequestId(initiation.paymentId), '')
}

/** A claim that agrees with what stands: at most it brings what was missing. */
function repeat(record: PaymentRecord, standing: Payment, claim: Claim, mark: SettlementMark): SettlementDecision {
  const { resultCodeText, mpesaReceiptNumber } = standing
  if (resultCodeText !== null && claim.resultCode !== null && resultCodeText !== claim.resultCode) {
    return contradict('other-result-code')
  }
  if (claim.status !== 'SUCCESS' || claim.receipt === null) return { decision: 'repeat' }
  if (mpesaReceiptNumber === claim.receipt) return { decision: 'repeat' }
  if (mpesaReceiptNumber !== null && claim.weight !== 'overrules') return contradict('receipt-differs')
  const completed = { ...standing, mpesaReceiptNumber: claim.receipt, version: standing.version + 1 }
  const event = mpesaReceiptNumber === null ? 'payment.receipt-added' : 'payment.corrected'
  return move(record, completed, event, claim, mark)
}

function settle(standing: Payment, claim: Claim, at: Date): Payment {
  const { status, resultCode, resultDesc, receipt } = claim
  const isPaid = status === 'SUCCESS'
  return {
    ...standing,
    status,
    mpesaReceiptNumber: isPaid ? (receipt ?? standing.mpesaReceiptNumber) : null,
    failureReason: isPaid ? null : resultDesc,
    resultCode: resultCode === null ? null : resultCodeAsInteger(resultCode),
    resultCodeText: resultCode,
    completedAt: at,
    version: standing.version + 1,
  }
}

function move(
  record: PaymentRecord,
  next: Payment,
  event: SettledCause,
  claim: Claim,
  { entryId, at, fingerprint }: SettlementMark,
): SettlementDecision {
  const { initiation, payment } = record
  const { paymentId } = initiation
  const evidence: AuditEvidence = {
    ...(claim.resultCode !== null && { resultCode: claim.resultCode }),
    ...(next.mpesaReceiptNumber !== null && { receipt: fingerprint(next.mpesaReceiptNumber) }),
    ...(next.checkoutRequestId !== payment?.checkoutRequestId && {
      checkoutRequestId: fingerprint(next.checkoutRequestId),
    }),
    ...(payment === null && { initiationWas: initiation.state }),
    ...claim.evidence,
  }
  return {
    decision: 'move',
    transition: {
      paymentId,
      expected: { initiationState: initiation.state, paymentVersion: payment?.version ?? null },
      initiation: provenAccepted(initiation, at),
      payment: next,
      entry: {
        id: entryId,
        paymentId,
        at,
        event,
        cause: claim.cause,
        before: payment?.status ?? null,
        after: next.status,
        evidence,
      },
      work: [{ id: entryId, kind: 'settled', paymentId, cause: event, delayMs: 0 }],
    },
  }
}

/** Whoever knows how a push ended proves that it was accepted, whatever we had learnt of it until then. */
export function provenAccepted(initiation: Initiation, at: Date): Initiation {
  if (initiation.state === 'accepted') return initiation
  return { ...initiation, state: 'accepted', concludedAt: at, answerCode: null, answerMessage: null }
}

function contradict(reason: ContradictionReason): SettlementDecision {
  return { decision: 'contradict', reason }
}
