const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** The documented schedule: the pause after each failed attempt. Six attempts; then the event is dead. */
export const documentedScheduleMs: readonly number[] = [30 * second, 2 * minute, 10 * minute, 30 * minute, 2 * hour]

/** The longest `Retry-After` that a merchant may ask for, and the longest pause of a schedule of his own. */
export const longestPauseMs = 24 * hour

/** A tenth either way, so that a merchant who comes back is not met by everything at once. */
const jitter = 0.1

/**
 * The pause before the attempt that follows `failures` failed ones; null when there is none. Never earlier than the
 * merchant asked for by `Retry-After`.
 *
 * @param chance from 0 to 1
 */
export function pauseAfter(
  failures: number,
  scheduleMs: readonly number[],
  retryAfterMs: number | null,
  chance: number,
): number | null {
  const pauseMs = scheduleMs[failures - 1]
  if (pauseMs === undefined) return null
  const jittered = Math.round(pauseMs * (1 - jitter + 2 * jitter * chance))
  return Math.max(jittered, Math.min(retryAfterMs ?? 0, longestPauseMs))
}

/** Milliseconds from `at`, of seconds or an HTTP date; null for anything else. */
export function readRetryAfter(value: string | null, at: Date): number | null {
  if (value === null) return null
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * second
  const date = /^[A-Z][a-z]{2}/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(date) ? null : Math.max(0, date - at.getTime())
}
