import { lookUpCode } from '../explain/explain.ts'
import { maskPersonalData } from '../payment/msisdn.ts'
import type { PushOutcome } from '../ports.ts'

/** An HTTP answer of Daraja, or of what stands before it. */
export type DarajaAnswer = { readonly httpStatus: number; readonly body: string }

/**
 * Reads the answer to a push. Refused only where the answer proves that nothing was queued: a refusal by the gateway
 * (4xx and the firewall's page), a `ResponseCode` other than `"0"`, or a 5xx whose code and message the catalogue knows
 * as a refusal. Everything else is unknown: a prompt may be on the customer's screen. [unverified: inferred as the
 * safe rule, since Daraja publishes none]
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
  const code = String(body['ResponseCode'])
  const message = readText(body['ResponseDescription'])
  if (code !== '0') return { outcome: 'refused', code, message, httpStatus: 200 }
  const checkoutRequestId = body['CheckoutRequestID']
  const merchantRequestId = body['MerchantRequestID']
  if (!isRequestId(checkoutRequestId) || !isRequestId(merchantRequestId)) {
    return { outcome: 'unknown', code: 'NO_REQUEST_ID', message: 'accepted without request ids', httpStatus: 200 }
  }
  return { outcome: 'accepted', checkoutRequestId, merchantRequestId }
}

/**
 * The code and message of an answer that is no result, from all three families: Daraja's JSON, Apigee's fault and
 * the firewall's page, or nothing at all. Codes of answers that carry none are ours, as in the catalogue.
 */
export function readFailure({ httpStatus, body }: DarajaAnswer): { readonly code: string; readonly message: string } {
  const json = readAnswerBody(body)
  if (json !== null) {
    if (typeof json['errorCode'] === 'string') {
      return { code: json['errorCode'], message: readText(json['errorMessage']) }
    }
    const fault = asObject(json['fault'])
    if (fault !== null) {
      const code = readText(asObject(fault['detail'])?.['errorcode'])
      return { code: code === '' ? `HTTP_${httpStatus}` : code, message: readText(fault['faultstring']) }
    }
  }
  if (/incapsula/i.test(body)) {
    return { code: `HTML_${httpStatus}_INCAPSULA`, message: 'a firewall page instead of an answer' }
  }
  if (body.trim() === '') return { code: `HTTP_${httpStatus}_EMPTY`, message: 'an empty answer' }
  return { code: `HTTP_${httpStatus}`, message: 'an answer that is not Daraja JSON' }
}

/** The body as an object, or null. */
export function readAnswerBody(body: string): Readonly<Record<string, unknown>> | null {
  try {
    return asObject(JSON.parse(body))
  } catch {
    return null
  }
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null
}

function isRequestId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 128
}

/** Daraja's texts may quote a phone number, so they are masked, and shortened. */
export function readText(value: unknown): string {
  return typeof value === 'string' ? maskPersonalData(value).slice(0, 300) : ''
}
