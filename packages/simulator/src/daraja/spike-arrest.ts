import type { Clock } from '../nairobi-time.ts'

/** How often one consumer app may ask. Apigee spreads `limit` evenly over `perMs` and lets `burst` through at once. */
export interface QueryRate {
  readonly limit: number
  readonly perMs: number
  readonly burst: number
}

/** [observed] on the sandbox in June 2026; the production figure is not published. */
export const sandboxQueryRate: QueryRate = { limit: 5, perMs: 60_000, burst: 1 }

export interface SpikeArrest {
  /** True if this call may pass; false if it must be answered 429. */
  admits(consumerKey: string): boolean
  readonly faultstring: string
  reset(): void
}

export function createSpikeArrest(rate: QueryRate | false, now: Clock): SpikeArrest {
  if (!rate) return { admits: () => true, faultstring: '', reset: () => {} }
  const buckets = new Map<string, { tokens: number; at: number }>()
  return {
    admits(consumerKey) {
      const at = now()
      const bucket = buckets.get(consumerKey) ?? { tokens: rate.burst, at }
      const refilled = bucket.tokens + ((at - bucket.at) * rate.limit) / rate.perMs
      const tokens = Math.min(rate.burst, refilled)
      const admitted = tokens >= 1
      // Delete first: the map then keeps the keys in the order of their last use, and the oldest is forgotten.
      buckets.delete(consumerKey)
      buckets.set(consumerKey, { tokens: admitted ? tokens - 1 : tokens, at })
      if (buckets.size > 10_000) buckets.delete(buckets.keys().next().value ?? '')
      return admitted
    },
    faultstring: `Spike arrest violation. Allowed rate : MessageRate{messagesPerPeriod=${rate.limit}, periodInMicroseconds=${rate.perMs * 1000}, maxBurstMessageCount=${rate.burst.toFixed(1)}}`,
    reset: () => buckets.clear(),
  }
}
