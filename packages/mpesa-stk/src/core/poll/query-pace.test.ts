import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type QueryPace, slowDown, speedUp, takeTurn } from './query-pace.ts'

const at = (ms: number): Date => new Date(1_800_000_000_000 + ms)
const startMs = 12_000
const hourMs = 3_600_000
const boundMs = 15 * 60_000

test('the first turn is granted at once, and the next one after the pause', () => {
  const first = takeTurn(null, at(0), startMs)
  expect(first.isGranted).toBe(true)
  expect(takeTurn(first, at(11_999), startMs)).toMatchObject({ isGranted: false, nextAt: at(12_000) })
  expect(takeTurn(first, at(12_000), startMs).isGranted).toBe(true)
})

test('however often it is asked for, no two turns are closer than the pause', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 15_000 }), { maxLength: 200 }), pausesMs => {
      let pace: QueryPace | null = null
      let nowMs = 0
      let grantedMs = Number.NEGATIVE_INFINITY
      for (const pauseMs of pausesMs) {
        nowMs += pauseMs
        pace = takeTurn(pace, at(nowMs), startMs)
        if (!pace.isGranted) continue
        expect(nowMs - grantedMs).toBeGreaterThanOrEqual(startMs)
        grantedMs = nowMs
      }
    }),
  )
})

test('a turn that is not granted moves nothing: who asks often waits no longer', () => {
  const first = takeTurn(null, at(0), startMs)
  const asked = Array.from({ length: 50 }, (_, index) => index).reduce(
    (pace, index) => takeTurn(pace, at(index * 100), startMs),
    first,
  )
  expect(asked.nextAt).toEqual(first.nextAt)
})

describe('a refusal', () => {
  const first = takeTurn(null, at(0), startMs)

  test('slows down by half, and by 3 % less with each answer', () => {
    expect(slowDown(first, at(100), null)).toMatchObject({ intervalMs: 18_000, nextAt: at(18_100) })
    expect(speedUp(first).intervalMs).toBe(11_640)
  })

  test('with a Retry-After is followed, never earlier, whatever the pace is', () => {
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 120_000 }), fc.integer({ min: 0, max: boundMs }), (intervalMs, waitMs) => {
        const refused = slowDown({ ...first, intervalMs }, at(100), waitMs)
        expect(takeTurn(refused, at(100 + waitMs - 1), startMs).isGranted).toBe(false)
        expect(refused.nextAt.getTime()).toBeGreaterThanOrEqual(at(100 + waitMs).getTime())
      }),
    )
  })

  test('with a Retry-After of a day holds up nobody for more than a quarter of an hour', () => {
    const refused = slowDown(first, at(0), 24 * hourMs)
    expect(takeTurn(refused, at(boundMs - 1), startMs).isGranted).toBe(false)
    expect(takeTurn(refused, at(boundMs), startMs).isGranted).toBe(true)
  })

  test('that is learnt late takes back no longer pause of another', () => {
    const paused = slowDown(first, at(0), 90_000)
    expect(slowDown(paused, at(1_000), null).nextAt).toEqual(at(90_000))
  })

  test('however often it comes, is followed by a query within two minutes: a limit may be lifted', () => {
    let pace = first
    for (let index = 0; index < 100; index++) pace = slowDown(pace, at(0), null)
    expect(pace).toMatchObject({ intervalMs: 120_000, nextAt: at(120_000) })
  })
})

test.each([
  [hourMs, 0],
  [boundMs - startMs, boundMs],
])(
  'a process whose clock is %i ms ahead, once it stops asking, holds up the others for at most %i ms',
  (aheadMs, waitMs) => {
    const theirs = takeTurn(null, at(aheadMs), startMs)
    expect(takeTurn(theirs, at(waitMs), startMs).isGranted).toBe(true)
  },
)

/** As the gateway's spike arrest: a bucket that is filled evenly and holds `burst`. */
function createHiddenLimit(perMinute: number, burst: number): (nowMs: number) => boolean {
  let tokens = burst
  let lastMs = 0
  return nowMs => {
    tokens = Math.min(burst, tokens + ((nowMs - lastMs) * perMinute) / 60_000)
    lastMs = nowMs
    if (tokens < 1) return false
    tokens -= 1
    return true
  }
}

/** Asks at every chance, of a Daraja that answers after `latencyMs`. */
function askAtEveryChance(admits: (nowMs: number) => boolean, hours: number, latencyMs: number) {
  let pace: QueryPace | null = null
  let answered = 0
  let refused = 0
  for (let nowMs = 0; nowMs < hours * hourMs; ) {
    const turn: QueryPace = takeTurn(pace, at(nowMs), startMs)
    if (!turn.isGranted) {
      pace = turn
      nowMs = turn.nextAt.getTime() - at(0).getTime()
      continue
    }
    nowMs += latencyMs
    const isAdmitted = admits(nowMs)
    if (isAdmitted) answered++
    else refused++
    pace = isAdmitted ? speedUp(turn) : slowDown(turn, at(nowMs), null)
  }
  return { answered, refused }
}

test('beside any hidden limit, from 2 to 600 a minute, it settles: few refusals, and most of what is allowed', () => {
  const hours = 4
  fc.assert(
    fc.property(
      fc.oneof(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 21, max: 600 })),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 0, max: 40 }),
      (perMinute, burst, latencyMs) => {
        const { answered, refused } = askAtEveryChance(createHiddenLimit(perMinute, burst), hours, latencyMs)
        expect(refused / (answered + refused)).toBeLessThan(0.15)
        expect(answered).toBeGreaterThan((hours * 60 * perMinute) / 2)
      },
    ),
    {
      numRuns: 30,
      examples: [
        [2, 1, 0],
        [5, 1, 40],
        [600, 1, 40],
      ],
    },
  )
})

test('a pace that does not divide a minute is whole milliseconds all the same: stores keep nothing else', () => {
  for (const queriesPerMinute of [7, 9, 11, 45, 90]) {
    const { intervalMs } = takeTurn(null, at(0), 60_000 / queriesPerMinute)
    expect(Number.isInteger(intervalMs)).toBe(true)
  }
})
