import { type Explanation, explain } from '../explain/explain.ts'
import type { InitiationState } from '../initiate/initiation.ts'
import type { PaymentRecord } from '../ports.ts'
import type { Payment, PaymentStatus } from './payment.ts'

/** What `initiatePayment` returns. Only an `UNKNOWN` one has no ids of Daraja. */
export type InitiatedPayment =
  | {
      readonly paymentId: string
      readonly checkoutRequestId: string
      readonly merchantRequestId: string
      readonly status: PaymentStatus
    }
  | {
      readonly paymentId: string
      readonly checkoutRequestId?: undefined
      readonly merchantRequestId?: undefined
      readonly status: 'UNKNOWN'
    }

/**
 * A payment that Daraja has not accepted: `SENDING` while the push is under way, `REFUSED` when nobody was prompted,
 * `UNKNOWN` when it is not known whether somebody was.
 */
export type UnacceptedPayment = Pick<
  Payment,
  'id' | 'phoneNumber' | 'amount' | 'accountReference' | 'initiatedAt' | 'idempotencyKey'
> & {
  readonly status: 'SENDING' | 'REFUSED' | 'UNKNOWN'
  readonly explanation: Explanation | null
}

/** A payment that Daraja accepted, with its explanation once it ended in anything but success. */
export type ExplainedPayment = Payment & { readonly explanation: Explanation | null }

/** A payment as it stands. */
export type PaymentView = ExplainedPayment | UnacceptedPayment

const statusOfState = {
  reserved: 'SENDING',
  sent: 'SENDING',
  accepted: 'UNKNOWN',
  refused: 'REFUSED',
  unknown: 'UNKNOWN',
} as const satisfies Record<InitiationState, UnacceptedPayment['status']>

export function toInitiatedPayment({ initiation, payment }: PaymentRecord): InitiatedPayment {
  if (payment === null) return { paymentId: initiation.paymentId, status: 'UNKNOWN' }
  const { checkoutRequestId, merchantRequestId, status } = payment
  return { paymentId: payment.id, checkoutRequestId, merchantRequestId, status }
}

export function explainPayment(payment: Payment): ExplainedPayment {
  const { status, failureReason } = payment
  // Without a code of Daraja it was we who stopped waiting, or a person who resolved it.
  const code = payment.resultCodeText ?? (status === 'TIMEOUT' ? 'NO_FINAL_ANSWER' : null)
  const isFailure = status !== 'PENDING' && status !== 'SUCCESS' && code !== null
  return { ...payment, explanation: isFailure ? explain('stk-callback', code, failureReason ?? '') : null }
}

export function viewPayment({ initiation, payment }: PaymentRecord): PaymentView {
  if (payment !== null) return explainPayment(payment)
  const { paymentId, phoneNumber, amount, accountReference, reservedAt, idempotencyKey, answerCode } = initiation
  return {
    id: paymentId,
    phoneNumber,
    amount,
    accountReference,
    initiatedAt: reservedAt,
    idempotencyKey,
    status: statusOfState[initiation.state],
    explanation: answerCode === null ? null : explain('stk-push', answerCode, initiation.answerMessage ?? ''),
  }
}
