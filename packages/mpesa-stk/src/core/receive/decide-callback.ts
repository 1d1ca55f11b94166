import { pendingPayment } from '../payment/pending-payment.ts'
import { pollWork } from '../poll/poll-schedule.ts'
import type { PaymentRecord, Transition } from '../ports.ts'
import { claimOfCallback } from '../settle/claim.ts'
import {
  decideSettlement,
  provenAccepted,
  type SettlementDecision,
  type SettlementMark,
} from '../settle/decide-settlement.ts'
import type { StkCallback } from './parse-callback.ts'

/** How a callback came, and what it must be proven by. */
export type Arrival = SettlementMark & {
  /** SHA-256 of the token in the path that it was posted to; null when there was none. */
  readonly tokenHash: string | null
  /** SHA-256 of the body, for the audit trail. */
  readonly digest: string
  /** `query`: a success moves nothing before an STK query says the same; nor does anything that came without a token. */
  readonly confirmSuccess: 'never' | 'query'
}

export type CallbackDecision =
  | SettlementDecision
  | { readonly decision: 'in-progress' }
  /** Nothing moves yet: the callback is kept and the payment asked about. */
  | { readonly decision: 'confirm' }
  /** The same, of a callback that proves a push whose answer was lost: its payment appears, pending. */
  | { readonly decision: 'accept-and-confirm'; readonly transition: Transition }
  | { readonly decision: 'refuse'; readonly reason: 'token-missing' | 'token-wrong' }

/**
 * Decides what a callback does to a payment, from data alone. A payment that was pushed with a token listens to no
 * callback without it: Safaricom signs nothing, so the token is what tells its callback from a forged one.
 */
export function decideCallback(record: PaymentRecord, callback: StkCallback, arrival: Arrival): CallbackDecision {
  const { initiation, payment } = record
  if (initiation.tokenHash !== null && arrival.tokenHash !== initiation.tokenHash) {
    return { decision: 'refuse', reason: arrival.tokenHash === null ? 'token-missing' : 'token-wrong' }
  }
  const claim = claimOfCallback(callback, arrival.digest, { token: initiation.tokenHash !== null })
  if (claim === null) return { decision: 'in-progress' }
  const decision = decideSettlement(record, claim, arrival)
  if (decision.decision !== 'move' || arrival.confirmSuccess === 'never') return decision
  const becomesPaid = decision.transition.payment?.status === 'SUCCESS' && payment?.status !== 'SUCCESS'
  // Without a token anybody may have sent it: a forged failure would make the true success a contradiction.
  if (!becomesPaid && initiation.tokenHash !== null) return decision
  if (payment !== null) return { decision: 'confirm' }
  return { decision: 'accept-and-confirm', transition: acceptance(record, callback, arrival) }
}

function acceptance({ initiation }: PaymentRecord, callback: StkCallback, arrival: Arrival): Transition {
  const { paymentId, state } = initiation
  const { checkoutRequestId, merchantRequestId } = callback
  return {
    paymentId,
    expected: { initiationState: state, paymentVersion: null },
    initiation: provenAccepted(initiation, arrival.at),
    // decideSettlement said `move`, so the callback named its push.
    payment: pendingPayment(initiation, checkoutRequestId ?? '', merchantRequestId ?? ''),
    entry: {
      id: arrival.entryId,
      paymentId,
      at: arrival.at,
      event: 'initiation.accepted',
      cause: 'callback',
      before: state,
      after: 'accepted',
      evidence: { unconfirmed: arrival.digest, checkoutRequestId: arrival.fingerprint(checkoutRequestId ?? '') },
    },
    disposition: 'unconfirmed',
    work: [pollWork(initiation, 0)],
  }
}
