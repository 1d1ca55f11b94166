import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readReceipt } from './receipt.ts'
import { readResultCode, resultCodeAsInteger, resultCodePattern, statusOfCallbackCode } from './result-code.ts'

test('what is read as a code may be reported as one', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 64 }), text => {
      const code = readResultCode(text)
      if (code !== null) expect(code).toMatch(resultCodePattern)
    }),
  )
  expect('a code with spaces, and '.padEnd(64, 'x')).toMatch(resultCodePattern)
  expect('   ').not.toMatch(resultCodePattern)
})

describe('readResultCode', () => {
  test.each([
    [0, '0'],
    ['0', '0'],
    [1032, '1032'],
    ['SFC_IC0003', 'SFC_IC0003'],
    ['E3008', 'E3008'],
  ])('%j is %j', (value, code) => {
    expect(readResultCode(value)).toBe(code)
  })

  test.each([
    ['00'],
    ['0.0'],
    [' 0'],
    ['0 '],
    ['-0'],
    ['0x0'],
    [''],
    ['  '],
    [null],
    [undefined],
    [true],
    [false],
    [[]],
    [{}],
    [0.5],
    [-0],
    ['1032\u0000'],
  ])('%j says nothing certain', value => {
    expect(readResultCode(value)).toBeNull()
  })

  test('only exactly 0 is ever a success', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.integer(), fc.anything()), value => {
        const code = readResultCode(value)
        const isSuccess = code !== null && statusOfCallbackCode(code) === 'SUCCESS'
        expect(isSuccess).toBe(Object.is(value, 0) || value === '0')
      }),
      { numRuns: 1_000 },
    )
  })
})

test.each([
  ['0', 'SUCCESS'],
  ['1032', 'CANCELLED'],
  ['1037', 'TIMEOUT'],
  ['1019', 'EXPIRED'],
  ['4999', null],
  ['1', 'FAILED'],
  ['SFC_IC0003', 'FAILED'],
  ['toString', 'FAILED'],
  ['__proto__', 'FAILED'],
])('a callback with code %s is %s', (code, status) => {
  expect(statusOfCallbackCode(code)).toBe(status)
})

test.each([
  ['0', 0],
  ['1032', 1032],
  ['SFC_IC0003', null],
  ['99999999999', null],
])('the result_code column of %s is %j', (code, column) => {
  expect(resultCodeAsInteger(code)).toBe(column)
})

test.each([
  ['UHH0AB12CD', 'UHH0AB12CD'],
  ['OAK0000000', null],
  ['0000000000', null],
  ['0000000000000000', null],
  ['TOO-LONG-FOR-ONE', null],
  [1234567890, null],
])('the receipt in %j is %j', (value, receipt) => {
  expect(readReceipt(value)).toBe(receipt)
})
