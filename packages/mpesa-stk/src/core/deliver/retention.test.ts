import { describe, expect, test } from 'vitest'
import { completeRetention, cutoffOf, defaultRetention, firstPace, paceAfter } from './retention.ts'

const now = new Date('2026-11-24T10:00:00.000Z')

describe('a retention policy', () => {
  test('is the default where it says nothing, and says from when on things are kept', () => {
    const policy = completeRetention({ bodiesDays: 1, attemptsDays: null })
    expect(policy).toEqual({ ...defaultRetention, bodiesDays: 1, attemptsDays: null })
    expect(cutoffOf('bodies', policy, now)).toEqual(new Date('2026-11-23T10:00:00.000Z'))
    expect(cutoffOf('quarantine', policy, now)).toEqual(new Date('2026-10-25T10:00:00.000Z'))
    expect(cutoffOf('attempts', policy, now)).toBe(null)
  })

  test('removes nothing by a clock that has lost its time', () => {
    expect(cutoffOf('delivered', defaultRetention, new Date(0))).toEqual(new Date(0))
  })

  test.each([0, 0.5, -1, Number.NaN, Number.POSITIVE_INFINITY])('of %s days is refused by name', bodiesDays => {
    expect(() => completeRetention({ bodiesDays })).toThrow(
      expect.objectContaining({
        code: 'MPESA_STK_CONFIG_INVALID',
        message: expect.stringMatching(/^retention.bodiesDays /),
      }),
    )
  })
})

describe('the pace of a sweep', () => {
  test('halves after a long step and rests for longer, down to an end', () => {
    expect(paceAfter({ limit: 200, pauseMs: 100 }, 20)).toEqual({ limit: 100, pauseMs: 980 })
    expect(paceAfter({ limit: 51, pauseMs: 100 }, 20).limit).toBe(50)
  })

  test('grows after short ones, up to an end', () => {
    expect(paceAfter(firstPace, 1)).toEqual({ limit: 125, pauseMs: 100 })
    let pace = firstPace
    for (let step = 0; step < 100; step++) pace = paceAfter(pace, 0)
    expect(pace.limit).toBe(1_000)
  })
})
