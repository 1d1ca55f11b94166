import { setTimeout } from 'node:timers/promises'

/** Resolves when so much time has gone, or at once on Ctrl-C. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined)
}

/** How long to wait after so many failures in a row: 1 s, twice as long each time, 30 s at most. */
export function backoffMs(failures: number): number {
  return Math.min(30_000, 1_000 * 2 ** Math.min(failures - 1, 5))
}
