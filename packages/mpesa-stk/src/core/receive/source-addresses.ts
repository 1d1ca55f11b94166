import type { Confidence } from '../explain/catalogue/row.ts'
import { sources } from '../explain/catalogue/sources.ts'
import { type AddressRange, findRange, isWithin, readRange } from './address-range.ts'

/** Where callbacks are said to come from. */
export type SourceAddress = {
  /** An address or a CIDR block. */
  readonly range: string
  readonly confidence: Confidence
  readonly sources: readonly [string, ...string[]]
}

/** Ranges in one text, with a space between them. */
const rows = (confidence: Confidence, from: SourceAddress['sources'], ranges: string): SourceAddress[] =>
  ranges.split(' ').map(range => ({ range, confidence, sources: from }))

/**
 * The addresses that integrators repeat as Safaricom's own. No page of its portal prints them, so none is `documented`, and
 * nobody knows whether they are all: have them confirmed in writing before they are enforced.
 */
export const sourceAddresses: readonly SourceAddress[] = [
  ...rows(
    'observed',
    [sources.yourdudekenDocs, sources.darajaMcpQuirks, sources.mpesakit],
    '196.201.214.200 196.201.214.206 196.201.214.207 196.201.214.208 196.201.213.114 196.201.213.44 196.201.212.127 ' +
      '196.201.212.138 196.201.212.129 196.201.212.136 196.201.212.74 196.201.212.69',
  ),
  ...rows('observed', [sources.mpesakit], '196.201.212.128 196.201.212.132'),
  ...rows('unverified', ['other lists of integrators'], '196.201.212.130 196.201.212.131 196.201.212.139'),
  // One library takes eight blocks within .200 to .246 of it, and refuses the senders of .212 and .213.
  ...rows('unverified', [sources.darajaMcpQuirks, 'ronnyabuto/mpesa-stk'], '196.201.214.0/24'),
]

/** Who says that an address is Safaricom's: the operator, or a list, and how well it is known. Null: nobody. */
export type SourceListing = 'operator' | Confidence | null

const published = sourceAddresses.flatMap(({ range, confidence }) => {
  const parsed = readRange(range)
  return parsed === null ? [] : [{ range: parsed, confidence }]
})

/** How an address is listed. Of several rows the first counts: the best known come first. */
export function listingOf(address: string, ofOperator: readonly AddressRange[]): SourceListing {
  if (isWithin(address, ofOperator)) return 'operator'
  return findRange(address, published)?.confidence ?? null
}

/**
 * Whether callbacks from there are taken where the list is enforced. What somebody only asserts is not enough: it would let
 * in whoever else has an address of such a block. It is shown as `unverified`, and the operator may add it.
 */
export function isKnownSource(listing: SourceListing): boolean {
  return listing !== null && listing !== 'unverified'
}
