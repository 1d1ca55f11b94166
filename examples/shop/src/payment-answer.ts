import { maskMsisdn, type PaymentView } from 'mpesa-stk'
import type { Order } from './orders.ts'

/**
 * What a browser may know of a payment. No CheckoutRequestID (it ends with the customer's number), no key, and the
 * number masked.
 */
export type PaymentAnswer = {
  readonly id: string
  readonly status: PaymentView['status']
  readonly amount: number
  readonly reference: string
  readonly phone: string
  readonly receipt: string | null
  readonly initiatedAt: string
  readonly completedAt: string | null
  readonly title: Order['title'] | null
  readonly isPacked: boolean
  /** Why it did not succeed: Daraja's code, what the customer reads, and what the person on call reads. */
  readonly explanation: {
    readonly code: string
    readonly customer: { readonly en: string; readonly sw: string }
    readonly operator: string
  } | null
}

export function toPaymentAnswer(payment: PaymentView, order: Order | null): PaymentAnswer {
  const { id, status, amount, accountReference, phoneNumber, initiatedAt, explanation } = payment
  const accepted = 'checkoutRequestId' in payment ? payment : null
  return {
    id,
    status,
    amount,
    reference: accountReference,
    phone: maskMsisdn(phoneNumber),
    receipt: accepted?.mpesaReceiptNumber ?? null,
    initiatedAt: initiatedAt.toISOString(),
    completedAt: accepted?.completedAt?.toISOString() ?? null,
    title: order?.title ?? null,
    isPacked: (order?.timesPacked ?? 0) > 0,
    explanation:
      explanation === null
        ? null
        : { code: explanation.code, customer: explanation.customer, operator: explanation.operator },
  }
}
