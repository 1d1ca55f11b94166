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
  const kept = new KeptBytes()
  let length = 0
  for await (const chunk of chunks) {
    kept.add(chunk)
    length += chunk.length
    if (length > maxReadBytes) break
  }
  return { outcome: 'read', body: kept.bytes, length }
}

/** The first 256 KiB of what comes, in one piece: a body that comes byte by byte must not cost a buffer for each. */
class KeptBytes {
  #buffer: Uint8Array = new Uint8Array(0)
  #length = 0

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length)
  }

  add(chunk: Uint8Array): void {
    const part = chunk.subarray(0, maxBodyBytes - this.#length)
    // A callback is one chunk.
    if (this.#length === 0) this.#buffer = part
    else this.#append(part)
    this.#length += part.length
  }

  #append(part: Uint8Array): void {
    const needed = this.#length + part.length
    if (needed > this.#buffer.length || this.#buffer.byteOffset > 0) {
      const grown = new Uint8Array(Math.min(maxBodyBytes, Math.max(4_096, 2 * needed)))
      grown.set(this.bytes)
      this.#buffer = grown
    }
    this.#buffer.set(part, this.#length)
  }
}

function of(body: Uint8Array | string): RawBody {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  if (bytes.length === 0) return { outcome: 'consumed' }
  return { outcome: 'read', body: bytes.subarray(0, maxBodyBytes), length: bytes.length }
}
