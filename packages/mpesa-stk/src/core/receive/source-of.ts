import { type AddressRange, isWithin, readAddress } from './address-range.ts'

/** What proxies write of whom they pass on: `X-Forwarded-For` and `Forwarded` (RFC 7239), as they came. */
export type ForwardedBy = { readonly xForwardedFor: string | null; readonly forwarded: string | null }

export const forwardedByNobody: ForwardedBy = { xForwardedFor: null, forwarded: null }

/** No request passes through so many proxies: what is longer is somebody's play. */
const maxHops = 32

/**
 * Where a request came from: the first address, seen from us, that is no proxy of ours. Only what a trusted proxy wrote is
 * believed, so the walk begins at the socket and goes from the right of the header to the left while hops are trusted. Null
 * where nobody can tell: a trusted hop wrote something that is no address, or the two headers disagree, of which a proxy
 * writes one and passes the other on as the stranger made it up.
 */
export function sourceOf(
  socketAddress: string | null,
  { xForwardedFor, forwarded }: ForwardedBy,
  trustedProxies: readonly AddressRange[],
): string | null {
  const socket = readAddress(socketAddress ?? '')
  if (socket === null || !isWithin(socket, trustedProxies)) return socket
  const tellings = [
    ...(xForwardedFor === null ? [] : [walk(socket, xForwardedFor.split(','), trustedProxies)]),
    ...(forwarded === null ? [] : [walk(socket, forwardedHops(forwarded), trustedProxies)]),
  ]
  const [first = socket] = tellings
  return tellings.every(source => source === first) ? first : null
}

function walk(socket: string, hops: readonly string[], trustedProxies: readonly AddressRange[]): string | null {
  let source = socket
  for (const hop of hops.slice(-maxHops).reverse()) {
    const address = readAddress(withoutPort(hop))
    if (address === null) return null
    source = address
    if (!isWithin(address, trustedProxies)) break
  }
  return source
}

/** `192.0.2.1:4711` and `[2001:db8::1]:4711`, which some proxies write. */
function withoutPort(hop: string): string {
  const [, inBrackets, beforePort] = /^\s*(?:\[([^\]]*)\](?::\d+)?|([\d.]+):\d+)\s*$/.exec(hop) ?? []
  return inBrackets ?? beforePort ?? hop
}

/** The `for` of each hop; one that has none is no address. A comma or a semicolon in quotes is in no address either. */
function forwardedHops(forwarded: string): readonly string[] {
  return forwarded.split(',').map(hop => /(?:^|;)\s*for\s*=\s*("?)([^";]*)\1\s*(?:;|$)/i.exec(hop)?.[2] ?? '')
}
