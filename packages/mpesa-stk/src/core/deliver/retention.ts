import { MpesaStkError } from '../errors.ts'

/**
 * What is removed when it is old enough, in the order of a sweep. Nothing of an event that is pending, failed or dead ever is:
 * that is money that somebody has to look at.
 *
 * - `delivered`: events, with all their attempts, since their delivery.
 * - `bodies`: what Safaricom sent, of events since their delivery. The event stays, and cannot be replayed.
 * - `attempts`: attempts at events that were delivered, since each was made.
 * - `quarantine`: bodies that are nobody's event, since they came.
 */
export const retentionKinds = ['delivered', 'bodies', 'attempts', 'quarantine'] as const

export type RetentionKind = (typeof retentionKinds)[number]

/** For how many days each kind is kept, at least 1; null: for ever. */
export type RetentionPolicy = { readonly [Kind in RetentionKind as `${Kind}Days`]: number | null }

export const defaultRetention: RetentionPolicy = {
  deliveredDays: 365,
  bodiesDays: 90,
  attemptsDays: 90,
  quarantineDays: 30,
}

/** One step of a sweep: how many rows it removed of those that it looked at, and the last of these. */
export type RetentionStep = { readonly removed: number; readonly after: string; readonly isDone: boolean }

const dayMs = 24 * 3_600_000

/** @throws MpesaStkError `MPESA_STK_CONFIG_INVALID` */
export function completeRetention(wanted: Partial<RetentionPolicy>): RetentionPolicy {
  const policy = { ...defaultRetention, ...wanted }
  for (const kind of retentionKinds) {
    const days = policy[`${kind}Days`]
    // Less than a day would give the quarantine's budget of a day anew, and is more likely a mistake than meant.
    if (days === null || (Number.isFinite(days) && days >= 1)) continue
    throw new MpesaStkError(
      'MPESA_STK_CONFIG_INVALID',
      `retention.${kind}Days must be a number of days, at least 1, or null to keep for ever`,
    )
  }
  return policy
}

/** What is older than this is removed; null: nothing is. */
export function cutoffOf(kind: RetentionKind, policy: RetentionPolicy, now: Date): Date | null {
  const days = policy[`${kind}Days`]
  return days === null ? null : new Date(Math.max(0, now.getTime() - days * dayMs))
}

/** How many rows the next step looks at, and how long it is waited for. */
export type RetentionPace = { readonly limit: number; readonly pauseMs: number }

const limits = { min: 50, max: 1_000 }
export const firstPace: RetentionPace = { limit: 100, pauseMs: 100 }
/** In SQLite everybody waits for a step. */
const longStepMs = 5
/** So many times as long as a step took the store belongs to others. */
const restPerWork = 49

/** A step that took long is followed by a smaller one, after a longer pause. */
export function paceAfter({ limit }: RetentionPace, tookMs: number): RetentionPace {
  const next = tookMs > longStepMs ? limit / 2 : limit * 1.25
  return {
    limit: Math.min(limits.max, Math.max(limits.min, Math.floor(next))),
    pauseMs: Math.max(firstPace.pauseMs, tookMs * restPerWork),
  }
}
