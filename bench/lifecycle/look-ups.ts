import type { HistoryKey, MpesaStk } from 'mpesa-stk'
import type { Measurement } from '../measurement.ts'
import { customers, references, totals } from './fill.ts'

const lookUps = 500
const promisedMs = 50

/** How to look up payment `n` of those that `fill` wrote. */
const keys: Readonly<Record<string, (n: number) => HistoryKey>> = {
  // The last digit decides: of these, payments were paid and are of no till.
  receipt: n => ({ receipt: `UH${String(endingIn(n, 3)).padStart(8, '0')}` }),
  phoneNumber: n => ({ phoneNumber: `2547${String(n % customers).padStart(8, '0')}` }),
  accountReference: n => ({ accountReference: `ORDER-${endingIn(n, 3) % references}` }),
  'accountReference of 100,000 payments': () => ({ accountReference: 'TILL-1' }),
  checkoutRequestId: n => ({ checkoutRequestId: `ws_CO_large_${n}` }),
  merchantRequestId: n => ({ merchantRequestId: `large-${n}` }),
  paymentId: n => ({ paymentId: `01980000-0000-7000-8000-${String(n).padStart(12, '0')}` }),
}

function endingIn(n: number, digit: number): number {
  return n - (n % 10) + digit
}

/** How long it takes to read the story of a payment, or of all payments that share something, among a million. */
export async function measureLookUps(mpesa: MpesaStk): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  for (const [name, keyOf] of Object.entries(keys)) {
    const spentMs: number[] = []
    let entries = 0
    for (let index = 0; index < lookUps; index++) {
      const key = keyOf(Math.floor(Math.random() * (totals.payments - 10)) + 1)
      const began = performance.now()
      const history = await mpesa.history(key)
      spentMs.push(performance.now() - began)
      if (history.length === 0) throw new Error(`nothing was found by ${JSON.stringify(key)}`)
      entries += history.length
    }
    spentMs.sort((a, b) => a - b)
    const p99 = percentile(spentMs, 0.99)
    const isKept = p99 < promisedMs
    measurements.push(
      {
        name: `history by ${name}, p50`,
        value: percentile(spentMs, 0.5),
        unit: 'ms',
        note: `${entries / lookUps} entries`,
      },
      {
        name: `history by ${name}, p99`,
        value: p99,
        unit: 'ms',
        note: isKept ? `under ${promisedMs} ms` : `NOT under ${promisedMs} ms`,
      },
    )
  }
  return measurements
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN
}
