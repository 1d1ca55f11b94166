import { readResultCode } from '../payment/result-code.ts'
import { field, parseJson } from '../receive/read-json.ts'
import type { AttemptAnswer } from './judge-attempt.ts'

/** What is answered to a C2B validation that the merchant's endpoint did not answer in time. */
export type C2bFallback = 'accept' | 'reject'

/** What Safaricom is answered. `ThirdPartyTransID` comes back in the confirmation. */
export type ValidationVerdict = {
  readonly ResultCode: string
  readonly ResultDesc: 'Accepted' | 'Rejected'
  readonly ThirdPartyTransID?: string
}

/** Number, account, amount, KYC, shortcode, other. [documented] */
const refusals: ReadonlySet<string> = new Set(['C2B00011', 'C2B00012', 'C2B00013', 'C2B00014', 'C2B00015', 'C2B00016'])

const otherReason = 'C2B00016'

/**
 * The verdict on a C2B payment that Safaricom asks about, from what the merchant's endpoint answered. Anything but a 2xx with a
 * `ResultCode` that Safaricom knows is no answer.
 */
export function judgeValidation(answer: AttemptAnswer | null, fallback: C2bFallback): ValidationVerdict {
  if (answer?.outcome === 'answered' && answer.httpStatus >= 200 && answer.httpStatus < 300) {
    const body = parseJson(new TextEncoder().encode(answer.head))
    const code = readResultCode(field(body, 'ResultCode')) ?? ''
    const name = field(body, 'ThirdPartyTransID')
    const passedOn = typeof name === 'string' && /^[\x20-\x7e]{1,60}$/.test(name) ? { ThirdPartyTransID: name } : {}
    if (code === '0') return { ResultCode: '0', ResultDesc: 'Accepted', ...passedOn }
    if (refusals.has(code)) return { ResultCode: code, ResultDesc: 'Rejected' }
  }
  return fallback === 'accept'
    ? { ResultCode: '0', ResultDesc: 'Accepted' }
    : { ResultCode: otherReason, ResultDesc: 'Rejected' }
}
