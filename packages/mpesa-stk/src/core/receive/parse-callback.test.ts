import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseCallback } from './parse-callback.ts'

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

function stkBody(stkCallback: Record<string, unknown>): Uint8Array {
  return bytes({
    Body: { stkCallback: { CheckoutRequestID: 'ws_CO_1', MerchantRequestID: 'm-1', ResultCode: 0, ...stkCallback } },
  })
}

describe('parseCallback', () => {
  test('never throws on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), body => {
        expect(['stk', 'unrecognised']).toContain(parseCallback(body).kind)
      }),
      { numRuns: 1_000 },
    )
  })

  test('never throws on any JSON value, also inside an envelope', () => {
    const envelope = fc.oneof(
      fc.jsonValue(),
      fc.jsonValue().map(value => ({ Body: value })),
      fc.jsonValue().map(value => ({ Body: { stkCallback: value } })),
      fc
        .jsonValue()
        .map(value => ({ Body: { stkCallback: { CheckoutRequestID: 'x', ResultCode: 0, CallbackMetadata: value } } })),
      fc.jsonValue().map(value => ({
        Body: { stkCallback: { CheckoutRequestID: 'x', ResultCode: 0, CallbackMetadata: { Item: value } } },
      })),
      fc.jsonValue().map(value => ({
        Body: { stkCallback: { CheckoutRequestID: value, MerchantRequestID: value, ResultCode: value } },
      })),
    )
    fc.assert(
      fc.property(envelope, value => {
        const parsed = parseCallback(bytes(value))
        if (parsed.kind === 'stk') expect(parsed.checkoutRequestId ?? parsed.merchantRequestId).not.toBeNull()
        else expect(parsed.reason).not.toBe('')
      }),
      { numRuns: 2_000 },
    )
  })

  test('finds metadata by name, in any order, and takes a bare object for a list of one', () => {
    const items = [
      { Name: 'PhoneNumber', Value: 254708374149 },
      { Name: 'Balance' },
      { Name: 'MpesaReceiptNumber', Value: 'UHH0AB12CD' },
      { Name: 'Amount', Value: '500.00' },
    ]
    expect(parseCallback(stkBody({ CallbackMetadata: { Item: items } }))).toMatchObject({
      amount: '500.00',
      receipt: 'UHH0AB12CD',
    })
    expect(parseCallback(stkBody({ CallbackMetadata: { Item: items[3] } }))).toMatchObject({
      amount: '500.00',
      receipt: null,
    })
  })

  test('keeps a code as text', () => {
    expect(parseCallback(stkBody({ ResultCode: 'SFC_IC0003' }))).toMatchObject({
      kind: 'stk',
      resultCode: 'SFC_IC0003',
    })
    expect(parseCallback(stkBody({ ResultCode: 1032 }))).toMatchObject({ kind: 'stk', resultCode: '1032' })
  })

  test.each([
    ['a code that is missing', { ResultCode: undefined }],
    ['a zero that is not exactly 0', { ResultCode: '00' }],
    ['a code that is null', { ResultCode: null }],
    ['no id at all', { CheckoutRequestID: undefined, MerchantRequestID: '' }],
  ])('does not guess at %s', (_what, changes) => {
    expect(parseCallback(stkBody(changes)).kind).toBe('unrecognised')
  })

  test('is not fooled by inherited names', () => {
    expect(parseCallback(bytes({ Body: { __proto__: { stkCallback: {} } } })).kind).toBe('unrecognised')
  })

  test('reads every STK callback that was observed, and no other body', () => {
    const folder = new URL('../../../../../fixtures/daraja/', import.meta.url)
    const read = (kind: string) =>
      readdirSync(new URL(`${kind}/`, folder)).map(
        name => [name, parseCallback(readFileSync(new URL(`${kind}/${name}`, folder)))] as const,
      )
    const stk = read('stk-callback')
    expect(stk.length).toBeGreaterThan(20)
    expect(stk.filter(([, parsed]) => parsed.kind !== 'stk').map(([name]) => name)).toEqual([])
    for (const kind of ['c2b', 'result', 'ratiba', 'b2b-express', 'errors']) {
      expect(
        read(kind)
          .filter(([, parsed]) => parsed.kind === 'stk')
          .map(([name]) => name),
      ).toEqual([])
    }
  })
})
