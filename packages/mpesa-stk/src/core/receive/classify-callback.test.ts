import { readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type ClassifiedCallback, callbackKinds, classifyCallback } from './classify-callback.ts'

const fixtures = new URL('../../../../../fixtures/daraja/', import.meta.url)
const fixture = (name: string): string => readFileSync(new URL(name, fixtures), 'utf8')
const classify = (text: string) => classifyCallback(new TextEncoder().encode(text))

/** What a body is that is certainly a callback. */
function read(text: string): ClassifiedCallback {
  const classified = classify(text)
  if (classified.kind === 'unrecognised') throw new Error(classified.reason)
  return classified
}

/** A text with a part of it replaced, which must be there. */
function changed(text: string, part: string, by: string): string {
  expect(text).toContain(part)
  return text.replace(part, by)
}

const stk = fixture('stk-callback/amount-1.00.json')
const c2b = fixture('c2b/confirmation-v2-masked.json')
const result = fixture('result/b2c-success.json')
const ratiba = fixture('ratiba/callback-success.json')
const b2bExpress = fixture('b2b-express/callback-success.json')
const checkoutRequestId = 'ws_CO_17082026101502337708374149'
const ratibaId = '0acc0239-20fa-4a52-8b9d-9bd64c0465c3'
const b2bId = 'c2a9be32-9e11-4c90-892c-7bc54944609b'

describe('a callback', () => {
  test.each([
    ['stk', stk, checkoutRequestId, '0 UHH0AB12CD 1'],
    ['stk', fixture('stk-callback/result-1032.json'), 'ws_CO_17082026102010118708374149', '1032 - -'],
    ['c2b', c2b, 'UHH0AB12CD', '0 600984 5'],
    ['result', result, 'acme-2026-000017', '0 UHH0EF34GH'],
    ['result', fixture('result/b2c-spaced-keys.json'), 'acme-2026-000017', '0 UHH0EF34GH'],
    ['ratiba', ratiba, ratibaId, '0'],
    ['ratiba', fixture('ratiba/callback-1037-flipped-casing.json'), ratibaId, '1037'],
    ['b2b-express', b2bExpress, b2bId, '0 UHH0NP67QR 71'],
    ['b2b-express', fixture('b2b-express/callback-4001.json'), b2bId, '4001 - 71'],
  ])('of the kind %s is known by its key and what it says (%#)', (kind, text, businessKey, says) => {
    expect(read(text)).toEqual({
      kind,
      businessKey,
      result: expect.stringMatching(new RegExp(`^${says} [0-9a-f]{16}$`)),
      checkoutRequestId: kind === 'stk' ? businessKey : null,
    })
  })

  test('of a push without its CheckoutRequestID is known by its other id', () => {
    expect(read(changed(stk, `"${checkoutRequestId}"`, 'null'))).toMatchObject({
      businessKey: 'merchant 5998-46a7-a4aa-5a37a83f21ad3833',
      checkoutRequestId: null,
    })
  })

  test('of a result without its OriginatorConversationID is known by its other id', () => {
    expect(read(changed(result, '"acme-2026-000017"', '""')).businessKey).toBe('AG_20260817_2010c4e1b7a95f03d862')
  })

  test('is of the kind of its folder, whatever was observed', () => {
    for (const [folder, kind] of Object.entries({
      'stk-callback': 'stk',
      result: 'result',
      ratiba: 'ratiba',
      'b2b-express': 'b2b-express',
    })) {
      for (const name of readdirSync(new URL(`${folder}/`, fixtures))) {
        // Answers to requests of ours, which nobody posts to a hook.
        if (!name.startsWith('accepted'))
          expect([name, classify(fixture(`${folder}/${name}`)).kind]).toEqual([name, kind])
      }
    }
  })
})

describe('the same', () => {
  const textOf = (text: string, indent: number): string => JSON.stringify(JSON.parse(text), null, indent)

  test.each([
    ['stk', stk],
    ['c2b', c2b],
    ['result', result],
    ['ratiba', ratiba],
    ['b2b-express', b2bExpress],
  ])('is said with other white space: %s', (_kind, text) => {
    for (const again of [textOf(text, 0), textOf(text, 4), `\r\n${text.replaceAll('\n', '\r\n\t ')}\n`]) {
      expect(read(again)).toEqual(read(text))
    }
  })

  test('is said with 1.00, 1.0 and 1', () => {
    for (const amount of ['1', '1.0', '1.0000', '1e0']) {
      expect(read(changed(stk, '"Value": 1.00', `"Value": ${amount}`))).toEqual(read(stk))
    }
    expect(read(fixture('stk-callback/amount-1.json'))).toEqual(read(stk))
  })

  test('is said with the letters of a name written as escapes', () => {
    expect(read(changed(c2b, '"JOHN"', '"J\\u004fHN"'))).toEqual(read(c2b))
  })
})

describe('something else of the same key is said by', () => {
  test.each([
    ['another BillRefNumber', c2b, '"invoice008"', '"invoice009"'],
    ['another amount', c2b, '"5.00"', '"50.00"'],
    ['another payer', c2b, '"2547 ***** 149"', '"2547 ***** 150"'],
    ['a field more', c2b, '"FirstName"', '"Invoice": "x",\n  "FirstName"'],
    ['another value of ResultParameters', result, '"Value": 10', '"Value": 11'],
    ['another name in ResultParameters', result, '254708374149 - JOHN DOE', '254708374149 - JANE DOE'],
    ['another ResultDesc of a result', result, 'processed successfully', 'processed'],
    ['another ResultDesc of a push', stk, 'processed successfully', 'processed'],
    ['another code', stk, '"ResultCode": 0', '"ResultCode": 1032'],
    ['another code beside the code', result, '"ResultCode": 0', '"ResultCode": 0,\n    "Result Code": 1'],
    [
      'a second Amount',
      stk,
      '{\n            "Name": "Balance"',
      '{ "Name": "Amount", "Value": 900 }, {\n "Name": "Balance"',
    ],
    ['another phone number', stk, '254708374149\n', '254708374150\n'],
    ['another status of a standing order', ratiba, '"OKAY"', '"ERROR"'],
    ['another status of a B2B payment', b2bExpress, '"SUCCESS"', '"FAILED"'],
  ])('%s', (_what, text, part, by) => {
    const [one, other] = [read(text), read(changed(text, part, by))]
    expect([other.kind, other.businessKey]).toEqual([one.kind, one.businessKey])
    expect(other.result).not.toBe(one.result)
  })

  test('a code in another place, whichever of the two is read', () => {
    const failed = changed(result, '"ResultCode": 0', '"ResultCode": 1')
    const both = [
      changed(result, '"ResultCode": 0', '"Result Code": 0,\n    "ResultCode": 1'),
      changed(result, '"ResultCode": 0', '"ResultCode": 1,\n    "Result Code": 0'),
    ]
    const all = [result, failed, ...both].map(read)
    expect(new Set(all.map(({ businessKey }) => businessKey))).toEqual(new Set(['acme-2026-000017']))
    expect(new Set(all.map(each => each.result)).size).toBe(4)
  })
})

describe('nobody’s event is', () => {
  test.each([
    ['nothing', ''],
    ['no JSON', '<html>'],
    ['a text', '"ws_CO_1"'],
    ['a list', `[${stk}]`],
    ['a push with a code that may be a zero', changed(stk, '"ResultCode": 0', '"ResultCode": "00"')],
    ['a confirmation without a shortcode', changed(c2b, '"600984"', 'null')],
    ['a result with an id that is no id', changed(result, '"acme-2026-000017"', '"a b"').replace('"AG_2', '"A G_2')],
    ['a result with an id that is too long', `{"Result":{"ResultCode":0,"ConversationID":"${'x'.repeat(129)}"}}`],
    ['a key that is inherited', '{"__proto__":{"TransID":"x","BusinessShortCode":"1"}}'],
  ])('%s, and the reason says nothing of it', (_what, text) => {
    const classified = classify(text)
    expect(classified).toEqual({ kind: 'unrecognised', reason: expect.stringMatching(/^[\x20-\x7e]{5,100}$/) })
  })

  test('what is no UTF-8', () => {
    const bytes = Buffer.from(stk)
    bytes[bytes.indexOf('processed')] = 0xff
    expect(classifyCallback(bytes).kind).toBe('unrecognised')
  })
})

describe('whatever it is', () => {
  const printable = /^[\x20-\x7e]{1,300}$/

  function expectSound(bytes: Uint8Array): string {
    const classified = classifyCallback(bytes)
    if (classified.kind === 'unrecognised') {
      expect(classified.reason).toMatch(printable)
      return classified.kind
    }
    expect(callbackKinds).toContain(classified.kind)
    expect(classified.businessKey).toMatch(printable)
    expect(classified.result).toMatch(printable)
    if (classified.checkoutRequestId !== null) expect(classified.checkoutRequestId).toMatch(printable)
    return classified.kind
  }

  test('bytes never make it throw, and what it makes of them is short and printable', () => {
    // Also inside true callbacks, where they are more likely to be read.
    const spoilt = fc
      .tuple(fc.constantFrom(stk, c2b, result, ratiba, b2bExpress), fc.nat(), fc.uint8Array({ maxLength: 8 }))
      .map(([text, at, bytes]) => {
        const whole = Buffer.from(text)
        whole.set(bytes, at % (whole.length - bytes.length))
        return whole
      })
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), spoilt), bytes => void expectSound(bytes)),
      { numRuns: 3_000 },
    )
  })

  test('JSON never makes it throw, and what it makes of it is short and printable', () => {
    const long = fc.integer({ min: 1, max: 2_000 }).map(length => 'x'.repeat(length))
    const id = fc.oneof(fc.stringMatching(/^[\x21-\x7e]{1,128}$/), fc.constant('x'.repeat(128)))
    const code = fc.oneof(fc.integer(), fc.stringMatching(/^[1-9A-Z][\x20-\x7e]{0,63}$/))
    const amount = fc.oneof(fc.double(), fc.constantFrom('9'.repeat(40), '1e999', '-0', '0.1'), fc.integer())
    // Often what a reader looks for, else anything.
    const like = (wanted: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
      fc.oneof(
        { weight: 6, arbitrary: wanted },
        { weight: 1, arbitrary: fc.jsonValue() },
        { weight: 1, arbitrary: long },
      )
    const record = (fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> =>
      fc.record(fields, { requiredKeys: [] })
    const item = fc.record({ Name: fc.constantFrom('Amount', 'MpesaReceiptNumber', '__proto__'), Value: like(amount) })
    const body = fc.oneof(
      fc.jsonValue(),
      fc.record({
        Body: fc.record({
          stkCallback: fc.record({
            CheckoutRequestID: like(id),
            MerchantRequestID: like(id),
            ResultCode: like(code),
            ResultDesc: like(fc.string()),
            CallbackMetadata: like(fc.record({ Item: like(fc.array(item)) })),
          }),
        }),
      }),
      fc.record({
        TransID: like(id),
        BusinessShortCode: like(id),
        TransAmount: like(amount),
        BillRefNumber: fc.string(),
      }),
      fc.record({
        Result: record({
          ResultType: fc.jsonValue(),
          ResultCode: like(code),
          'Result Code': like(code),
          OriginatorConversationID: like(id),
          'Conversation ID': like(id),
          TransactionID: like(id),
        }),
      }),
      fc.record({
        ResponseHeader: record({ ResponseCode: like(code), requestRefID: like(id), responseRefID: like(id) }),
      }),
      record({ resultCode: like(code), requestId: like(id), transactionId: like(id), amount: like(amount) }),
    )
    const met = new Set<string>()
    fc.assert(
      fc.property(body, value => void met.add(expectSound(new TextEncoder().encode(JSON.stringify(value))))),
      { numRuns: 4_000 },
    )
    // Else it proves nothing.
    expect(met).toEqual(new Set([...callbackKinds, 'unrecognised']))
  })

  test('a number beyond all, or an id as long as one may be, is short and printable too', () => {
    const id = 'x'.repeat(128)
    const amount = '9'.repeat(40)
    for (const text of [
      changed(stk, '"Value": 1.00', '"Value": 1e999'),
      changed(c2b, '"5.00"', '-1e999'),
      changed(c2b, '"5.00"', '"\\u202e5"'),
      `{"resultCode":"${'9'.repeat(64)}","requestId":"${id}","transactionId":"${id}","amount":"${amount}"}`,
      `{"Result":{"ResultCode":"${'9'.repeat(64)}","ConversationID":"${id}","TransactionID":"${id}"}}`,
    ]) {
      expect(expectSound(Buffer.from(text))).not.toBe('unrecognised')
    }
  })

  test('a value that cannot be made a text, and one that is nested beyond the stack, do not make it throw', () => {
    const noText = '{"toString": 1, "valueOf": 1, "toJSON": 1}'
    expect(read(changed(result, '"ResultType": 0', `"ResultType": ${noText}`)).kind).toBe('result')
    expect(read(changed(result, '"UHH0EF34GH"', noText)).result).toMatch(/^0 - /)
    expect(read(changed(c2b, '"5.00"', noText)).result).toMatch(/^0 600984 \? /)
    expect(read(changed(stk, '"Value": 1.00', `"Value": ${noText}`)).result).toMatch(/^0 UHH0AB12CD \? /)
    expect(classify(changed(ratiba, '"responseCode": "0"', `"responseCode": ${noText}`)).kind).toBe('unrecognised')
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`
    for (const text of [
      deep,
      '['.repeat(100_000),
      changed(stk, '"Value": 1.00', `"Value": ${deep}`),
      changed(c2b, '"JOHN"', deep),
      changed(result, '"ResultType": 0', `"ResultType": ${deep}`),
      changed(ratiba, '"OKAY"', deep),
      changed(b2bExpress, '"SUCCESS"', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`),
    ]) {
      // It could be delivered to nobody.
      expect(expectSound(Buffer.from(text))).toBe('unrecognised')
    }
  })
})
