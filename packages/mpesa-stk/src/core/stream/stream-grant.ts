import type { Revocation } from './stream-storage.ts'

export const streamActions = ['read', 'ack'] as const

export type StreamAction = (typeof streamActions)[number]

/** What a token says, once it has been found to be ours. */
export type TokenClaims = {
  readonly tokenId: string
  readonly subject: string | null
  readonly sourceId: string
  readonly issuedAtMs: number
  readonly expiresAtMs: number
  readonly streams: readonly string[]
  readonly actions: readonly StreamAction[]
  /** Of streams that have an opaque name: Safaricom's id of their push. */
  readonly pushes: Readonly<Record<string, string>>
}

/** What who holds a token, or a secret, may do. A refreshed one never allows more than the first did. */
export type StreamGrant = {
  /** Null for who came with a secret. */
  readonly token: Omit<TokenClaims, 'streams' | 'actions'> | null
  readonly streams: readonly string[] | 'all'
  readonly actions: readonly StreamAction[]
}

/** Whoever has a secret of the app may read all of it. */
export const grantOfSecret: StreamGrant = { token: null, streams: 'all', actions: streamActions }

export function grantOfToken(claims: TokenClaims): StreamGrant {
  return { token: claims, streams: claims.streams, actions: claims.actions }
}

/** What a fresh one allows on a connection that began with `first`: nothing new. Null where it is somebody else's. */
export function refreshGrant(first: StreamGrant, fresh: StreamGrant): StreamGrant | null {
  if (first.token === null || fresh.token === null || fresh.streams === 'all') return null
  if (first.token.sourceId !== fresh.token.sourceId || first.token.subject !== fresh.token.subject) return null
  return {
    token: fresh.token,
    streams: fresh.streams.filter(stream => allowsStream(first, stream)),
    actions: fresh.actions.filter(action => first.actions.includes(action)),
  }
}

export function allowsStream({ streams }: StreamGrant, stream: string): boolean {
  return streams === 'all' || streams.includes(stream)
}

export function hasExpired({ token }: StreamGrant, nowMs: number): boolean {
  return token !== null && token.expiresAtMs <= nowMs
}

/** Whether the token was taken back: it alone, or all of its subject that were issued by then. */
export function isRevoked({ token }: StreamGrant, revocations: readonly Revocation[]): boolean {
  if (token === null) return false
  return revocations.some(({ tokenId, subject, at }) =>
    tokenId === null
      ? subject !== null && subject === token.subject && token.issuedAtMs <= at.getTime()
      : tokenId === token.tokenId,
  )
}
