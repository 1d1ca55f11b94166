import ipaddr from 'ipaddr.js'

/** Addresses that begin with the same bits: one address, or a CIDR block. */
export type AddressRange = readonly [ipaddr.IPv4 | ipaddr.IPv6, number]

/** An address in the one way that we write it: IPv4 that is mapped into IPv6 as IPv4, no zone. Null for what is none. */
export function readAddress(text: string): string | null {
  return parseAddress(text)?.toString() ?? null
}

/** Whose an address is, as far as it tells: with IPv6 one customer has a whole /64. */
export function networkOf(address: string): string {
  const parsed = parseAddress(address)
  return parsed !== null && 'parts' in parsed ? parsed.parts.slice(0, 4).join(':') : address
}

/** An address or a CIDR block. Null for what is neither, and for a block that would be every address. */
export function readRange(text: string): AddressRange | null {
  const [, address = '', length] = /^([^/]+?)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? []
  const parsed = parseAddress(address)
  if (parsed === null) return null
  const most = parsed.kind() === 'ipv4' ? 32 : 128
  if (length === undefined) return [parsed, most]
  // A mapped block counts its bits from the beginning of the IPv6 address.
  const bits = Number(length) - (most === 32 && address.includes(':') ? 96 : 0)
  return bits >= 1 && bits <= most ? [parsed, bits] : null
}

/** Whether an address, written as `readAddress` writes it, is in one of the ranges. */
export function isWithin(address: string, ranges: readonly AddressRange[]): boolean {
  const parsed = ranges.length === 0 ? null : parseAddress(address)
  return parsed !== null && ranges.some(range => matches(parsed, range))
}

/** The first of the rows in whose range an address is. */
export function findRange<Row extends { readonly range: AddressRange }>(
  address: string,
  rows: readonly Row[],
): Row | undefined {
  const parsed = parseAddress(address)
  return parsed === null ? undefined : rows.find(({ range }) => matches(parsed, range))
}

function matches(address: ipaddr.IPv4 | ipaddr.IPv6, [start, bits]: AddressRange): boolean {
  if (address instanceof ipaddr.IPv4) return start instanceof ipaddr.IPv4 && address.match(start, bits)
  return start instanceof ipaddr.IPv6 && address.match(start, bits)
}

/** Parsing one of IPv6 takes longer than all else that is done to judge it, and nearly all callbacks come from the same few. */
const parsedBefore = new Map<string, ipaddr.IPv4 | ipaddr.IPv6 | null>()
const maxRemembered = 1_000
const longestAddress = 64

function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  if (text.length > longestAddress) return null
  const known = parsedBefore.get(text)
  if (known !== undefined) return known
  if (parsedBefore.size >= maxRemembered) parsedBefore.clear()
  const parsed = parseAnew(text)
  parsedBefore.set(text, parsed)
  return parsed
}

/** Four decimal parts, or IPv6: the octal, hexadecimal and short forms that the parser also knows are nobody's to send. */
function parseAnew(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const address = text.trim().replace(/%.*$/, '')
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return ipaddr.IPv4.parse(address)
  if (!ipaddr.IPv6.isValid(address)) return null
  const parsed = ipaddr.IPv6.parse(address)
  return parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed
}
