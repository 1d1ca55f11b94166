import { createHash } from 'node:crypto'
import { readAnswerBody, readFailure } from '../core/explain/read-answer.ts'
import type { Clock } from '../core/ports.ts'
import { request } from './http.ts'

/** An access token, or why there is none. Without a token no request was made, so nothing was created. */
export type TokenOutcome =
  | { readonly outcome: 'token'; readonly token: string }
  | { readonly outcome: 'none'; readonly code: string; readonly message: string; readonly httpStatus: number | null }

/** One cache for one consumer key and secret. */
export type TokenSource = {
  /** The token in use, or a fresh one. All who ask while one is being fetched share that one request. */
  get(): Promise<TokenOutcome>
  /** Drops `token` if it is still the one in use: Daraja refused it. */
  discard(token: string): void
}

export type TokenSourceOptions = {
  readonly baseUrl: string
  readonly consumerKey: string
  readonly consumerSecret: string
  readonly timeoutMs: number
  readonly clock: Clock
}

/** A token is replaced this long before it ends, so that none expires under a request. */
const refreshBeforeEndMs = 60_000
/** Daraja's token lives 3,600 s [documented]; used when `expires_in` cannot be read. */
const defaultLifetimeMs = 3_600_000

/**
 * Fetches and keeps one token. Asking for a new token may cancel the old one [documented], so two requests at once
 * would cancel each other's: there is never more than one under way.
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  let current: { readonly token: string; readonly endsAt: number } | null = null
  let underWay: Promise<TokenOutcome> | null = null

  async function refresh(): Promise<TokenOutcome> {
    const askedAt = options.clock.now().getTime()
    const fetched = await fetchToken(options)
    if (fetched.outcome === 'token') current = { token: fetched.token, endsAt: askedAt + fetched.lifetimeMs }
    return fetched
  }

  return {
    async get() {
      if (current !== null && options.clock.now().getTime() < current.endsAt - refreshBeforeEndMs) {
        return { outcome: 'token', token: current.token }
      }
      underWay ??= refresh().finally(() => {
        underWay = null
      })
      return underWay
    },
    discard(token) {
      if (current?.token === token) current = null
    },
  }
}

const sources = new Map<string, TokenSource>()

/**
 * The token source of a consumer key in this process. Two `MpesaStk` of one Daraja app (two shortcodes, say) must share
 * it, because a token for one cancels that of the other.
 */
export function sharedTokenSource(options: TokenSourceOptions): TokenSource {
  const { baseUrl, consumerKey, consumerSecret } = options
  const identity = createHash('sha256')
    .update(JSON.stringify([baseUrl, consumerKey, consumerSecret]))
    .digest('hex')
  const source = sources.get(identity) ?? createTokenSource(options)
  sources.set(identity, source)
  return source
}

/** `GET /oauth/v1/generate` with Basic authentication. [documented] */
async function fetchToken(options: TokenSourceOptions): Promise<TokenOutcome & { readonly lifetimeMs: number }> {
  const credentials = Buffer.from(`${options.consumerKey}:${options.consumerSecret}`).toString('base64')
  const outcome = await request({
    method: 'GET',
    url: `${options.baseUrl}/oauth/v1/generate?grant_type=client_credentials`,
    headers: { authorization: `Basic ${credentials}` },
    deadline: AbortSignal.timeout(options.timeoutMs),
  })
  const none = { outcome: 'none', lifetimeMs: 0 } as const
  if (outcome.outcome !== 'answered') {
    return { ...none, code: 'NOT_SENT', message: `no access token: ${outcome.code}`, httpStatus: null }
  }
  const body = readAnswerBody(outcome.answer.body)
  const token = body?.['access_token']
  if (outcome.answer.httpStatus !== 200 || typeof token !== 'string' || token === '') {
    return { ...none, ...readFailure(outcome.answer), httpStatus: outcome.answer.httpStatus }
  }
  // `expires_in` is a string on the wire and a number on the portal. [observed], [documented]
  const lifetimeMs = Number(body?.['expires_in']) * 1000
  return { outcome: 'token', token, lifetimeMs: lifetimeMs > 0 ? lifetimeMs : defaultLifetimeMs }
}
