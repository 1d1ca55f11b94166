import type { AuditEvidence } from '../audit/audit-entry.ts'
import type { SettledCause } from '../due/due-work.ts'
import { readAmount } from '../payment/amount.ts'
import type { Payment, SettledStatus } from '../payment/payment.ts'
import { pendingPayment } from '../payment/pending-payment.ts'
import { resultCodeAsInteger, statusOfCallbackCode } from '../payment/result-code.ts'
import type { PaymentRecord, Transition } from '../ports.ts'
import type { StkCallback } from '../receive/parse-callback.ts'
import { settlementTable } from './settlement-table.ts'

/** Why a callback was not believed. */
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

/** What to do about a callback. Only a `move` changes a payment. */
export type SettlementDecision =
  | { readonly decision: 'move'; readonly transition: Transition }
  | { readonly decision: 'repeat' }
  | { readonly decision: 'in-progress' }
  | { readonly decision: 'contradict'; readonly reason: ContradictionReason }
  | { readonly decision: 'refuse'; readonly reason: 'token-missing' | 'token-wrong' }

/** How a callback came: with which token, and when. */
export type Arrival = {
  /** Of the audit entry, should the callback move the payment. */
  readonly entryId: string
  /** SHA-256 of the token in the path that it was posted to; null when there was none. */
  readonly tokenHash: string | null
  readonly at: Date
  /** SHA-256 of the body, for the audit trail. */
  readonly digest: string
}

/**
 * Decides what a callback does to a payment, from data alone. A payment that was pushed with a token listens to no
 * callback without it: Safaricom signs nothing, so the token is what tells its callback from a forged one.
 */
export function decideSettlement(record: PaymentRecord, callback: StkCallback, arrival: Arrival): SettlementDecision {
  const { initiation, payment } = record
  if (initiation.tokenHash !== null && arrival.tokenHash !== initiation.tokenHash) {
    return { decision: 'refuse', reason: arrival.tokenHash === null ? 'token-missing' : 'token-wrong' }
  }
  if (initiation.state === 'refused') return contradict('push-was-refused')
  const checkoutRequestId = payment?.checkoutRequestId ?? callback.checkoutRequestId
  if (checkoutRequestId === null) return contradict('no-checkout-request-id')
  if (callback.checkoutRequestId !== null && callback.checkoutRequestId !== checkoutRequestId) {
    return contradict('other-checkout-request-id')
  }
  const claimed = statusOfCallbackCode(callback.resultCode)
  if (claimed === null) return { decision: 'in-progress' }
  if (claimed === 'SUCCESS') {
    if (callback.amount === undefined) return contradict('amount-missing')
    if (readAmount(callback.amount) !== initiation.amount) return contradict('amount-differs')
  }

  const standing = payment ?? pendingPayment(initiation, checkoutRequestId, callback.merchantRequestId ?? '')
  switch (settlementTable[standing.status][claimed]) {
    case 'contradict':
      return contradict('other-status')
    case 'settle':
      return move(record, settle(standing, claimed, callback, arrival.at), 'payment.settled', callback, arrival)
    case 'correct':
      return move(record, settle(standing, claimed, callback, arrival.at), 'payment.corrected', callback, arrival)
    case 'repeat': {
      if (standing.resultCodeText !== null && standing.resultCodeText !== callback.resultCode) {
        return contradict('other-result-code')
      }
      if (claimed !== 'SUCCESS' || callback.receipt === null) return { decision: 'repeat' }
      if (standing.mpesaReceiptNumber === callback.receipt) return { decision: 'repeat' }
      if (standing.mpesaReceiptNumber !== null) return contradict('receipt-differs')
      const completed = { ...standing, mpesaReceiptNumber: callback.receipt, version: standing.version + 1 }
      return move(record, completed, 'payment.receipt-added', callback, arrival)
    }
  }
}

function settle(standing: Payment, status: SettledStatus, callback: StkCallback, at: Date): Payment {
  return {
    ...standing,
    status,
    mpesaReceiptNumber: status === 'SUCCESS' ? callback.receipt : null,
    failureReason: status === 'SUCCESS' ? null : callback.resultDesc,
    resultCode: resultCodeAsInteger(callback.resultCode),
    resultCodeText: callback.resultCode,
    completedAt: at,
    version: standing.version + 1,
  }
}

function move(
  record: PaymentRecord,
  next: Payment,
  event: SettledCause,
  callback: StkCallback,
  arrival: Arrival,
): SettlementDecision {
  const { initiation, payment } = record
  const evidence: AuditEvidence = {
    resultCode: callback.resultCode,
    callback: arrival.digest,
    token: initiation.tokenHash !== null,
    ...(payment === null && { initiationWas: initiation.state }),
  }
  return {
    decision: 'move',
    transition: {
      paymentId: initiation.paymentId,
      expected: { initiationState: initiation.state, paymentVersion: payment?.version ?? null },
      // A callback proves that the push was accepted, whatever we had learnt of it until then.
      initiation:
        initiation.state === 'accepted'
          ? initiation
          : { ...initiation, state: 'accepted', concludedAt: arrival.at, answerCode: null, answerMessage: null },
      payment: next,
      entry: {
        id: arrival.entryId,
        paymentId: initiation.paymentId,
        at: arrival.at,
        event,
        cause: 'callback',
        before: payment?.status ?? null,
        after: next.status,
        evidence,
      },
      work: [
        { id: arrival.entryId, kind: 'settled', paymentId: initiation.paymentId, cause: event, dueAt: arrival.at },
      ],
    },
  }
}

function contradict(reason: ContradictionReason): SettlementDecision {
  return { decision: 'contradict', reason }
}
