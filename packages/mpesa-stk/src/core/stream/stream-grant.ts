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

/** What was taken back, to be looked up: it is asked for each connection. */
export type Revoked = {
  readonly tokenIds: ReadonlySet<string>
  /** When the last of a subject's tokens was taken back. */
  readonly subjects: ReadonlyMap<string, number>
}

export function indexRevocations(revocations: readonly Revocation[]): Revoked {
  const tokenIds = new Set<string>()
  const subjects = new Map<string, number>()
  for (const { tokenId, subject, at } of revocations) {
    if (tokenId !== null) tokenIds.add(tokenId)
    else if (subject !== null) subjects.set(subject, Math.max(at.getTime(), subjects.get(subject) ?? 0))
  }
  return { tokenIds, subjects }
}

/** Whether the token was taken back: it alone, or all of its subject that were issued by then. */
export function isRevoked({ token }: StreamGrant, { tokenIds, subjects }: Revoked): boolean {
  if (token === null) return false
  const untilMs = token.subject === null ? undefined : subjects.get(token.subject)
  return tokenIds.has(token.tokenId) || (untilMs !== undefined && token.issuedAtMs <= untilMs)
}
