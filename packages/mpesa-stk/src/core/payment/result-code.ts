import type { SettledStatus } from './payment.ts'

/** What can be a code at all: printable, and not only spaces. */
export const resultCodePattern = /^(?=.*[\x21-\x7e])[\x20-\x7e]{1,64}$/

/**
 * A `ResultCode` as text, exactly as Daraja wrote it. Null where it says nothing certain: missing, not a number or
 * text, or a zero that is not exactly `0` (`"00"`, `"0.0"`, `" 0"`). A team that cast codes to integers completed
 * failed payments. [observed]
 */
export function readResultCode(value: unknown): string | null {
  const text = typeof value === 'number' && Number.isInteger(value) && !Object.is(value, -0) ? String(value) : value
  if (typeof text !== 'string' || !resultCodePattern.test(text)) return null
  return text !== '0' && Number(text) === 0 ? null : text
}

/** The code as an integer for the documented `result_code` column, or null where it is none. */
export function resultCodeAsInteger(code: string): number | null {
  return /^-?\d{1,9}$/.test(code) ? Number(code) : null
}

/** The callback codes with a status of their own; every other code is `FAILED`. From the compatibility contract. */
const statusOfCode: Readonly<Record<string, SettledStatus>> = {
  '0': 'SUCCESS',
  '1032': 'CANCELLED',
  '1037': 'TIMEOUT',
  '1019': 'EXPIRED',
}

/** Codes that say "still working on it". Normally only in query answers. [observed] */
const inProgressCodes: ReadonlySet<string> = new Set(['4999'])

/** What a callback's result code makes of a payment; null while Daraja itself is still working on it. */
export function statusOfCallbackCode(code: string): SettledStatus | null {
  if (inProgressCodes.has(code)) return null
  return Object.hasOwn(statusOfCode, code) ? (statusOfCode[code] ?? 'FAILED') : 'FAILED'
}
