import { readAmount } from '../payment/amount.ts'
import { readResultCode } from '../payment/result-code.ts'
import { sha256 } from '../sha256.ts'
import { readCallback } from './parse-callback.ts'
import { field, fieldLike, isObject, parseJson } from './read-json.ts'

/** What Safaricom posts: an STK result, a C2B confirmation, a Result envelope, a standing order, a B2B express result. */
export const callbackKinds = ['stk', 'c2b', 'result', 'ratiba', 'b2b-express'] as const

export type CallbackKind = (typeof callbackKinds)[number]

/** What a body is about and what it says of it. */
export type ClassifiedCallback = {
  readonly kind: CallbackKind
  /** Safaricom's name for what it is about: the same in every copy, and in a second callback that says something else. */
  readonly businessKey: string
  /** What it says: code and money for people, then a mark of every word. With kind and key it makes the event: the same again is a repeat. */
  readonly result: string
  readonly checkoutRequestId: string | null
}

/** What a body turned out to be. `reason` is for people and holds nothing of the body. */
export type Classification = ClassifiedCallback | { readonly kind: 'unrecognised'; readonly reason: string }

type Reader = (body: Record<string, unknown>) => Pick<ClassifiedCallback, 'businessKey' | 'result'> | null

/** By what only they have. Tried in this order. */
const readers: Readonly<Record<Exclude<CallbackKind, 'stk'>, Reader>> = {
  result: readResult,
  c2b: readC2b,
  ratiba: readRatiba,
  'b2b-express': readB2bExpress,
}

/** Classifies the bytes of a callback. Never throws, whatever they are. */
export function classifyCallback(bytes: Uint8Array): Classification {
  const body = parseJson(bytes)
  const said = markOf(body)
  if (said === null) return { kind: 'unrecognised', reason: 'it cannot be written as JSON again' }
  const stk = readCallback(body)
  if (stk.kind === 'stk') {
    const { checkoutRequestId, merchantRequestId, resultCode, amount, receipt } = stk
    return {
      kind: 'stk',
      businessKey: checkoutRequestId ?? `merchant ${merchantRequestId}`,
      result: says(resultCode, receipt, amountText(amount), said),
      checkoutRequestId,
    }
  }
  if (!isObject(body)) return { kind: 'unrecognised', reason: stk.reason }
  for (const [kind, read] of Object.entries(readers) as [Exclude<CallbackKind, 'stk'>, Reader][]) {
    const found = read(body)
    if (found !== null) return { kind, ...found, result: `${found.result} ${said}`, checkoutRequestId: null }
  }
  return { kind: 'unrecognised', reason: stk.reason }
}

/** Everything but STK that is answered later: B2C, B2B, status, balance, reversal. Older keys have spaces. [observed] */
function readResult(body: Record<string, unknown>): ReturnType<Reader> {
  const result = field(body, 'Result')
  const code = readResultCode(fieldLike(result, 'ResultCode'))
  const key = readId(fieldLike(result, 'OriginatorConversationID')) ?? readId(fieldLike(result, 'ConversationID'))
  if (code === null || key === null) return null
  return about(key, says(code, readId(fieldLike(result, 'TransactionID'))))
}

/** A confirmation: it has no code, because money has moved. [documented] */
function readC2b(body: Record<string, unknown>): ReturnType<Reader> {
  const key = readId(field(body, 'TransID'))
  const shortCode = readId(field(body, 'BusinessShortCode'))
  if (key === null || shortCode === null) return null
  return about(key, says('0', shortCode, amountText(field(body, 'TransAmount'))))
}

/** Its keys come in two casings. [documented] */
function readRatiba(body: Record<string, unknown>): ReturnType<Reader> {
  const header = fieldLike(body, 'responseHeader')
  const code = readResultCode(fieldLike(header, 'responseCode'))
  const key = readId(fieldLike(header, 'requestRefID')) ?? readId(fieldLike(header, 'responseRefID'))
  return code === null || key === null ? null : about(key, code)
}

function readB2bExpress(body: Record<string, unknown>): ReturnType<Reader> {
  const code = readResultCode(field(body, 'resultCode'))
  const key = readId(field(body, 'requestId'))
  if (code === null || key === null) return null
  return about(key, says(code, readId(field(body, 'transactionId')), amountText(field(body, 'amount'))))
}

function about(businessKey: string, result: string): ReturnType<Reader> {
  return { businessKey, result }
}

/** Ids are opaque, and index entries have a bound. */
function readId(value: unknown): string | null {
  return typeof value === 'string' && /^[\x21-\x7e]{1,128}$/.test(value) ? value : null
}

/** `500`, `500.0` and `"500.00"` say the same. */
function amountText(value: unknown): string | null {
  if (value === undefined) return null
  const whole = readAmount(value)
  if (whole !== null) return String(whole)
  const text = typeof value === 'number' || typeof value === 'string' ? String(value) : ''
  return /^[\x21-\x7e]{1,40}$/.test(text) ? text : '?'
}

/**
 * Tells one wording from another, down to the last field, and holds nothing of it: `1.00` and `1` are the same, and whoever
 * writes a true result with a false account, or a field twice, has said something else. Null for what is nested so deeply that
 * it could be delivered to nobody.
 */
function markOf(body: unknown): string | null {
  try {
    return sha256(JSON.stringify(body) ?? '').slice(0, 16)
  } catch {
    return null
  }
}

function says(...parts: readonly (string | null)[]): string {
  return parts.map(part => part ?? '-').join(' ')
}
