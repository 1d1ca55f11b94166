import { expect, test } from 'vitest'
import { DeliveryQueue, type QueuedEvent } from './delivery-queue.ts'

let lastNumber = 0

function queued(appId: string, bytes = 100): QueuedEvent {
  const event = {
    id: `event-${++lastNumber}`,
    appId,
    kind: 'stk' as const,
    body: new Uint8Array(bytes),
    callbackToken: null,
    traceParent: null,
    contradicts: null,
    receivedAt: new Date(0),
    attemptCount: 0,
    failures: 0,
    leaseId: 'lease',
  }
  return { event, leasedAtMs: 0 }
}

/** Adds so many, and tells how many there was room for. */
const addAll = (queue: DeliveryQueue, count: number, appId: string, bytes?: number): number =>
  Array.from({ length: count }, () => queue.add(queued(appId, bytes), 0)).filter(Boolean).length

test('an app has room for 500 events and 8 MiB, and for one of any size where nothing waits', () => {
  const queue = new DeliveryQueue()
  expect(addAll(queue, 600, 'many')).toBe(500)
  expect(addAll(queue, 100, 'large', 256 * 1024)).toBe(32)
  expect(addAll(queue, 2, 'huge', 9 * 1024 * 1024)).toBe(1)
})

test('crowds of others keep nobody out who has nothing waiting', () => {
  const queue = new DeliveryQueue()
  for (let app = 0; app < 20; app++) addAll(queue, 100, `crowd-${app}`, 256 * 1024)
  expect(addAll(queue, 2, 'quiet', 1_000)).toBe(1)
})

test('an endpoint has 16 requests at once, and fewer the more run altogether', () => {
  const queue = new DeliveryQueue()
  const running = new Map<string, number>()
  for (let app = 0; app < 40; app++) addAll(queue, 20, `app-${app}`)
  for (let taken = queue.take(0); taken !== null; taken = queue.take(0)) {
    running.set(taken.event.appId, (running.get(taken.event.appId) ?? 0) + 1)
  }
  const counts = [...running.values()]
  expect(counts).toHaveLength(40)
  expect(Math.max(...counts)).toBeLessThan(16)
  expect(addAll(queue, 1, 'late')).toBe(1)
  expect(queue.take(0)?.event.appId).toBe('late')
  const alone = new DeliveryQueue()
  addAll(alone, 50, 'alone')
  let count = 0
  while (alone.take(0) !== null) count++
  expect(count).toBe(16)
})

test('an endpoint that fails is left alone, probed by one, and taken back with what waits given back meanwhile', () => {
  const queue = new DeliveryQueue()
  addAll(queue, 20, 'app')
  for (let taken = 0; taken < 5; taken++) queue.take(0)
  const given = [1, 2, 3, 4, 5].flatMap(() => queue.end('app', false, 0))
  expect(given).toHaveLength(15)
  expect(queue.circuits()).toEqual({ closed: 0, open: 1, probing: 0 })
  expect([addAll(queue, 1, 'app'), queue.shutApps(0)]).toEqual([0, ['app']])
  expect([1, 2, 3].map(() => queue.add(queued('app'), 5_000))).toEqual([true, true, true])
  expect([queue.take(5_000) === null, queue.take(5_000)]).toEqual([false, null])
  expect(queue.circuits()).toEqual({ closed: 0, open: 0, probing: 1 })
  expect(queue.end('app', true, 5_000)).toEqual([])
  expect(queue.take(5_000)).not.toBe(null)
  expect(queue.circuits()).toEqual({ closed: 1, open: 0, probing: 0 })
})
