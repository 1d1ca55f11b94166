import { MpesaStkError } from '../errors.ts'
import type { PaymentStatus, SettledStatus } from '../payment/payment.ts'

/** Which payments a reconciliation is about: those of a shortcode by the time of their initiation, both ends included. */
export type ReconciliationRange = { readonly shortCode: string; readonly from: Date; readonly to: Date }

/** A payment of which we and Safaricom say different things. Nothing is corrected by itself. */
export type ReconciliationMismatch = {
  readonly paymentId: string
  /** Ends with the last nine digits of the customer's number: treat it as personal data. */
  readonly checkoutRequestId: string
  /** What we say. */
  readonly storedStatus: PaymentStatus
  /** What Safaricom says; `NO_RECORD` when it knows no such push although we have it as paid. */
  readonly mpesaStatus: SettledStatus | 'NO_RECORD'
  /** Whole Kenya shillings. */
  readonly amount: number
}

export type ReconciliationResult = {
  /** Payments about which Safaricom said something certain: matched and mismatched ones. */
  readonly checked: number
  readonly matched: number
  /** Payments about which it did not: still in progress, an unknown code, no answer. Look at them again later. */
  readonly skipped: number
  readonly mismatches: readonly ReconciliationMismatch[]
}

/** A mismatch as it is kept: without the id that ends with the customer's number. */
export type KeptMismatch = Omit<ReconciliationMismatch, 'checkoutRequestId'>

/** How far a reconciliation has come: what a process that takes it over needs to know. */
export type ReconciliationProgress = Omit<ReconciliationResult, 'mismatches'> & {
  readonly mismatches: readonly KeptMismatch[]
  /** The last payment that was looked at. */
  readonly after: { readonly initiatedAt: Date; readonly paymentId: string } | null
  readonly isDone: boolean
}

export const freshReconciliation: ReconciliationProgress = {
  checked: 0,
  matched: 0,
  skipped: 0,
  mismatches: [],
  after: null,
  isDone: false,
}

/** How long a finished reconciliation is kept. */
export const keptReconciliationMs = 30 * 24 * 3_600_000

/**
 * The range between two dates.
 *
 * @throws MpesaStkError `MPESA_STK_RANGE_INVALID`
 */
export function readRange(shortCode: string, from: Date, to: Date): ReconciliationRange {
  const isDate = (value: unknown): boolean => value instanceof Date && !Number.isNaN(value.getTime())
  if (!isDate(from) || !isDate(to) || from > to) {
    throw new MpesaStkError('MPESA_STK_RANGE_INVALID', 'from and to must be dates, and from must not be after to')
  }
  return { shortCode, from, to }
}
