import { describeError } from '../core/errors.ts'
import { readAnswerBody, readFailure } from '../core/explain/read-answer.ts'
import type { Clock, SealedToken, TokenStore } from '../core/ports.ts'
import { sha256 } from '../core/sha256.ts'
import { seal, unseal } from '../seal/seal.ts'
import { request } from './http.ts'

/** An access token, or why there is none. Without a token no request was made, so nothing was created. */
export type TokenOutcome =
  | { readonly outcome: 'token'; readonly token: string }
  | { readonly outcome: 'none'; readonly code: string; readonly message: string; readonly httpStatus: number | null }

/** One cache for one consumer key and secret. */
export type TokenSource = {
  /** The token in use, or a fresh one. All who ask while one is being fetched share that one request. */
  get(): Promise<TokenOutcome>
  /** Drops `token` here and in the store, if it is still the one in use: Daraja refused it. */
  discard(token: string): Promise<void>
}

export type TokenSourceOptions = {
  readonly baseUrl: string
  readonly consumerKey: string
  readonly consumerSecret: string
  readonly timeoutMs: number
  readonly clock: Clock
  /** Where all processes of this consumer key find the token. */
  readonly store: TokenStore
}

/** A token is replaced this long before it ends, so that none expires under a request. */
const refreshBeforeEndMs = 60_000
/** Daraja's token lives 3,600 s [documented]; used when `expires_in` cannot be read. */
const defaultLifetimeMs = 3_600_000
/** The longest wait for a token. Everybody waits for whoever fetches, so it is short of a push's own deadline. */
const longestFetchMs = 15_000
/** Room for a token that was fetched to be stored, before somebody else may fetch. */
const fetchMarginMs = 5_000
/** How often to look again while another process fetches. */
const watchEveryMs = 100

type Current = { readonly token: string; readonly endsAt: Date }

/**
 * Fetches and keeps one token, through the store for all processes. Asking for a new token may cancel the old one
 * [documented], so two requests would cancel each other's: there is never more than one under way, here or elsewhere.
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  const { baseUrl, consumerKey, consumerSecret, clock, store, timeoutMs } = options
  const credentials = JSON.stringify([consumerKey, consumerSecret])
  // A new secret is a new name: what was sealed with the old one cannot be read.
  const name = sha256(JSON.stringify([baseUrl, credentials]))
  const fetchMs = Math.min(timeoutMs, longestFetchMs)
  let current: Current | null = null
  let underWay: Promise<TokenOutcome> | null = null

  async function obtain(): Promise<TokenOutcome> {
    for (let waitedMs = 0; ; waitedMs += watchEveryMs) {
      const at = clock.now()
      const fetchUntil = new Date(at.getTime() + fetchMs + fetchMarginMs)
      const taken = await store.takeToken(name, {
        at,
        goodUntil: new Date(at.getTime() + refreshBeforeEndMs),
        fetchUntil,
      })
      if (taken.outcome === 'kept') {
        const token = unseal(taken.token.sealed, credentials, 'access token')
        if (token !== null) return use({ token, endsAt: taken.token.endsAt })
        await store.dropToken(name, taken.token.digest)
        continue
      }
      // A clock that stepped back must not keep us waiting for somebody who is long gone.
      if (taken.outcome === 'fetch' || waitedMs > fetchMs + fetchMarginMs) return fetchAndKeep(at, fetchUntil)
      await clock.sleep(watchEveryMs)
    }
  }

  async function fetchAndKeep(at: Date, fetchUntil: Date): Promise<TokenOutcome> {
    const fetched = await fetchToken({ ...options, timeoutMs: fetchMs })
    if (fetched.outcome === 'none') {
      await keep(null, fetchUntil)
      return fetched
    }
    const { token } = fetched
    const endsAt = new Date(at.getTime() + fetched.lifetimeMs)
    const outcome = use({ token, endsAt })
    await keep({ sealed: seal(token, credentials, 'access token'), digest: sha256(token), endsAt }, fetchUntil)
    return outcome
  }

  /** A store that fails here costs the others a fetch, once our right to it has run out; the token is good all the same. */
  async function keep(token: SealedToken | null, fetchUntil: Date): Promise<void> {
    await store.putToken(name, token, fetchUntil).catch(() => undefined)
  }

  function use(next: Current): TokenOutcome {
    current = next
    return { outcome: 'token', token: next.token }
  }

  return {
    async get() {
      if (current !== null && clock.now().getTime() < current.endsAt.getTime() - refreshBeforeEndMs) {
        return { outcome: 'token', token: current.token }
      }
      underWay ??= obtain()
        // A push that has been claimed asks here too: a store that fails must read as "never sent", not as an exception.
        .catch((error: unknown) => storeFailed(error))
        .finally(() => {
          underWay = null
        })
      return underWay
    },
    async discard(token) {
      if (current?.token === token) current = null
      await store.dropToken(name, sha256(token)).catch(() => undefined)
    },
  }
}

function storeFailed(error: unknown): TokenOutcome {
  const { name } = describeError(error)
  return { outcome: 'none', code: 'NOT_SENT', message: `no access token: the store failed (${name})`, httpStatus: null }
}

const sources = new WeakMap<TokenStore, Map<string, TokenSource>>()

/**
 * The token source of a consumer key and a store in this process: two `MpesaStk` of one Daraja app (two shortcodes, say)
 * share it, because a token for one cancels that of the other.
 */
export function sharedTokenSource(options: TokenSourceOptions): TokenSource {
  const { baseUrl, consumerKey, consumerSecret, store } = options
  const ofStore = sources.get(store) ?? new Map<string, TokenSource>()
  const identity = JSON.stringify([baseUrl, consumerKey, consumerSecret])
  const source = ofStore.get(identity) ?? createTokenSource(options)
  sources.set(store, ofStore.set(identity, source))
  return source
}

type FetchedToken =
  | Extract<TokenOutcome, { readonly outcome: 'none' }>
  | { readonly outcome: 'token'; readonly token: string; readonly lifetimeMs: number }

/** `GET /oauth/v1/generate` with Basic authentication. [documented] */
async function fetchToken(options: TokenSourceOptions): Promise<FetchedToken> {
  const credentials = Buffer.from(`${options.consumerKey}:${options.consumerSecret}`).toString('base64')
  const outcome = await request({
    method: 'GET',
    url: `${options.baseUrl}/oauth/v1/generate?grant_type=client_credentials`,
    headers: { authorization: `Basic ${credentials}` },
    deadline: AbortSignal.timeout(options.timeoutMs),
  })
  const none = { outcome: 'none' } as const
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
