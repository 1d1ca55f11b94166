import { describe, expect, test } from 'vitest'
import { MemoryAdapter } from '../../adapters/memory.ts'
import { accepted } from '../../conformance/samples.ts'
import { type Payment, paymentStatuses, type SettledStatus } from '../payment/payment.ts'
import type { QueryOutcome } from '../ports.ts'
import { compareWithDaraja } from './compare-with-daraja.ts'

const codeOf: Record<SettledStatus, string> = {
  SUCCESS: '0',
  FAILED: '1',
  CANCELLED: '1032',
  TIMEOUT: '1037',
  EXPIRED: '1019',
}
const final = (resultCode: string): QueryOutcome => ({ outcome: 'settled', resultCode, resultDesc: '' })
const unknownThere: QueryOutcome = { outcome: 'in-progress', code: '400.002.02', message: 'Invalid CheckoutRequestID' }
const minuteMs = 60_000

async function standing(status: Payment['status']): Promise<Payment> {
  const { payment } = await accepted(new MemoryAdapter())
  if (payment === null) throw new Error('an accepted push has a payment')
  return { ...payment, status }
}

const after = ({ initiatedAt }: Payment, ageMs: number): Date => new Date(initiatedAt.getTime() + ageMs)

describe('a final answer', () => {
  test.each(paymentStatuses.flatMap(ours => Object.entries(codeOf).map(([theirs, code]) => ({ ours, theirs, code }))))(
    'ours $ours, theirs $theirs: told, both ways',
    async ({ ours, theirs, code }) => {
      const payment = await standing(ours)
      expect(compareWithDaraja(payment, final(code), after(payment, 0))).toEqual(
        ours === theirs ? { comparison: 'matched' } : { comparison: 'mismatch', mpesaStatus: theirs },
      )
    },
  )
})

describe('an answer that is none', () => {
  test.each<[string, QueryOutcome]>([
    ['still in progress', { outcome: 'in-progress', code: '4999', message: '' }],
    ['being processed', { outcome: 'in-progress', code: '500.001.1001', message: '' }],
    ...(['throttled', 'unclear', 'unanswered'] as const).map(
      reason =>
        [
          reason,
          { outcome: 'indeterminate', reason, code: '', message: '', httpStatus: 500, retryAfterMs: null },
        ] as const satisfies [string, QueryOutcome],
    ),
  ])('%s is skipped in every status: nothing is guessed', async (_what, answer) => {
    for (const status of paymentStatuses) {
      const payment = await standing(status)
      expect(compareWithDaraja(payment, answer, after(payment, 60 * minuteMs))).toEqual({ comparison: 'skipped' })
    }
  })
})

describe('a push that Safaricom does not know', () => {
  const noRecord = { comparison: 'mismatch', mpesaStatus: 'NO_RECORD' }
  const skipped = { comparison: 'skipped' }

  test.each([
    ['a moment old', 0, skipped],
    ['not ten minutes old', 10 * minuteMs - 1, skipped],
    ['ten minutes old', 10 * minuteMs, noRecord],
    ['48 hours old', 48 * 60 * minuteMs, noRecord],
    ['older', 48 * 60 * minuteMs + 1, skipped],
  ])('and that we have as paid, %s', async (_what, ageMs, comparison) => {
    const payment = await standing('SUCCESS')
    expect(compareWithDaraja(payment, unknownThere, after(payment, ageMs))).toEqual(comparison)
  })

  test.each(paymentStatuses.filter(status => status !== 'SUCCESS'))('and that is %s here is skipped', async status => {
    const payment = await standing(status)
    expect(compareWithDaraja(payment, unknownThere, after(payment, 60 * minuteMs))).toEqual(skipped)
  })
})
