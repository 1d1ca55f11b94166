import { MpesaStkError } from '../core/errors.ts'
import { type AddressRange, readRange } from '../core/receive/address-range.ts'

/**
 * - `off`: nobody looks where a callback comes from.
 * - `observe`: callbacks are counted by their source, and all are taken.
 * - `enforce`: what comes from an address that is not known as Safaricom's goes to the quarantine.
 */
export const sourceAllowListModes = ['off', 'observe', 'enforce'] as const

export type SourceAllowListMode = (typeof sourceAllowListModes)[number]

export type SourceSettings = {
  readonly mode: SourceAllowListMode
  /** The operator's own, beside those that are published. */
  readonly addresses: readonly AddressRange[]
  /** Whose word for where a request came from counts. */
  readonly trustedProxies: readonly AddressRange[]
}

/**
 * Reads addresses and CIDR blocks; `name` is what whoever wrote them calls them.
 *
 * @throws MpesaStkError `MPESA_STK_CONFIG_INVALID`
 */
export function readRanges(name: string, texts: readonly string[]): readonly AddressRange[] {
  return texts.map((text, index) => {
    const range = readRange(text)
    if (range !== null) return range
    throw new MpesaStkError(
      'MPESA_STK_CONFIG_INVALID',
      `${name} must be addresses or CIDR blocks, like 192.0.2.1 or 2001:db8::/32; number ${index + 1} is none, or is every address`,
    )
  })
}
