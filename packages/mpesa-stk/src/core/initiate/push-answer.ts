import { lookUpCode } from '../explain/explain.ts'
import { type DarajaAnswer, readAnswerBody, readFailure, readText } from '../explain/read-answer.ts'
import { readRequestId } from '../payment/request-id.ts'
import type { PushOutcome } from '../ports.ts'

/**
 * Reads the answer to a push. Refused only where the answer proves that nothing was queued: a refusal by the gateway
 * (4xx and the firewall's page), a `ResponseCode` that is no kind of zero and names no push, or a 5xx whose code and
 * message the catalogue knows as a refusal. Everything else is unknown: a prompt may be on the customer's screen.
 * [unverified: inferred as the safe rule, since Daraja publishes none]
 */
export function classifyPushAnswer(answer: DarajaAnswer): PushOutcome {
  const { httpStatus } = answer
  const body = readAnswerBody(answer.body)
  if (httpStatus === 200 && body !== null && 'ResponseCode' in body) return classifyResponse(body)
  const { code, message } = readFailure(answer)
  const refusedByGateway = httpStatus >= 400 && httpStatus < 500 && httpStatus !== 408
  const refusedByDaraja = lookUpCode('http-error', code, message)?.refusal === true
  const outcome = refusedByGateway || refusedByDaraja ? 'refused' : 'unknown'
  return { outcome, code, message, httpStatus }
}

function classifyResponse(body: Readonly<Record<string, unknown>>): PushOutcome {
  const { ResponseCode: given } = body
  const code = typeof given === 'number' ? String(given) : readText(given)
  const message = readText(body['ResponseDescription'])
  const checkoutRequestId = readRequestId(body['CheckoutRequestID'])
  const merchantRequestId = readRequestId(body['MerchantRequestID'])
  if (code === '0') {
    return checkoutRequestId !== null && merchantRequestId !== null
      ? { outcome: 'accepted', checkoutRequestId, merchantRequestId }
      : { outcome: 'unknown', code: 'NO_REQUEST_ID', message: 'accepted without request ids', httpStatus: 200 }
  }
  // `"00"` means success elsewhere in Daraja, and whoever names a CheckoutRequestID has queued something.
  const provesRefusal = code.trim() !== '' && Number(code) !== 0 && checkoutRequestId === null
  return provesRefusal
    ? { outcome: 'refused', code, message, httpStatus: 200 }
    : { outcome: 'unknown', code: 'ODD_RESPONSE_CODE', message, httpStatus: 200 }
}
