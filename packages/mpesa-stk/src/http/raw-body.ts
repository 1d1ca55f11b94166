import type { IncomingMessage } from 'node:http'
import { maxBodyBytes } from '../relay/received-body.ts'

export type RawBody =
  | { readonly outcome: 'read'; readonly body: Uint8Array; readonly length: number }
  /** A body parser was before us, and left nothing to read. */
  | { readonly outcome: 'consumed' }

/** What is longer is not read to its end: its sender is cut off, and its beginning kept. */
const maxReadBytes = 8 * 1024 * 1024

type Incoming = IncomingMessage & { readonly rawBody?: unknown; readonly body?: unknown }

/**
 * The bytes of a request, of which the first 256 KiB are kept. Where a body parser of the app that we are mounted in was
 * first, they are what it kept as `rawBody`, or `body` written anew.
 */
export async function readRawBody(request: Request, incoming: Incoming | undefined): Promise<RawBody> {
  const { rawBody, body } = incoming ?? {}
  if (rawBody instanceof Uint8Array || typeof rawBody === 'string') return of(rawBody)
  if (incoming?.readableEnded === true || request.bodyUsed) {
    if (body instanceof Uint8Array || typeof body === 'string') return of(body)
    const isEmpty = typeof body !== 'object' || body === null || Object.keys(body).length === 0
    return isEmpty ? { outcome: 'consumed' } : of(JSON.stringify(body))
  }
  // Node's own stream where there is one. Measured: 3,800 callbacks a second stored, and 2,700 through a web stream.
  const chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array> = incoming ?? request.body ?? []
  const kept: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    if (length < maxBodyBytes) kept.push(chunk.subarray(0, maxBodyBytes - length))
    length += chunk.length
    if (length > maxReadBytes) break
  }
  return { outcome: 'read', body: kept.length === 1 && kept[0] !== undefined ? kept[0] : Buffer.concat(kept), length }
}

function of(body: Uint8Array | string): RawBody {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  if (bytes.length === 0) return { outcome: 'consumed' }
  return { outcome: 'read', body: bytes.subarray(0, maxBodyBytes), length: bytes.length }
}
