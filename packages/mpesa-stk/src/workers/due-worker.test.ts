import { afterEach, expect, test, vi } from 'vitest'
import { MemoryAdapter } from '../adapters/memory.ts'
import { systemRandom } from '../platform.ts'
import { DueWorker, type LaneOutcome } from './due-worker.ts'

afterEach(() => {
  vi.useRealTimers()
})

const silent = { info() {}, warn() {}, error() {} }

test('a lane that may run nothing for a while looks again the moment that it may, and not at its next regular look', async () => {
  vi.useFakeTimers()
  const store = new MemoryAdapter()
  const clock = { now: () => new Date(), sleep: async () => {} }
  const began = Date.now()
  const ranAt: number[] = []
  const outcomes: LaneOutcome[] = [{ outcome: 'not-now', waitMs: 200 }]
  const worker = new DueWorker(
    { store, clock, random: systemRandom, logger: silent },
    {
      kinds: () => ['poll:174379'],
      claimAtOnce: 1,
      leaseMs: 60_000,
      async run() {
        ranAt.push(Date.now() - began)
        return outcomes.shift() ?? { outcome: 'done' }
      },
    },
  )
  const work = { id: 'poll:x', kind: 'poll:174379', paymentId: 'x', cause: 'initiation.accepted', delayMs: 0 } as const
  await store.addWork([work], clock.now())
  worker.start()
  await vi.advanceTimersByTimeAsync(1_900)
  expect(ranAt).toHaveLength(2)
  expect(ranAt[0]).toBe(1_000)
  expect(ranAt[1]).toBeLessThan(1_300)
  expect(ranAt[1]).toBeGreaterThanOrEqual(1_200)
  await worker.stop()
  expect(vi.getTimerCount()).toBe(0)
})
