export type PaymentStatus = 'PENDING' | 'SUCCESS' | 'FAILED' | 'CANCELLED' | 'TIMEOUT' | 'EXPIRED'

/** What a customer may be told of a payment that did not succeed. */
export type PaymentExplanation = {
  readonly code: string
  readonly category: string
  readonly retryable: boolean
  readonly customer: { readonly en: string; readonly sw: string }
}

/** An event as the relay streams it. */
export type PaymentEvent = {
  readonly id: string
  /** `mpesa_callback`: Safaricom said so. The others: the merchant's own server said so. */
  readonly type: 'mpesa_callback' | 'payment.pending' | 'payment.settled'
  /** ISO 8601. */
  readonly at: string
  readonly paymentId: string
  readonly status: PaymentStatus
  readonly explanation: PaymentExplanation | null
  /** The id of an earlier event about the same payment that says something else. */
  readonly contradicts: string | null
  readonly kind?: 'stk' | 'c2b'
  /** Text, never a number; only `"0"` is success. */
  readonly ResultCode?: string
  readonly ResultDesc?: string
  readonly Amount?: number
  readonly MpesaReceiptNumber?: string
  readonly TransactionDate?: string
  readonly formerPaymentId?: string
  /** For servers only, as are the next two. */
  readonly CheckoutRequestID?: string
  readonly MerchantRequestID?: string
  readonly PhoneNumber?: string
}
