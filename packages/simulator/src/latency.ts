import type { SeededRandom } from './seeded-random.ts'

/** How long Safaricom takes. `realistic` follows the few published measurements; `none` answers at once. */
export type LatencyMode = 'realistic' | 'none'

/** Seconds from acceptance until the payment has its result, by what decides it. */
const settleSeconds = {
  paid: [[7, 18]],
  customer: [[8, 20]], // cancelled, wrong PIN, no money: somebody had to look at the phone; 1032 was seen at 14 s
  unreachable: [
    [15, 16], // [observed] 1037 is not always a full minute
    [60, 61],
  ],
  expired: [[60, 90]],
  refusedByCore: [[1, 4]], // wrong till, busy, rule limited: nobody is asked
  systemError: [[5, 15]],
} as const satisfies Record<string, readonly [Range, ...Range[]]>

type Range = readonly [fromSeconds: number, toSeconds: number]
export type SettlePace = keyof typeof settleSeconds

export interface Latency {
  /** Milliseconds before a push is answered: 0.3-7 s, median 0.9 s, p90 1.5 s. [observed] */
  ackMs(): number
  /** Milliseconds from acceptance to the result of a payment that nobody on the handset page decides. */
  settleMs(pace: SettlePace): number
  /** Milliseconds from a person's answer on the handset to the result. */
  answerMs(): number
}

export function createLatency(mode: LatencyMode, random: SeededRandom): Latency {
  if (mode === 'none') return { ackMs: () => 0, settleMs: () => 0, answerMs: () => 0 }
  const delays = random.fork('delays')
  const within = (from: number, to: number) => Math.round(1000 * (from + delays.next() * (to - from)))
  return {
    ackMs() {
      // Log-normal around the median; 0.4 puts p90 at 1.5 s.
      const gauss = Math.sqrt(-2 * Math.log(1 - delays.next())) * Math.cos(2 * Math.PI * delays.next())
      return Math.round(Math.min(7_000, Math.max(300, 900 * Math.exp(0.4 * gauss))))
    },
    settleMs(pace) {
      const ranges: readonly [Range, ...Range[]] = settleSeconds[pace]
      return within(...delays.pick(ranges))
    },
    answerMs: () => within(1, 2),
  }
}
