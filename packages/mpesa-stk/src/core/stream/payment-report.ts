import type { PaymentStatus } from '../payment/payment.ts'
import { sha256 } from '../sha256.ts'

export const reportTypes = ['payment.pending', 'payment.settled'] as const

export type ReportType = (typeof reportTypes)[number]

/** What a merchant's server says of a payment of its own. */
export type PaymentReport = {
  readonly type: ReportType
  readonly paymentId: string
  /** The first report that has it tells which payment the callbacks of this push belong to. */
  readonly checkoutRequestId: string | null
  readonly status: PaymentStatus
  /** Whole Kenya shillings. */
  readonly amount: number | null
  readonly receipt: string | null
  /** As text, as Daraja wrote it. */
  readonly resultCode: string | null
}

/** A report as it is to be recorded. */
export type NewPaymentReport = PaymentReport & {
  /** Time-ordered: the id of its event. */
  readonly id: string
  readonly at: Date
}

/** What tells one report about a payment from another: the same again is a repeat. */
function reportMark({ type, status, checkoutRequestId, receipt, resultCode, amount }: PaymentReport): string {
  return JSON.stringify([type, status, checkoutRequestId, receipt, resultCode, amount])
}

/** What its event says: type and status for people, then its mark. */
export function resultOfReport(report: PaymentReport): string {
  return [report.type, report.status, sha256(reportMark(report)).slice(0, 16)].join(' ')
}

/** The body of its event. */
export function writeReport({
  type,
  paymentId,
  checkoutRequestId,
  status,
  amount,
  receipt,
  resultCode,
}: PaymentReport) {
  return new TextEncoder().encode(
    JSON.stringify({ type, paymentId, checkoutRequestId, status, amount, receipt, resultCode } satisfies PaymentReport),
  )
}
