import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pollAgeBoundMs, pollDelayMs } from './poll-schedule.ts'
import { type QueryPace, slowDown, speedUp, takeTurn } from './query-pace.ts'

const at = (ms: number): Date => new Date(1_800_000_000_000 + ms)
const startMs = 12_000

test('the first turn is granted at once, and the next one after the pause', () => {
  const first = takeTurn(null, at(0), startMs)
  expect(first.isGranted).toBe(true)
  expect(takeTurn(first, at(11_999), startMs)).toMatchObject({ isGranted: false, nextAt: at(12_000) })
  expect(takeTurn(first, at(12_000), startMs).isGranted).toBe(true)
})

test('a Retry-After is followed, never earlier, and a refusal slows down', () => {
  const first = takeTurn(null, at(0), startMs)
  const refused = slowDown(first, at(100), 90_000)
  expect(refused).toMatchObject({ nextAt: at(90_100), intervalMs: 18_000 })
  expect(slowDown(first, at(100), null)).toMatchObject({ nextAt: at(18_100) })
  expect(speedUp(first).intervalMs).toBeLessThan(startMs)
})

test('a process whose clock is an hour ahead cannot hold up the others', () => {
  const theirs = takeTurn(null, at(3_600_000), startMs)
  expect(takeTurn(theirs, at(0), startMs).isGranted).toBe(true)
})

/** Asks for `hours` at every chance, of a Daraja that lets one query through per `limitMs`. */
function ask(limitMs: number, hours: number): { readonly answered: number; readonly refused: number } {
  let pace: QueryPace | null = null
  let lastMs = Number.NEGATIVE_INFINITY
  let answered = 0
  let refused = 0
  for (let now = 0; now < hours * 3_600_000; ) {
    const turn: QueryPace = takeTurn(pace, at(now), startMs)
    if (!turn.isGranted) {
      now = turn.nextAt.getTime() - at(0).getTime()
      continue
    }
    const isAdmitted = now - lastMs >= limitMs
    if (isAdmitted) lastMs = now
    if (isAdmitted) answered++
    else refused++
    pace = isAdmitted ? speedUp(turn) : slowDown(turn, at(now), null)
  }
  return { answered, refused }
}

test('beside any hidden limit it comes to most of what is allowed, with few refusals', () => {
  fc.assert(
    fc.property(fc.integer({ min: 100, max: 30_000 }), limitMs => {
      const { answered, refused } = ask(limitMs, 6)
      expect(refused / (answered + refused)).toBeLessThan(0.15)
      expect(answered).toBeGreaterThan((6 * 3_600_000) / limitMs / 2)
    }),
    { numRuns: 30 },
  )
})

test('polls come by the documented schedule, and end by their age', () => {
  expect([0, 1, 2, 3, 4, 5, 20].map(answers => pollDelayMs(answers, 5_000) / 1_000)).toEqual([
    5, 10, 15, 25, 30, 30, 30,
  ])
  expect([0, 1, 4, 5].map(answers => pollDelayMs(answers, 20_000) / 1_000)).toEqual([20, 30, 30, 30])
  const settings = { pollIntervalMs: 5_000, maxPollAttempts: 10, queriesPerMinute: 5 }
  expect(pollAgeBoundMs(settings)).toBe(3_600_000 + 2 * 235_000)
})

test('a pace that does not divide a minute is whole milliseconds all the same: stores keep nothing else', () => {
  for (const queriesPerMinute of [7, 9, 11, 45, 90]) {
    const { intervalMs } = takeTurn(null, at(0), 60_000 / queriesPerMinute)
    expect(Number.isInteger(intervalMs)).toBe(true)
  }
})
