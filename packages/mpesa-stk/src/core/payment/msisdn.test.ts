import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { maskMsisdn, maskPersonalData, normaliseMsisdn } from './msisdn.ts'

/** Every two-digit block of the live mobile ranges: 070–079, 010 and 011. [observed, portal for 07] */
const liveNationalNumbers = fc
  .tuple(
    fc.oneof(
      fc.integer({ min: 70, max: 79 }).map(block => `${block}`),
      fc.constantFrom('10', '11'),
    ),
    fc.integer({ min: 0, max: 9_999_999 }).map(rest => String(rest).padStart(7, '0')),
  )
  .map(([block, rest]) => `${block}${rest}`)
  // 0109 is not allocated.
  .filter(national => !national.startsWith('109'))

/** How people write a national number. */
const writings: readonly ((national: string) => string)[] = [
  n => n,
  n => `0${n}`,
  n => `254${n}`,
  n => `+254${n}`,
  n => `00254${n}`,
  n => `000254${n}`,
  n => `tel:+254${n}`,
  n => `+2540${n}`,
  n => `+254 (0) ${n.slice(0, 3)} ${n.slice(3, 6)} ${n.slice(6)}`,
  n => `0${n.slice(0, 3)} ${n.slice(3, 6)} ${n.slice(6)}`,
  n => `0${n.slice(0, 3)}-${n.slice(3, 6)}-${n.slice(6)}`,
  n => `(0${n.slice(0, 3)}) ${n.slice(3)}`,
  n => `0${n.slice(0, 3)}.${n.slice(3, 6)}.${n.slice(6)}`,
  n => `  254\u00a0${n.slice(0, 3)}\u00a0${n.slice(3)}\t`,
  n => `00 254 ${n}`,
]

describe('normaliseMsisdn', () => {
  test('knows every live prefix in every written form', () => {
    fc.assert(
      fc.property(liveNationalNumbers, fc.constantFrom(...writings), (national, write) => {
        expect(normaliseMsisdn(write(national))).toBe(`254${national}`)
      }),
    )
  })

  test('is idempotent', () => {
    fc.assert(
      fc.property(liveNationalNumbers, national => {
        const once = normaliseMsisdn(`0${national}`)
        expect(normaliseMsisdn(once)).toBe(once)
      }),
    )
  })

  test('accepts nothing but 2547… and 2541…, whatever it is given', () => {
    const digitsAndSigns = fc.string({ unit: fc.constantFrom(...'0123456789+ -().ext'.split('')), maxLength: 24 })
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.string(), digitsAndSigns), input => {
        const msisdn = normaliseMsisdn(input)
        expect(msisdn === null || /^254[17]\d{8}$/.test(msisdn)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  test('never accepts a landline', () => {
    const areaCodes = [
      '20',
      '40',
      '41',
      '42',
      '43',
      '44',
      '45',
      '46',
      '50',
      '51',
      '52',
      '53',
      '54',
      '55',
      '57',
      '58',
      '59',
    ]
    const landlines = fc
      .tuple(
        fc.constantFrom(...areaCodes, '60', '61', '62', '64', '66', '67', '68', '69'),
        fc.integer({ min: 2_000_000, max: 9_999_999 }),
      )
      .map(([area, rest]) => `${area}${rest}`)
    fc.assert(
      fc.property(landlines, fc.constantFrom(...writings), (national, write) => {
        expect(normaliseMsisdn(write(national))).toBeNull()
      }),
    )
  })

  test('never accepts a wrong length', () => {
    fc.assert(
      fc.property(
        liveNationalNumbers,
        fc.constantFrom(-2, -1, 1, 2, 3),
        fc.constantFrom('0', '254', '+254', ''),
        (national, change, prefix) => {
          const wrong = change < 0 ? national.slice(0, change) : national + '5'.repeat(change)
          expect(normaliseMsisdn(`${prefix}${wrong}`)).toBeNull()
        },
      ),
    )
  })

  test.each([
    ['another country', '+255712345678'],
    ['an extension', '0712345678 ext 5'],
    ['a word before it', 'call 0712345678'],
    ['a letter O for a zero', '07O2345678'],
    ['a short code', '174379'],
    ['a toll-free number', '0800123456'],
    ['an unallocated mobile range', '0199999999'],
    ['nothing', ''],
    ['a number value', 254712345678],
  ])('refuses %s', (_what, input) => {
    expect(normaliseMsisdn(input)).toBeNull()
  })
})

describe('masking', () => {
  test('keeps the prefix and the last three digits', () => {
    expect(maskMsisdn('254708374149')).toBe('2547*****149')
  })

  test('finds numbers and CheckoutRequestIDs in the texts of others', () => {
    const text = 'Invalid PhoneNumber 254708374149 or 0708374149 in ws_CO_17082026101502337708374149.'
    const masked = maskPersonalData(text)
    expect(masked).not.toContain('708374149')
    expect(masked).toBe('Invalid PhoneNumber 2547*****149 or 2547*****149 in ws_CO_*****.')
  })

  test.each([
    ...['0712345678', '+254 712 345 678', '254-712-345-678', '0712.345.678', '0712 34 56 78', '712345678'],
    ...['0112345678', '112345678', '+254(712345678'],
  ])('finds %s, as people write it', written => {
    for (const text of [`${written} paid`, `from ${written}.`, `{"phone":"${written}"}`, `<${written}>, again`]) {
      expect(maskPersonalData(text)).not.toMatch(/[17][ .-]?[12](?:[ .-]?[3-8]){4}/)
    }
  })

  test.each([
    ...['2026-11-24T10:00:00.123Z', '1712345678901', 'amount 712345678.50', 'v1.712345678', 'id7123456789'],
    ...['0194d1f0-7c2a-7b11-8e4d-712345678abc'],
  ])('leaves %s alone', text => {
    expect(maskPersonalData(text)).toBe(text)
  })

  test('leaves other numbers alone', () => {
    expect(maskPersonalData('Allowed rate : periodInMicroseconds=60000000, shortcode 174379')).toBe(
      'Allowed rate : periodInMicroseconds=60000000, shortcode 174379',
    )
  })
})
