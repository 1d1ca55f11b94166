import { parsePhoneNumberFromString } from 'libphonenumber-js/mobile'

/**
 * Any written form of a Kenyan mobile number as Daraja wants it: 12 digits without `+`, `2547XXXXXXXX` or
 * `2541XXXXXXXX`. Null for anything else: a landline, another country, a wrong length, an extension.
 *
 * libphonenumber's `mobile` metadata decides which prefixes are live. Its `min` metadata was tried and accepts
 * landlines (020, 041); a table of our own would have to follow the regulator's allocations by hand.
 */
export function normaliseMsisdn(input: unknown): string | null {
  if (typeof input !== 'string' || input.length > 40) return null
  // Kenya's own international prefix is 000, but people write the 00 of most other countries.
  const text = input.trim().replace(/^(?:00\s?(?=254)|tel:)/i, match => (match.startsWith('00') ? '+' : ''))
  const parsed = parsePhoneNumberFromString(text, { defaultCountry: 'KE', extract: false })
  if (parsed?.country !== 'KE' || parsed.ext !== undefined || !parsed.isValid()) return null
  const msisdn = parsed.number.slice(1)
  return /^254[17]\d{8}$/.test(msisdn) ? msisdn : null
}

/** `254712345678` as `2547*****678`: enough for support to recognise, too little to call. */
export function maskMsisdn(msisdn: string): string {
  return `${msisdn.slice(0, 4)}*****${msisdn.slice(-3)}`
}

/** As people write it too: `0712 345 678`, `+254-712-345678`, `0712.34.56.78`, `712345678`. */
const anyMsisdn = /(?<!\d)(?:\+?254|0)[ .-]?[17](?:[ .-]?\d){8}(?!\d)|(?<!\w|\d\.)[17]\d{8}(?!\w|\.\d)/g
const anyCheckoutRequestId = /ws_CO_\d{6,}/g

/** Masks every Kenyan mobile number and CheckoutRequestID (it ends with one) in a text made elsewhere. */
export function maskPersonalData(text: string): string {
  return text
    .replace(anyCheckoutRequestId, 'ws_CO_*****')
    .replace(anyMsisdn, number => maskMsisdn(`254${number.replace(/\D/g, '').slice(-9)}`))
}
