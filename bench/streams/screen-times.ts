import { percentile } from '../relay/percentile.ts'
import { postSteadily, type SteadyCallback } from '../relay/post-steadily.ts'
import type { Crowd } from './crowd.ts'

let lastReceipt = 0
export const nextReceipt = (): string => `UH${String(++lastReceipt).padStart(8, '0')}`

export type ScreenTimes = { readonly p50Ms: number; readonly p99Ms: number }

const warmUpMs = 2_000

/**
 * From when a callback was to be posted to its frame at each subscriber who follows it. Throws where a frame is missing or
 * came twice.
 *
 * @param framesOf how many subscribers follow each
 */
export async function measureScreenTimes(
  crowd: Crowd,
  hook: string,
  pace: { readonly perSecond: number; readonly forMs: number },
  framesOf: number,
  next: () => SteadyCallback,
): Promise<ScreenTimes> {
  const receiptOf = new Map<string, string>()
  const named = (): SteadyCallback => {
    const callback = next()
    receiptOf.set(callback.id, callback.receipt)
    return callback
  }
  const began = performance.now()
  const { dueAtMs } = await postSteadily(hook, pace.perSecond, pace.forMs, named)
  const expected = dueAtMs.size * framesOf
  const { received } = await crowd.until(report => report.received.length >= expected)
  if (received.length !== expected) throw new Error(`${received.length} frames came, and ${expected} were to come`)
  const dueOf = new Map<string, number>()
  for (const [id, due] of dueAtMs) dueOf.set(receiptOf.get(id) ?? '', due)
  const timesMs = received.flatMap(([receipt, atMs]) => {
    const due = dueOf.get(receipt)
    if (due === undefined) throw new Error('a frame that nobody posted')
    return due - began < warmUpMs ? [] : [atMs - performance.timeOrigin - due]
  })
  return { p50Ms: percentile(timesMs, 50), p99Ms: percentile(timesMs, 99) }
}
