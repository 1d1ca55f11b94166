import ipaddr from 'ipaddr.js'

/** Kinds of addresses that are somewhere on the public internet. Everything else is somebody's inside. */
const publicRanges: ReadonlySet<string> = new Set(['unicast'])

/** IPv6 prefixes that carry an IPv4 address; where it begins, in bytes. */
const carriers: readonly { readonly prefix: ipaddr.IPv6; readonly bits: number; readonly at: number }[] = [
  // IPv4-mapped and IPv4-compatible.
  { prefix: ipaddr.IPv6.parse('::ffff:0:0'), bits: 96, at: 12 },
  { prefix: ipaddr.IPv6.parse('::ffff:0:0:0'), bits: 96, at: 12 },
  { prefix: ipaddr.IPv6.parse('::'), bits: 96, at: 12 },
  // NAT64, the well-known prefix.
  { prefix: ipaddr.IPv6.parse('64:ff9b::'), bits: 96, at: 12 },
  // 6to4.
  { prefix: ipaddr.IPv6.parse('2002::'), bits: 16, at: 2 },
]

/** NAT64 of somebody's own network: where in it the IPv4 address stands is for that network to say. */
const localNat64 = ipaddr.IPv6.parse('64:ff9b:1::')

/**
 * Whether an address may be connected to: it is on the public internet, and so is the IPv4 address that it may carry in
 * disguise (mapped, NAT64, 6to4; Teredo is refused whole, because it hides its own). Anything that is no address may not.
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.parse(address)
  if (parsed instanceof ipaddr.IPv4) return publicRanges.has(parsed.range())
  if (parsed.match(localNat64, 48)) return false
  const carrier = carriers.find(({ prefix, bits }) => parsed.match(prefix, bits))
  if (carrier !== undefined) {
    const [a, b, c, d] = parsed.toByteArray().slice(carrier.at, carrier.at + 4)
    return isPublicAddress(`${a}.${b}.${c}.${d}`)
  }
  return publicRanges.has(parsed.range())
}
