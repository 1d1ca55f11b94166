import { describe, expect, it } from 'vitest'
import { createLatency } from './latency.ts'
import { createSeededRandom } from './seeded-random.ts'

const latency = createLatency('realistic', createSeededRandom(1))
const draw = (count: number, next: () => number) => Array.from({ length: count }, next).sort((a, b) => a - b)

describe('realistic latency', () => {
  it('answers pushes as measured: 0.3 to 7 s, median 0.9, p90 1.5', () => {
    const delays = draw(4_000, latency.ackMs)
    expect(delays[0]).toBeGreaterThanOrEqual(300)
    expect(delays.at(-1)).toBeLessThanOrEqual(7_000)
    expect((delays[2_000] ?? 0) / 900).toBeCloseTo(1, 1)
    expect((delays[3_600] ?? 0) / 1_500).toBeCloseTo(1, 1)
  })

  it('settles payments 7 to 18 s after the push', () => {
    const delays = draw(1_000, () => latency.settleMs('paid'))
    expect([(delays[0] ?? 0) >= 7_000, (delays.at(-1) ?? 0) <= 18_000]).toEqual([true, true])
  })

  it('gives up on phones after 15 s or after a minute', () => {
    const delays = draw(200, () => latency.settleMs('unreachable'))
    expect(new Set(delays.map(delay => (delay < 20_000 ? 15 : 60)))).toEqual(new Set([15, 60]))
  })

  it('takes one or two seconds after an answer on the phone', () => {
    const delays = draw(200, latency.answerMs)
    expect([(delays[0] ?? 0) >= 1_000, (delays.at(-1) ?? 0) <= 2_000]).toEqual([true, true])
  })
})

it('no latency is none', () => {
  const none = createLatency('none', createSeededRandom(1))
  expect([none.ackMs(), none.settleMs('expired'), none.answerMs()]).toEqual([0, 0, 0])
})
