import { networkOf } from '../../core/receive/address-range.ts'
import type { SourceBook } from '../../relay/source-book.ts'
import type { StreamVisit } from '../../relay/streams/stream-door.ts'

type Header = string | readonly string[] | undefined

type Headers = {
  readonly origin?: Header
  readonly 'x-forwarded-for'?: Header
  readonly forwarded?: Header
}

/** Who comes to stream. Whoever nobody can tell from where shares the places of all such. */
export function visitOf(
  socketAddress: string | null,
  headers: Headers,
  wantsPhone: boolean,
  sources: SourceBook,
): StreamVisit {
  const forwardedBy = { xForwardedFor: textOf(headers['x-forwarded-for']), forwarded: textOf(headers.forwarded) }
  const address = sources.addressOf(socketAddress, forwardedBy)
  const origin = textOf(headers.origin)
  return { address: address === null ? 'unknown' : networkOf(address), origin, wantsPhone }
}

function textOf(header: Header): string | null {
  if (header === undefined) return null
  return typeof header === 'string' ? header : header.join(',')
}
