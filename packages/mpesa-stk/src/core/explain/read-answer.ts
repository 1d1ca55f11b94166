import { maskPersonalData } from '../payment/msisdn.ts'

/** An HTTP answer of Daraja, or of what stands before it. */
export type DarajaAnswer = { readonly httpStatus: number; readonly body: string }

/** The body as an object, or null. */
export function readAnswerBody(body: string): Readonly<Record<string, unknown>> | null {
  try {
    return asObject(JSON.parse(body))
  } catch {
    return null
  }
}

/**
 * The code and message of an answer that is no result, from all three families: Daraja's JSON, Apigee's fault and
 * the firewall's page, or nothing at all. Codes of answers that carry none are ours, as in the catalogue.
 */
export function readFailure({ httpStatus, body }: DarajaAnswer): { readonly code: string; readonly message: string } {
  const json = readAnswerBody(body)
  const code = readText(json?.['errorCode'])
  if (code !== '') return { code, message: readText(json?.['errorMessage']) }
  const fault = asObject(json?.['fault'])
  if (fault !== null) {
    const faultCode = readText(asObject(fault['detail'])?.['errorcode'])
    return { code: faultCode === '' ? `HTTP_${httpStatus}` : faultCode, message: readText(fault['faultstring']) }
  }
  if (/_Incapsula_Resource|Request unsuccessful\. Incapsula incident/i.test(body)) {
    return { code: `HTML_${httpStatus}_INCAPSULA`, message: 'a firewall page instead of an answer' }
  }
  if (body.trim() === '') return { code: `HTTP_${httpStatus}_EMPTY`, message: 'an empty answer' }
  return { code: `HTTP_${httpStatus}`, message: 'an answer that is not Daraja JSON' }
}

const unstorable = /[\p{Cc}\p{Cs}]+/gu

/**
 * A text of Daraja as we may keep and print it: phone numbers masked (its texts quote them), without the characters that
 * a database refuses, and short. Empty for anything but text.
 */
export function readText(value: unknown): string {
  return typeof value === 'string' ? maskPersonalData(value.replace(unstorable, ' ')).slice(0, 300) : ''
}

function asObject(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null
}
