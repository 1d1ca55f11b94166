import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultAmountLimits, isPayableAmount, readAmount } from './amount.ts'

describe('readAmount', () => {
  test.each([[500], [500.0], ['500'], ['500.0'], ['500.00']])('%j is 500 shillings', value => {
    expect(readAmount(value)).toBe(500)
  })

  test.each([
    [500.5],
    ['500.01'],
    ['5e2'],
    ['500,00'],
    ['1,000'],
    [-1],
    ['-1'],
    [''],
    [null],
    [undefined],
    [true],
    [Number.NaN],
    ['0x1f4'],
  ])('%j is no whole amount', value => {
    expect(readAmount(value)).toBeNull()
  })

  test('never throws, and returns whole shillings or null', () => {
    fc.assert(
      fc.property(fc.anything(), value => {
        const amount = readAmount(value)
        expect(amount === null || (Number.isSafeInteger(amount) && amount >= 0)).toBe(true)
      }),
    )
  })
})

test.each([
  [1, true],
  [250_000, true],
  [0, false],
  [250_001, false],
  [1.5, false],
  ['500', false],
])('isPayableAmount(%j) is %j', (amount, expected) => {
  expect(isPayableAmount(amount, defaultAmountLimits)).toBe(expected)
})
