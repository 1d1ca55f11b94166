import { readFailure } from '../core/explain/read-answer.ts'
import { type HttpOutcome, request } from './http.ts'
import type { TokenSource } from './token.ts'

export type PostOutcome =
  | HttpOutcome
  | {
      readonly outcome: 'no-token'
      readonly code: string
      readonly message: string
      readonly httpStatus: number | null
    }

/** A refused token looks different from API to API. [documented] */
const tokenRefusals: ReadonlySet<string> = new Set(['404.001.03', '400.003.01', '401.002.01'])

/**
 * Posts JSON with the access token. A refused token is dropped and the request sent once more, which is safe even for a
 * push: the gateway refused before anything was processed. [observed]
 */
export async function authorisedPost(
  tokens: TokenSource,
  url: string,
  body: unknown,
  timeoutMs: number,
): Promise<PostOutcome> {
  const deadline = AbortSignal.timeout(timeoutMs)
  const payload = JSON.stringify(body)
  for (let isRetry = false; ; isRetry = true) {
    const token = await tokens.get()
    if (token.outcome === 'none') return { ...token, outcome: 'no-token' }
    const sent = await request({
      method: 'POST',
      url,
      headers: { authorization: `Bearer ${token.token}`, 'content-type': 'application/json' },
      body: payload,
      deadline,
    })
    if (sent.outcome !== 'answered' || !isTokenRefusal(sent.answer)) return sent
    await tokens.discard(token.token)
    if (isRetry) return sent
  }
}

function isTokenRefusal(answer: { readonly httpStatus: number; readonly body: string }): boolean {
  return answer.httpStatus >= 400 && answer.httpStatus < 500 && tokenRefusals.has(readFailure(answer).code)
}
