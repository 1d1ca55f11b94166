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
  /** M-PESA should have reported the end long ago. It still may. */
  readonly isOverdue: boolean
  /** When that will be said of it, from now: no page has to trust its clock. Null when it is over, or overdue already. */
  readonly overdueInMs: number | null
  /** Why it did not succeed: Daraja's code, what the customer reads, and what the person on call reads. */
  readonly explanation: {
    readonly code: string
    readonly customer: { readonly en: string; readonly sw: string }
    readonly operator: string
  } | null
}

/**
 * A prompt is open for about a minute, and the callback follows. Who still waits after this long is told that nobody
 * knows, instead of to look at the phone.
 */
const patienceMs = 90_000

export function toPaymentAnswer(payment: PaymentView, order: Order | null, now: Date): PaymentAnswer {
  const { id, status, amount, accountReference, phoneNumber, initiatedAt, explanation } = payment
  const accepted = 'checkoutRequestId' in payment ? payment : null
  const isOpen = status === 'PENDING' || status === 'SENDING'
  const patienceLeftMs = patienceMs - (now.getTime() - initiatedAt.getTime())
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
    isOverdue: isOpen && patienceLeftMs <= 0,
    overdueInMs: isOpen && patienceLeftMs > 0 ? patienceLeftMs : null,
    explanation:
      explanation === null
        ? null
        : { code: explanation.code, customer: explanation.customer, operator: explanation.operator },
  }
}
