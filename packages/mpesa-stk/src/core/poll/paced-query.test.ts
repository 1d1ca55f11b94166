import { describe, expect, test } from 'vitest'
import type { Clock, QueryOutcome } from '../ports.ts'
import { queryInTurn } from './paced-query.ts'
import type { QueryPace } from './query-pace.ts'

const push = { shortCode: '174379', checkoutRequestId: 'ws_CO_1' }
const settled: QueryOutcome = { outcome: 'settled', resultCode: '0', resultDesc: 'done' }
const inProgress: QueryOutcome = { outcome: 'in-progress', code: '4999', message: 'still at it' }

function indeterminate(reason: 'throttled' | 'unclear' | 'unanswered', retryAfterMs: number | null = null) {
  const answer: QueryOutcome = {
    outcome: 'indeterminate',
    reason,
    code: 'some code',
    message: '',
    httpStatus: 500,
    retryAfterMs,
  }
  return answer
}

/** A Daraja that takes 300 ms to say `answer`, and a store that keeps one pace. */
function openLine(answer: QueryOutcome) {
  let nowMs = 1_800_000_000_000
  let pace: QueryPace | null = null
  const asked: number[] = []
  const warned: string[] = []
  let changesLeft = Number.POSITIVE_INFINITY
  const clock: Clock = { now: () => new Date(nowMs), sleep: async () => {} }
  const ask = () =>
    queryInTurn(
      {
        clock,
        logger: { info() {}, warn: (_fields, message) => void warned.push(message), error() {} },
        store: {
          async changeQueryPace(_shortCode, change) {
            if (changesLeft-- <= 0) throw new Error('the disk is full')
            pace = change(pace)
            return pace
          },
        },
        daraja: {
          async query() {
            asked.push(nowMs)
            nowMs += 300
            return answer
          },
        },
      },
      5,
      push,
    )
  return {
    ask,
    asked,
    warned,
    /** The store fails after so many changes. */
    breakAfter(changes: number) {
      changesLeft = changes
    },
    pass(ms: number) {
      nowMs += ms
    },
    pace: (): QueryPace | null => pace,
  }
}

test('a query out of turn is not sent, and tells how long to wait', async () => {
  const line = openLine(settled)
  expect(await line.ask()).toEqual(settled)
  line.pass(1_700)
  expect(await line.ask()).toEqual({ outcome: 'not-now', waitMs: 10_000 })
  expect(line.asked).toHaveLength(1)
  line.pass(10_000)
  expect(await line.ask()).toEqual(settled)
})

describe('what an answer teaches all processes', () => {
  test.each([
    ['settled', settled, 11_640],
    ['in progress', inProgress, 11_640],
    ['a refusal to be asked so often', indeterminate('throttled'), 18_000],
    ['an unknown code', indeterminate('unclear'), 12_000],
    ['no answer', indeterminate('unanswered'), 12_000],
  ])('%s', async (_what, answer, intervalMs) => {
    const line = openLine(answer)
    expect(await line.ask()).toEqual(answer)
    expect(line.pace()?.intervalMs).toBe(intervalMs)
  })

  test('nothing, where it cannot be kept: the answer is worth more', async () => {
    const line = openLine(settled)
    line.breakAfter(1)
    expect(await line.ask()).toEqual(settled)
    expect(line.warned).toEqual(['the pace of queries could not be stored'])
  })

  test('a Retry-After counts from the answer, not from the question', async () => {
    const line = openLine(indeterminate('throttled', 60_000))
    await line.ask()
    expect(await line.ask()).toEqual({ outcome: 'not-now', waitMs: 60_000 })
  })
})
