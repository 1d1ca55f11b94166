import type { PaymentStatus } from '../payment/payment.ts'
import type { ReportType } from './payment-report.ts'

/** What a page is told of what became of a payment. */
export type StreamExplanation = {
  readonly code: string
  readonly category: string
  readonly retryable: boolean
  readonly customer: { readonly en: string; readonly sw: string }
}

/** An event as it is streamed: a projection that holds nothing of the customer. docs/streams.md tells each field. */
export type StreamEvent = {
  readonly id: string
  readonly type: 'mpesa_callback' | ReportType
  /** ISO 8601. */
  readonly at: string
  readonly paymentId: string
  readonly status: PaymentStatus
  readonly explanation: StreamExplanation | null
  readonly contradicts: string | null
  readonly kind?: 'stk' | 'c2b'
  readonly ResultCode?: string
  readonly ResultDesc?: string
  readonly Amount?: number
  readonly MpesaReceiptNumber?: string
  readonly TransactionDate?: string
  /** Of a `payment.pending`: the opaque name that its callbacks had before it. */
  readonly formerPaymentId?: string
  /** For servers and the old protocol. */
  readonly CheckoutRequestID?: string
  readonly MerchantRequestID?: string
  /** For servers that ask for it. */
  readonly PhoneNumber?: string
}

/** Who reads: a page, an old page, or a server that may see the customer's number. */
export type StreamScope = 'browser' | 'old' | 'server' | 'server-with-phone'
