/**
 * The states of a payment, as documented. `TIMEOUT` means that waiting ended, not that the payment failed: the customer
 * may still have paid.
 */
export const paymentStatuses = ['PENDING', 'SUCCESS', 'FAILED', 'CANCELLED', 'TIMEOUT', 'EXPIRED'] as const

export type PaymentStatus = (typeof paymentStatuses)[number]

/** A status that a payment can be settled with: every one but `PENDING`. */
export type SettledStatus = Exclude<PaymentStatus, 'PENDING'>

/** A payment that Daraja accepted, or that a callback with the right token proved. One row of `mpesa_payments`. */
export type Payment = {
  readonly id: string
  /** Ends with the last nine digits of the customer's number: treat it as personal data. */
  readonly checkoutRequestId: string
  readonly merchantRequestId: string
  /** The number that was prompted, 12 digits without `+`. From the initiation, never from a callback. */
  readonly phoneNumber: string
  /** Whole Kenya shillings. */
  readonly amount: number
  readonly accountReference: string
  readonly status: PaymentStatus
  /** Null until a callback brought it. */
  readonly mpesaReceiptNumber: string | null
  /** Daraja's `ResultDesc` of a payment that did not succeed. For people; its wording drifts, so never branch on it. */
  readonly failureReason: string | null
  /** The result code where it is an integer; null where it is not (`SFC_IC0003`). */
  readonly resultCode: number | null
  /** The result code as Daraja wrote it. */
  readonly resultCodeText: string | null
  readonly initiatedAt: Date
  readonly completedAt: Date | null
  readonly idempotencyKey: string | null
  /** Grows by one with each transition: what compare-and-set compares. */
  readonly version: number
}
