import type { IdMint } from './ids.ts'
import type { Clock } from './nairobi-time.ts'

/** Access tokens by consumer key. A newer token cancels the older one of the same key [documented], and all expire. */
export interface TokenBook {
  issue(consumerKey: string): { readonly accessToken: string; readonly expiresInSeconds: number }
  /** The consumer key behind a token that is still good. */
  consumerOf(accessToken: string): string | undefined
}

const rememberedConsumers = 10_000

export function createTokenBook(ids: IdMint, now: Clock, lifetimeMs: number): TokenBook {
  const byConsumer = new Map<string, string>()
  const live = new Map<string, { consumerKey: string; expiresAt: number }>()
  const cancel = (consumerKey: string) => {
    live.delete(byConsumer.get(consumerKey) ?? '')
    byConsumer.delete(consumerKey)
  }
  return {
    issue(consumerKey) {
      cancel(consumerKey)
      if (byConsumer.size >= rememberedConsumers) cancel(byConsumer.keys().next().value ?? '')
      const accessToken = ids.accessToken()
      byConsumer.set(consumerKey, accessToken)
      live.set(accessToken, { consumerKey, expiresAt: now() + lifetimeMs })
      // "3599" for an hour: the gateway has already spent a moment of it.
      return { accessToken, expiresInSeconds: Math.max(0, Math.ceil(lifetimeMs / 1000) - 1) }
    },
    consumerOf(accessToken) {
      const entry = live.get(accessToken)
      return entry && entry.expiresAt > now() ? entry.consumerKey : undefined
    },
  }
}
