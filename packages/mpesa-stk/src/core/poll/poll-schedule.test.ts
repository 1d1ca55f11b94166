import fc from 'fast-check'
import { expect, test } from 'vitest'
import { maxVainTries, pollDelayMs, pollWork } from './poll-schedule.ts'

const pauses = (pollIntervalMs: number, count: number): readonly number[] =>
  Array.from({ length: count }, (_, answers) => pollDelayMs(answers, pollIntervalMs))

test('polls come after 5, 10, 15, 25 and 30 s, and every 30 s from then on', () => {
  expect(pauses(5_000, 8)).toEqual([5_000, 10_000, 15_000, 25_000, 30_000, 30_000, 30_000, 30_000])
})

test('another interval stretches the schedule, and no pause is longer than half a minute', () => {
  expect(pauses(2_000, 7)).toEqual([2_000, 4_000, 6_000, 10_000, 12_000, 30_000, 30_000])
  expect(pauses(20_000, 4)).toEqual([20_000, 30_000, 30_000, 30_000])
  expect(pauses(600_000, 2)).toEqual([30_000, 30_000])
})

test('asking in vain ends after an hour of it, by the longest pause', () => {
  expect(maxVainTries).toBe(120)
})

test('however it is configured, pauses never get shorter', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 600_000 }), fc.integer({ min: 1, max: 1_000 }), (interval, attempts) => {
      const all = pauses(interval, attempts)
      expect(all).toEqual(all.toSorted((a, b) => a - b))
    }),
  )
})

test('a payment has one poll, of its shortcode, whoever asks for it', () => {
  const payment = { paymentId: 'p1', shortCode: '174379' }
  expect(pollWork(payment, 5_000)).toMatchObject({
    id: 'poll:p1',
    kind: 'poll:174379',
    paymentId: 'p1',
    delayMs: 5_000,
  })
  expect(pollWork(payment, 0).id).toBe(pollWork(payment, 5_000).id)
})
