import type { Credentials } from '../core/credentials.ts'
import { lookUpCode } from '../core/explain/explain.ts'
import { type DarajaAnswer, readFailure } from '../core/explain/read-answer.ts'
import type { CredentialSource } from './credential-source.ts'
import { type HttpOutcome, request } from './http.ts'
import { openSession } from './session.ts'
import type { TokenSource } from './token.ts'

export type PostOutcome =
  | HttpOutcome
  | {
      readonly outcome: 'no-token'
      readonly code: string
      readonly message: string
      readonly httpStatus: number | null
    }

export type Poster = {
  readonly source: CredentialSource
  readonly tokensFor: (credentials: Credentials) => TokenSource
  readonly timeoutMs: number
}

/** A refused token looks different from API to API. [documented] */
const tokenRefusals: ReadonlySet<string> = new Set(['404.001.03', '400.003.01', '401.002.01'])

/**
 * Posts JSON with the access token. After a refused token, or refused credentials where the provider has others by now, the
 * request is sent once more, which is safe even for a push: both are proof that nothing was processed. [observed]
 *
 * @param bodyFor makes the body, which is signed with the credentials
 */
export async function authorisedPost(
  { source, tokensFor, timeoutMs }: Poster,
  url: string,
  bodyFor: (credentials: Credentials) => unknown,
): Promise<PostOutcome> {
  const deadline = AbortSignal.timeout(timeoutMs)
  for (let isRetry = false; ; isRetry = true) {
    const session = await openSession(source, tokensFor)
    if (session.outcome === 'none') return { ...session, outcome: 'no-token' }
    const { credentials, tokens, token } = session
    const sent = await request({
      method: 'POST',
      url,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(bodyFor(credentials)),
      deadline,
    })
    if (sent.outcome !== 'answered') return sent
    if (isTokenRefusal(sent.answer)) await tokens.discard(token)
    else if (!isCredentialRefusal(sent.answer) || !(await source.refresh(credentials))) return sent
    if (isRetry) return sent
  }
}

function isTokenRefusal(answer: DarajaAnswer): boolean {
  return answer.httpStatus >= 400 && answer.httpStatus < 500 && tokenRefusals.has(readFailure(answer).code)
}

/** Password, shortcode, passkey and timestamp do not fit together. */
function isCredentialRefusal(answer: DarajaAnswer): boolean {
  if (answer.httpStatus < 400) return false
  const { code, message } = readFailure(answer)
  const row = lookUpCode('http-error', code, message)
  return row?.category === 'auth' && row.refusal === true
}
