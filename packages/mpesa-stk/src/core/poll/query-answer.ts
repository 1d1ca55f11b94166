import { lookUpCode } from '../explain/explain.ts'
import { type DarajaAnswer, readAnswerBody, readFailure, readText } from '../explain/read-answer.ts'
import { readResultCode } from '../payment/result-code.ts'
import type { QueryOutcome } from '../ports.ts'

/** The tables whose final codes may settle a payment that was asked about. Closed: an unknown code never does. */
const settlingApis: ReadonlySet<string> = new Set(['stk-query', 'stk-callback'])

/** What the gateway and the firewall say when they are asked too often, whatever the text beside it. [observed] */
const throttlingCodes: ReadonlySet<string> = new Set([
  '500.003.02',
  '500.003.03',
  'HTML_403_INCAPSULA',
  'HTML_503_INCAPSULA',
])

/**
 * Reads the answer to an STK query. Only a final code that the catalogue knows settles; "still processing" comes in
 * three forms [observed]; a rate limit, a firewall page, an unknown code or an answer about another push is
 * indeterminate: it says nothing about the payment.
 */
export function classifyQueryAnswer(
  answer: DarajaAnswer,
  checkoutRequestId: string,
  retryAfterMs: number | null = null,
): QueryOutcome {
  const { httpStatus } = answer
  const body = readAnswerBody(answer.body)
  if (httpStatus === 200 && body !== null && 'ResultCode' in body) {
    const message = readText(body['ResultDesc'])
    if ('CheckoutRequestID' in body && body['CheckoutRequestID'] !== checkoutRequestId) {
      return {
        outcome: 'indeterminate',
        reason: 'unanswered',
        code: 'OTHER_REQUEST',
        message: 'about another push',
        httpStatus,
        retryAfterMs,
      }
    }
    const code = readResultCode(body['ResultCode'])
    const row = code === null ? null : lookUpCode('stk-query', code, message)
    if (code === null || row === null || !settlingApis.has(row.api)) {
      return {
        outcome: 'indeterminate',
        reason: 'unclear',
        code: code ?? 'NO_RESULT_CODE',
        message,
        httpStatus,
        retryAfterMs,
      }
    }
    return row.terminal
      ? { outcome: 'settled', resultCode: code, resultDesc: message }
      : { outcome: 'in-progress', code, message }
  }
  const { code, message } = readFailure(answer)
  const category = lookUpCode('http-error', code, message)?.category
  if (category === 'in-progress') return { outcome: 'in-progress', code, message }
  const isThrottled = category === 'rate-limited' || httpStatus === 429 || throttlingCodes.has(code)
  const reason = isThrottled ? 'throttled' : 'unanswered'
  return { outcome: 'indeterminate', reason, code, message, httpStatus, retryAfterMs }
}
