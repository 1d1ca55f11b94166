import { readText } from '../explain/read-answer.ts'
import { readReceipt } from '../payment/receipt.ts'
import { readRequestId } from '../payment/request-id.ts'
import { readResultCode } from '../payment/result-code.ts'
import { field, isObject, parseJson } from './read-json.ts'

/** An STK callback, read tolerantly: ids and code are certain, everything else may be missing. */
export type StkCallback = {
  readonly kind: 'stk'
  readonly checkoutRequestId: string | null
  readonly merchantRequestId: string | null
  /** As text, exactly as Daraja wrote it. */
  readonly resultCode: string
  readonly resultDesc: string
  /** The `Amount` item as it came; `undefined` when missing. */
  readonly amount: unknown
  readonly receipt: string | null
}

/** What a body turned out to be. `reason` is for people and holds nothing of the body. */
export type ParsedCallback = StkCallback | { readonly kind: 'unrecognised'; readonly reason: string }

/**
 * Reads the bytes of a callback. Never throws, whatever the bytes are. Metadata is looked up by name, because order is
 * not guaranteed and items may be missing [observed]; a list of one may come as a bare object, as Result envelopes do.
 */
export function parseCallback(body: Uint8Array): ParsedCallback {
  return readCallback(parseJson(body))
}

/** The same of what `parseJson` made of it. */
export function readCallback(json: unknown): ParsedCallback {
  if (json === undefined) return unrecognised('the body is not JSON')
  const callback = field(field(json, 'Body'), 'stkCallback')
  if (!isObject(callback)) return unrecognised('there is no Body.stkCallback')
  const resultCode = readResultCode(field(callback, 'ResultCode'))
  if (resultCode === null) return unrecognised('ResultCode is missing or ambiguous')
  const checkoutRequestId = readRequestId(field(callback, 'CheckoutRequestID'))
  const merchantRequestId = readRequestId(field(callback, 'MerchantRequestID'))
  if (checkoutRequestId === null && merchantRequestId === null) return unrecognised('it carries no request id')
  const items = callbackItems(json)
  return {
    kind: 'stk',
    checkoutRequestId,
    merchantRequestId,
    resultCode,
    resultDesc: readText(field(callback, 'ResultDesc')),
    amount: items.get('Amount'),
    receipt: readReceipt(items.get('MpesaReceiptNumber')),
  }
}

/** The first item of each name that has a value: `Balance` usually comes without one. [observed] */
export function callbackItems(json: unknown): ReadonlyMap<string, unknown> {
  const item = field(field(field(field(json, 'Body'), 'stkCallback'), 'CallbackMetadata'), 'Item')
  const values = new Map<string, unknown>()
  for (const entry of Array.isArray(item) ? item : [item]) {
    const name = field(entry, 'Name')
    const value = field(entry, 'Value')
    if (typeof name === 'string' && value !== undefined && !values.has(name)) values.set(name, value)
  }
  return values
}

function unrecognised(reason: string): ParsedCallback {
  return { kind: 'unrecognised', reason }
}
