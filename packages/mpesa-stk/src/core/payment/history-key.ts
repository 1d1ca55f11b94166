import { MpesaStkError } from '../errors.ts'
import type { TrailKey } from '../ports.ts'
import { normaliseMsisdn } from './msisdn.ts'

/** Whose history: one of these. A phone number in any written form, a receipt in any case. */
export type HistoryKey = TrailKey

/** The key as the store knows it. */
export function trailKeyOf(key: HistoryKey): TrailKey {
  if ('receipt' in key) return { receipt: key.receipt.trim().toUpperCase() }
  if (!('phoneNumber' in key)) return key
  const phoneNumber = normaliseMsisdn(key.phoneNumber)
  if (phoneNumber !== null) return { phoneNumber }
  throw new MpesaStkError('MPESA_STK_PHONE_INVALID', 'phoneNumber is not a Kenyan mobile number, e.g. 0712 345 678')
}
