import { MpesaStkError } from '../errors.ts'
import type { TrailKey } from '../ports.ts'
import { normaliseMsisdn } from './msisdn.ts'

/** Whose history: one of these. A phone number in any written form, a receipt in any case. */
export type HistoryKey = TrailKey

const names: readonly string[] = [
  ...['paymentId', 'receipt', 'checkoutRequestId', 'merchantRequestId', 'phoneNumber', 'accountReference'],
]

/**
 * The key as the store knows it.
 *
 * @throws MpesaStkError `MPESA_STK_REQUEST_INVALID`, `MPESA_STK_PHONE_INVALID`
 */
export function trailKeyOf(key: HistoryKey): TrailKey {
  const entries = Object.entries(Object(key) as object)
  const [[name, value] = ['', undefined]] = entries
  if (entries.length !== 1 || !names.includes(name) || typeof value !== 'string') {
    throw new MpesaStkError('MPESA_STK_REQUEST_INVALID', `history needs one of ${names.join(', ')}, as text`)
  }
  if ('receipt' in key) return { receipt: key.receipt.trim().toUpperCase() }
  if (!('phoneNumber' in key)) return key
  const phoneNumber = normaliseMsisdn(key.phoneNumber)
  if (phoneNumber !== null) return { phoneNumber }
  throw new MpesaStkError('MPESA_STK_PHONE_INVALID', 'phoneNumber is not a Kenyan mobile number, e.g. 0712 345 678')
}
