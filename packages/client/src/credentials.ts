import { PaymentsError } from './client-error.ts'
import type { Environment } from './environment.ts'

/** What the relay is shown. A `ttlMs` is how long the token is good from now. */
export type Credentials =
  | { readonly token: string; readonly ttlMs?: number | undefined }
  | { readonly sourceId: string; readonly secret: string }

export type GetToken = () => Promise<string | { readonly token: string; readonly ttlMs?: number | undefined }>

const tokenWithinMs = 15_000

/** Asks for a token: one question at a time, and one that is not answered in time is given up. */
export function createTokenSource(getToken: GetToken, environment: Environment): () => Promise<Credentials> {
  let underWay: Promise<Credentials> | null = null
  return () => {
    underWay ??= ask(getToken, environment).finally(() => {
      underWay = null
    })
    return underWay
  }
}

async function ask(getToken: GetToken, environment: Environment): Promise<Credentials> {
  let cancel = (): void => {}
  const late = new Promise<never>((_, reject) => {
    cancel = environment.setTimer(() => {
      reject(new PaymentsError('token_timeout', 'getToken did not answer within 15 s'))
    }, tokenWithinMs)
  })
  try {
    const answer = await Promise.race([getToken(), late])
    const credentials = typeof answer === 'string' ? { token: answer } : answer
    if (typeof credentials?.token === 'string' && credentials.token !== '') return credentials
    throw new TypeError('getToken must give a token')
  } catch (error) {
    throw error instanceof PaymentsError ? error : new PaymentsError('token_failed', 'getToken failed', error)
  } finally {
    cancel()
  }
}
