import type { AppSecrets } from '../../core/deliver/relay-app.ts'
import { isSameSecret } from '../../core/same-secret.ts'
import type { StreamErrorCode } from '../../core/stream/stream-error.ts'
import type { StreamScope } from '../../core/stream/stream-event.ts'
import { grantOfSecret, grantOfToken, type StreamGrant } from '../../core/stream/stream-grant.ts'
import type { AppBook, OpenedApp } from '../app-book.ts'
import type { StreamTokens } from './stream-tokens.ts'

/** What a visitor shows. */
export type StreamCredentials = { readonly token: string } | { readonly sourceId: string; readonly secret: string }

/** How a visitor came. */
export type StreamVisit = {
  /** Whose places it takes. */
  readonly address: string
  /** The page's; null for what is no page. */
  readonly origin: string | null
  /** He asks for customers' numbers, which only servers get. */
  readonly wantsPhone: boolean
}

/** Whoever may stream, as what. */
export type Admission = {
  readonly app: OpenedApp
  readonly grant: StreamGrant
  readonly scope: StreamScope
  /** The secret that he came with. */
  readonly by: 'token' | keyof Pick<AppSecrets, 'signingSecret' | 'streamSecret'>
}

type Judged = { readonly outcome: 'admitted'; readonly admission: Admission } | Refused
type Refused = { readonly outcome: 'refused'; readonly code: StreamErrorCode }

/** Decides who may stream. */
export class StreamDoor {
  readonly #apps: AppBook
  readonly #tokens: StreamTokens

  constructor(apps: AppBook, tokens: StreamTokens) {
    this.#apps = apps
    this.#tokens = tokens
  }

  /** Rejects when the store fails. */
  async admit(credentials: StreamCredentials, visit: StreamVisit): Promise<Judged> {
    const judged = 'token' in credentials ? await this.#byToken(credentials.token) : await this.#bySecret(credentials)
    if (judged.outcome === 'refused') return judged
    const { admission } = judged
    const code = refusalOf(admission, admission.app, visit.origin)
    if (code !== null) return refused(code)
    const showsPhone = admission.by === 'signingSecret' && visit.wantsPhone
    return { outcome: 'admitted', admission: showsPhone ? { ...admission, scope: 'server-with-phone' } : admission }
  }

  async #byToken(token: string): Promise<Judged> {
    const read = await this.#tokens.read(token)
    if (read.outcome !== 'good') return refused(read.outcome === 'expired' ? 'token_expired' : 'token_invalid')
    const app = await this.#apps.openBySource(read.claims.sourceId)
    if (app === null) return refused('token_invalid')
    return admitted({ app, grant: grantOfToken(read.claims), scope: 'browser', by: 'token' })
  }

  async #bySecret({ sourceId, secret }: { readonly sourceId: string; readonly secret: string }): Promise<Judged> {
    const app = await this.#apps.openBySource(sourceId)
    if (app === null) return refused('secret_invalid')
    const { signingSecret, streamSecret } = app.secrets
    const isServer = isSameSecret(secret, signingSecret)
    const isReader = isSameSecret(secret, streamSecret)
    if (isServer) return admitted({ app, grant: grantOfSecret, scope: 'server', by: 'signingSecret' })
    if (isReader) return admitted({ app, grant: grantOfSecret, scope: 'browser', by: 'streamSecret' })
    return refused('secret_invalid')
  }
}

/** Why somebody who was let in may not, or no longer, stream; null when he may. */
export function refusalOf(
  { by, app: { secrets } }: Admission,
  now: OpenedApp,
  origin: string | null,
): StreamErrorCode | null {
  const { publicStreams, allowedOrigins } = now.app
  if (by !== 'token' && secrets[by] !== now.secrets[by]) return 'secret_invalid'
  if (by === 'signingSecret' && origin !== null) return 'secret_not_for_pages'
  if (by === 'streamSecret' && !publicStreams) return 'secret_not_for_pages'
  if (origin !== null && allowedOrigins !== null && !allowedOrigins.includes(origin)) return 'origin_refused'
  return null
}

const refused = (code: StreamErrorCode): Refused => ({ outcome: 'refused', code })
const admitted = (admission: Admission): Judged => ({ outcome: 'admitted', admission })
