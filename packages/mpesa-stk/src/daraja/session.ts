import type { Credentials } from '../core/credentials.ts'
import { describeError } from '../core/errors.ts'
import type { CredentialSource } from './credential-source.ts'
import type { TokenOutcome, TokenSource } from './token.ts'

/** Who we are to Daraja right now: credentials, and the access token that goes with them. */
export type Session =
  | {
      readonly outcome: 'open'
      readonly credentials: Credentials
      readonly tokens: TokenSource
      readonly token: string
    }
  | Extract<TokenOutcome, { readonly outcome: 'none' }>

/** How Daraja's token endpoint says that key or secret are wrong: 400 (with nothing in it [observed]) or 401. */
const refusedCredentials: ReadonlySet<number | null> = new Set([400, 401])

/** Opens a session; with other credentials when Daraja refuses ours and the provider has others by now. */
export async function openSession(
  source: CredentialSource,
  tokensFor: (credentials: Credentials) => TokenSource,
): Promise<Session> {
  for (let isRetry = false; ; isRetry = true) {
    let credentials: Credentials
    try {
      credentials = await source.get()
    } catch (error) {
      const { name, code = name } = describeError(error)
      return { outcome: 'none', code: 'NOT_SENT', message: `no credentials: ${code}`, httpStatus: null }
    }
    const tokens = tokensFor(credentials)
    const token = await tokens.get()
    if (token.outcome === 'token') return { outcome: 'open', credentials, tokens, token: token.token }
    const mayHaveOthers = !isRetry && refusedCredentials.has(token.httpStatus)
    if (!mayHaveOthers || !(await source.refresh(credentials))) return token
  }
}
