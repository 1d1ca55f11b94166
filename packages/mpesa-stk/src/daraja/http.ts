import type { DarajaAnswer } from '../core/explain/read-answer.ts'

/** What became of one HTTP request to Daraja. */
export type HttpOutcome =
  | { readonly outcome: 'answered'; readonly answer: DarajaAnswer; readonly retryAfterMs: number | null }
  /** It provably never left: no connection came about. */
  | { readonly outcome: 'not-sent'; readonly code: string }
  /** It may have arrived: the deadline passed, or the connection broke under it. */
  | { readonly outcome: 'lost'; readonly code: string }

export type HttpRequest = {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** One deadline over connecting, sending and reading the whole answer. */
  readonly deadline: AbortSignal
}

/** Far above any answer of Daraja; a longer one is cut, because nothing useful follows. */
const maxBodyBytes = 64 * 1024

/**
 * System calls that come before a request is written. The code alone proves nothing: an established connection whose
 * route goes away fails with ENETUNREACH too, while reading, after the request was delivered.
 */
const callsBeforeSending: ReadonlySet<string> = new Set(['connect', 'getaddrinfo'])

/** Errors without a system call that come before a request is written: connecting, the TLS handshake's verdict. */
const neverSentCodes: ReadonlySet<string> = new Set([
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])

/** Makes one request. Never throws for anything that the network or the server does, and follows no redirect. */
export async function request({ deadline, ...init }: HttpRequest): Promise<HttpOutcome> {
  if (deadline.aborted) return { outcome: 'not-sent', code: 'DEADLINE' }
  try {
    const response = await fetch(init.url, {
      method: init.method,
      // A connection kept alive may be closed by the server just as the next request is written, and a push that is
      // lost that way is unknown for ever. A fresh connection per request costs a handshake and removes that case.
      headers: { ...init.headers, connection: 'close' },
      redirect: 'manual',
      signal: deadline,
      ...(init.body !== undefined && { body: init.body }),
    })
    const body = await readCapped(response)
    return {
      outcome: 'answered',
      answer: { httpStatus: response.status, body },
      retryAfterMs: readRetryAfter(response.headers.get('retry-after')),
    }
  } catch (error) {
    if (deadline.aborted) return { outcome: 'lost', code: 'TIMEOUT' }
    return judgeFailure(error)
  }
}

async function readCapped(response: Response): Promise<string> {
  if (response.body === null) return ''
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    length += chunk.length
    if (length >= maxBodyBytes) break
  }
  return Buffer.concat(chunks).subarray(0, maxBodyBytes).toString('utf8')
}

/** `Retry-After` in seconds; its date form is not used by Daraja's gateway. */
function readRetryAfter(header: string | null): number | null {
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : null
}

/** Judges the error at the end of fetch's chain of causes. Several addresses fail together, as an AggregateError. */
function judgeFailure(error: unknown): HttpOutcome {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  const failures: unknown[] = cause instanceof AggregateError ? cause.errors : [cause]
  const code = failures.map(codeOf).find(found => found !== null) ?? 'CONNECTION_LOST'
  return { outcome: failures.length > 0 && failures.every(isNeverSent) ? 'not-sent' : 'lost', code }
}

function isNeverSent(failure: unknown): boolean {
  const syscall: unknown = failure instanceof Error ? Reflect.get(failure, 'syscall') : undefined
  return typeof syscall === 'string' ? callsBeforeSending.has(syscall) : neverSentCodes.has(codeOf(failure) ?? '')
}

function codeOf(failure: unknown): string | null {
  const code: unknown = failure instanceof Error ? Reflect.get(failure, 'code') : undefined
  return typeof code === 'string' ? code : null
}
