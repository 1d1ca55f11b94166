/** How often the queries of one shortcode are sent: shared by all processes through the store. */
export type QueryPace = {
  /** No query before this. */
  readonly nextAt: Date
  /** The pause from one query to the next, as far as we have learnt. */
  readonly intervalMs: number
  /** Whether the last one who asked may query now. */
  readonly isGranted: boolean
}

/** Faster than this is never needed. */
const shortestIntervalMs = 50
/** However often Daraja refuses, it is asked once in two minutes: a limit that was lifted must be noticed. */
const longestIntervalMs = 120_000
/** The longest `Retry-After` that we follow. Also how far ahead another process's clock can hold us up. */
const longestPauseMs = 15 * 60_000

/**
 * The pace after somebody asked for a turn at `at`. `isGranted` tells whether it is his.
 *
 * @param startIntervalMs the pace before anything was learnt
 */
export function takeTurn(pace: QueryPace | null, at: Date, startIntervalMs: number): QueryPace {
  const { intervalMs, nextAt } = pace ?? { intervalMs: Math.round(startIntervalMs), nextAt: at }
  const waitMs = nextAt.getTime() - at.getTime()
  const isGranted = waitMs <= 0 || waitMs > longestPauseMs
  return { intervalMs, isGranted, nextAt: isGranted ? later(at, intervalMs) : nextAt }
}

/** The pace after a query was answered: a little faster. */
export function speedUp(pace: QueryPace): QueryPace {
  return { ...pace, intervalMs: Math.max(shortestIntervalMs, Math.round(pace.intervalMs * 0.97)) }
}

/**
 * The pace after Daraja refused for asking too often: half as fast again slower, and a pause first. Additive increase and
 * multiplicative decrease, as in TCP, so that it settles beside a limit that nobody has published.
 *
 * @param retryAfterMs what Daraja asked for, if it did
 */
export function slowDown(pace: QueryPace, at: Date, retryAfterMs: number | null): QueryPace {
  const intervalMs = Math.min(longestIntervalMs, Math.round(pace.intervalMs * 1.5))
  const pauseMs = Math.min(longestPauseMs, Math.max(intervalMs, retryAfterMs ?? 0))
  const pausedUntil = later(at, pauseMs)
  return { ...pace, intervalMs, nextAt: pausedUntil > pace.nextAt ? pausedUntil : pace.nextAt }
}

function later(at: Date, ms: number): Date {
  return new Date(at.getTime() + ms)
}
