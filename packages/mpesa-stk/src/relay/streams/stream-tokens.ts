import { errors, jwtVerify, SignJWT } from 'jose'
import { paymentAlias } from '../../core/stream/payment-alias.ts'
import { type StreamAction, streamActions, type TokenClaims } from '../../core/stream/stream-grant.ts'
import { seal, unseal } from '../../seal/seal.ts'
import { deriveKey } from '../vault.ts'

/** What a page is to be allowed. */
export type TokenWish = {
  readonly sourceId: string
  readonly streams: readonly string[]
  readonly checkoutRequestIds: readonly string[]
  readonly actions: readonly StreamAction[]
  readonly subject: string | null
  readonly ttlSeconds: number
}

export type MintedToken =
  | { readonly outcome: 'minted'; readonly token: string; readonly streams: readonly string[] }
  /** No frame would take it. */
  | { readonly outcome: 'too-long' }

export type ReadToken =
  | { readonly outcome: 'good'; readonly claims: TokenClaims }
  | { readonly outcome: 'invalid' | 'expired' }

const issuer = 'mpesa-stk relay'
const algorithm = 'HS256'
const pushPurpose = 'stream push'
/** A token fits into a frame. */
export const longestToken = 4_000
/** How long keys are kept: they cost more to make than to use. */
const maxKept = 1_000

/**
 * Tokens of pages: JWTs under a key that is made of the relay's own and the app's source id, so that a forged one costs no
 * look into the store, and one of another app is as good as a forged one.
 */
export class StreamTokens {
  readonly #encryptionKey: string
  readonly #now: () => Date
  readonly #keys = new Map<string, { readonly token: Uint8Array; readonly alias: string }>()

  constructor(encryptionKey: string, now: () => Date) {
    this.#encryptionKey = encryptionKey
    this.#now = now
  }

  /** What opaque names of an app's payments are made with. */
  aliasKey(sourceId: string): string {
    return this.#keysOf(sourceId).alias
  }

  async mint(wish: TokenWish, tokenId: string): Promise<MintedToken> {
    const { sourceId, subject, actions, ttlSeconds, checkoutRequestIds } = wish
    const { token: key, alias } = this.#keysOf(sourceId)
    const ids = [...new Set(checkoutRequestIds)]
    // They end with the customer's number, and a page can read its token. The names of their streams follow from them.
    const pushes = ids.map(id => Buffer.from(seal(id, this.#encryptionKey, pushPurpose)).toString('base64url'))
    const streams = [...new Set(wish.streams)]
    // To the millisecond: one that is minted after all of a subject's were taken back is good.
    const issuedAt = this.#now().getTime() / 1_000
    const token = await new SignJWT({ streams, actions, ...(pushes.length > 0 && { pushes }) })
      .setProtectedHeader({ alg: algorithm, typ: 'JWT' })
      .setIssuer(issuer)
      .setAudience(sourceId)
      .setJti(tokenId)
      .setSubject(subject ?? '')
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ttlSeconds)
      .sign(key)
    if (token.length > longestToken) return { outcome: 'too-long' }
    return { outcome: 'minted', token, streams: [...streams, ...ids.map(id => aliasStream(alias, id))] }
  }

  /** Whether a token is ours, for which source, and still good. Never rejects. */
  async read(token: string): Promise<ReadToken> {
    const sourceId = token.length > longestToken ? null : audienceOf(token)
    if (sourceId === null) return { outcome: 'invalid' }
    try {
      const { payload } = await jwtVerify(token, this.#keysOf(sourceId).token, {
        algorithms: [algorithm],
        issuer,
        audience: sourceId,
        typ: 'JWT',
        clockTolerance: 0,
        currentDate: this.#now(),
        requiredClaims: ['exp', 'iat', 'jti', 'sub', 'streams', 'actions'],
      })
      const { jti = '', sub = '', iat = 0, exp = 0, streams, actions, pushes } = payload
      const opened = this.#openPushes(pushes, sourceId)
      const claims = {
        tokenId: jti,
        subject: sub === '' ? null : sub,
        sourceId,
        issuedAtMs: iat * 1_000,
        expiresAtMs: exp * 1_000,
        streams: [...textsOf(streams), ...Object.keys(opened)],
        actions: streamActions.filter(action => textsOf(actions).includes(action)),
        pushes: opened,
      }
      // The library compares whole seconds.
      return claims.expiresAtMs <= this.#now().getTime() ? { outcome: 'expired' } : { outcome: 'good', claims }
    } catch (cause) {
      return { outcome: cause instanceof errors.JWTExpired ? 'expired' : 'invalid' }
    }
  }

  #openPushes(pushes: unknown, sourceId: string): Readonly<Record<string, string>> {
    const opened: Record<string, string> = {}
    for (const sealed of textsOf(pushes)) {
      const id = unseal(Buffer.from(sealed, 'base64url'), this.#encryptionKey, pushPurpose)
      if (id !== null) opened[aliasStream(this.aliasKey(sourceId), id)] = id
    }
    return opened
  }

  #keysOf(sourceId: string) {
    const known = this.#keys.get(sourceId)
    if (known !== undefined) return known
    if (this.#keys.size >= maxKept) this.#keys.clear()
    const keys = {
      token: deriveKey(this.#encryptionKey, 'stream token', sourceId),
      alias: Buffer.from(deriveKey(this.#encryptionKey, 'stream alias', sourceId)).toString('base64url'),
    }
    this.#keys.set(sourceId, keys)
    return keys
  }
}

function aliasStream(aliasKey: string, checkoutRequestId: string): string {
  return `payment:${paymentAlias(aliasKey, checkoutRequestId)}`
}

/** Whose token it says it is, before anything of it is believed: which key it must have been signed with. */
function audienceOf(token: string): string | null {
  try {
    const [, payload = ''] = token.split('.')
    const { aud }: { aud?: unknown } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'))
    return typeof aud === 'string' && /^[\w-]{1,64}$/.test(aud) ? aud : null
  } catch {
    return null
  }
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter(each => typeof each === 'string') : []
}
