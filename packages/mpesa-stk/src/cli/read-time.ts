import { MpesaStkError } from '../core/errors.ts'

export const timeHelp = '2026-11-24, 2026-11-24T01:30 (UTC), or so long ago: 30m, 2h, 3d'

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * A time that a person wrote, as the relay takes it.
 *
 * @throws MpesaStkError `MPESA_STK_CLI_USAGE`
 */
export function readTime(option: string, text: string | undefined, now = new Date()): string | undefined {
  if (text === undefined) return undefined
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? []
  const at =
    unit === undefined ? new Date(withZone(text)) : new Date(now.getTime() - Number(count) * (unitMs[unit] ?? 0))
  if (!Number.isNaN(at.getTime())) return at.toISOString()
  throw new MpesaStkError('MPESA_STK_CLI_USAGE', `${option} takes ${timeHelp}`)
}

/** All that is shown is UTC, so what names no zone is that as well. */
function withZone(text: string): string {
  return /^\d{4}-\d{2}-\d{2}[T ][\d:.]+$/.test(text) ? `${text.replace(' ', 'T')}Z` : text
}

/** A time in a list: `11-24 01:30:00`, in UTC. */
export function shortTime(iso: string): string {
  return iso.slice(5, 19).replace('T', ' ')
}
