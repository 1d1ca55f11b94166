import type { PaymentEvent, PaymentExplanation, PaymentStatus } from './payment-event.ts'

/** What a page shows of a payment. */
export type PaymentView = {
  readonly paymentId: string
  readonly status: PaymentStatus
  readonly receipt: string | null
  readonly amount: number | null
  /** The merchant's server said so. Else the status is a callback's word. */
  readonly isConfirmed: boolean
  /** Two words about this payment disagree: a person should look. */
  readonly contradicted: boolean
  readonly explanation: PaymentExplanation | null
  readonly lastEventAt: string | null
}

export function createPaymentView(paymentId: string): PaymentView {
  return {
    paymentId,
    status: 'PENDING',
    receipt: null,
    amount: null,
    isConfirmed: false,
    contradicted: false,
    explanation: null,
    lastEventAt: null,
  }
}

/**
 * What a payment looks like after one more of its events. The server's word counts, whatever a callback says; a callback's
 * counts while nothing is known, or while waiting had merely ended.
 */
export function reducePayment(view: PaymentView, event: PaymentEvent): PaymentView {
  const isSettled = event.type === 'payment.settled'
  const isOpen = view.status === 'PENDING' || view.status === 'TIMEOUT'
  const saysNothing = event.status === 'PENDING'
  const agrees = event.status === view.status
  const applies = !saysNothing && (isSettled || (isOpen && !agrees))
  const differs = !saysNothing && !isOpen && !agrees && !(event.status === 'TIMEOUT' && !isSettled)
  const isHeard = applies || agrees || saysNothing
  return {
    ...view,
    status: applies ? event.status : view.status,
    isConfirmed: applies ? isSettled : view.isConfirmed,
    explanation: applies ? event.explanation : view.explanation,
    receipt: (isHeard ? event.MpesaReceiptNumber : undefined) ?? (applies && !agrees ? null : view.receipt),
    amount: (isHeard ? event.Amount : undefined) ?? view.amount,
    contradicted: view.contradicted || differs || event.contradicts !== null,
    lastEventAt: event.at,
  }
}
