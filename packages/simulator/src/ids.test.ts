import { describe, expect, it } from 'vitest'
import { createIdMint } from './ids.ts'
import { createSeededRandom } from './seeded-random.ts'

const mint = (now: () => number, seed = 1) => createIdMint(createSeededRandom(seed), now)

describe('receipts', () => {
  it.each([
    ['2019-01-01T09:00:00Z', 'NA1'],
    ['2024-12-31T09:00:00Z', 'SLV'],
    ['2025-10-09T09:00:00Z', 'TJ9'],
    ['2026-08-17T09:00:00Z', 'UHH'],
    // Already the 18th in Nairobi.
    ['2026-08-17T21:30:00Z', 'UHI'],
  ])('of %s begin with %s', (instant, prefix) => {
    expect(mint(Date.now).receipt(Date.parse(instant))).toMatch(new RegExp(`^${prefix}[0-9A-Z]{7}$`))
  })

  it('never repeat', () => {
    const ids = mint(Date.now)
    const receipts = Array.from({ length: 50_000 }, () => ids.receipt(0))
    expect(new Set(receipts).size).toBe(50_000)
  })
})

describe('CheckoutRequestIDs', () => {
  it('never repeat, even three thousand in one second for one phone', () => {
    const ids = mint(() => Date.parse('2026-08-17T09:00:00Z'))
    const made = Array.from({ length: 3_000 }, () => ids.checkoutRequestId('254712345678'))
    expect(new Set(made).size).toBe(3_000)
    expect(made[0]).toMatch(/^ws_CO_17082026120000\d{3}712345678$/)
    expect(made[2_999]).toMatch(/^ws_CO_17082026120002\d{3}712345678$/)
  })
})

it('access tokens have 28 characters and differ', () => {
  const ids = mint(Date.now)
  const tokens = [ids.accessToken(), ids.accessToken()]
  expect(tokens[0]).toMatch(/^[A-Za-z0-9]{28}$/)
  expect(tokens[0]).not.toBe(tokens[1])
})
