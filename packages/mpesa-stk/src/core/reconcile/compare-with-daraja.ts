import type { Payment, SettledStatus } from '../payment/payment.ts'
import { statusOfCallbackCode } from '../payment/result-code.ts'
import type { QueryOutcome } from '../ports.ts'

export type Comparison =
  | { readonly comparison: 'matched' }
  | { readonly comparison: 'mismatch'; readonly mpesaStatus: SettledStatus | 'NO_RECORD' }
  /** Safaricom said nothing certain: nothing is guessed. */
  | { readonly comparison: 'skipped' }

const minuteMs = 60_000

/**
 * When "Invalid CheckoutRequestID" means that there is no such push: too early it is also the answer about a good one, and
 * how long an id stays known is not published; two days were seen. [observed]
 */
const noRecordAge = { fromMs: 10 * minuteMs, toMs: 48 * 60 * minuteMs }
const unknownIdCode = '400.002.02'

/** Compares what we have of a payment with what Daraja answered about it `at` this time. */
export function compareWithDaraja(payment: Payment, answer: QueryOutcome, at: Date): Comparison {
  if (answer.outcome === 'settled') {
    const mpesaStatus = statusOfCallbackCode(answer.resultCode)
    if (mpesaStatus === null) return { comparison: 'skipped' }
    return mpesaStatus === payment.status ? { comparison: 'matched' } : { comparison: 'mismatch', mpesaStatus }
  }
  const ageMs = at.getTime() - payment.initiatedAt.getTime()
  const isUnknownThere =
    answer.outcome === 'in-progress' &&
    answer.code === unknownIdCode &&
    ageMs >= noRecordAge.fromMs &&
    ageMs <= noRecordAge.toMs
  return isUnknownThere && payment.status === 'SUCCESS'
    ? { comparison: 'mismatch', mpesaStatus: 'NO_RECORD' }
    : { comparison: 'skipped' }
}
