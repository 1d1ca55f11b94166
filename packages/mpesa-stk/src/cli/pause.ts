import { setTimeout } from 'node:timers/promises'

/** Resolves when so much time has gone, or at once on Ctrl-C. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, { signal }).catch(() => undefined)
}
