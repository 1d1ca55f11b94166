import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../config.ts'
import { callbackUrlWithToken, createCallbackToken } from './callback-token.ts'
import { createIntent, differences, type PaymentRequest, toTransactionDesc } from './intent.ts'

const config = resolveConfig({
  consumerKey: 'key',
  consumerSecret: 'secret',
  shortCode: '174379',
  passKey: 'passkey',
  callbackUrl: 'https://shop.example/mpesa/callback',
  environment: 'sandbox',
})

const good: PaymentRequest = { phoneNumber: '0708 374 149', amount: 500, accountReference: 'ORDER-123' }
const at = new Date('2026-04-03T10:00:00Z')
const intent = (changes: Partial<PaymentRequest> = {}) => createIntent({ ...good, ...changes }, config, 'p-1', at)

describe('an intent', () => {
  test('has everything that a push needs', () => {
    expect(intent({ idempotencyKey: 'ORDER-123', description: 'Payment for order ORDER-123' })).toEqual({
      paymentId: 'p-1',
      idempotencyKey: 'ORDER-123',
      phoneNumber: '254708374149',
      amount: 500,
      accountReference: 'ORDER-123',
      description: 'Payment for order ORDER-123',
      shortCode: '174379',
      transactionType: 'CustomerPayBillOnline',
      partyB: '174379',
      reservedAt: at,
    })
  })

  test.each<[string, object, string]>([
    ['a landline', { phoneNumber: '020 222 2222' }, 'MPESA_STK_PHONE_INVALID'],
    ['a fraction', { amount: 10.5 }, 'MPESA_STK_AMOUNT_INVALID'],
    ['nothing to pay', { amount: 0 }, 'MPESA_STK_AMOUNT_INVALID'],
    ['more than the limit', { amount: 250_001 }, 'MPESA_STK_AMOUNT_INVALID'],
    ['no reference', { accountReference: '  ' }, 'MPESA_STK_ACCOUNT_REFERENCE_INVALID'],
    ['a reference of 13 characters', { accountReference: 'ORDER-1234567' }, 'MPESA_STK_ACCOUNT_REFERENCE_INVALID'],
    ['a line break in the reference', { accountReference: 'ORDER\n123' }, 'MPESA_STK_ACCOUNT_REFERENCE_INVALID'],
    ['a key that is undefined by mistake', { idempotencyKey: undefined }, 'MPESA_STK_IDEMPOTENCY_KEY_INVALID'],
    ['a key that is misspelt', { idempotencykey: 'ORDER-1' }, 'MPESA_STK_REQUEST_INVALID'],
    ['an empty key', { idempotencyKey: '' }, 'MPESA_STK_IDEMPOTENCY_KEY_INVALID'],
    ['a key with a control character', { idempotencyKey: 'ORDER\u0000' }, 'MPESA_STK_IDEMPOTENCY_KEY_INVALID'],
    ['a key with half a surrogate', { idempotencyKey: 'S\ud800' }, 'MPESA_STK_IDEMPOTENCY_KEY_INVALID'],
    ['a key of 256 characters', { idempotencyKey: 'k'.repeat(256) }, 'MPESA_STK_IDEMPOTENCY_KEY_INVALID'],
  ])('refuses %s with its own code', (_what, changes, code) => {
    expect(() => intent(changes)).toThrow(expect.objectContaining({ code }))
  })

  test('refuses without repeating what was typed', () => {
    expect(() => intent({ phoneNumber: '07083741499' })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining('0708') }),
    )
  })

  test('differs from another by what is paid, by whom and to whom, not by its description', () => {
    expect(differences(intent(), intent({ description: 'today at noon' }))).toEqual([])
    expect(differences(intent(), intent({ amount: 501, phoneNumber: '0110123456' }))).toEqual(['phoneNumber', 'amount'])
  })
})

test('a payment of older code is the same by number, amount and reference, whatever else it never stored', () => {
  const adopted = { ...intent(), shortCode: '', partyB: '', phoneNumber: '0708374149' }
  expect(differences(adopted, intent())).toEqual([])
  expect(differences(adopted, intent({ amount: 1 }))).toEqual(['amount'])
})

describe('TransactionDesc', () => {
  test.each([
    ['Payment for order ORDER-123', 'Payment for o'],
    ['Café – lunch', 'Cafe   lunch'],
    ['🎟️', 'Payment'],
    ['', 'Payment'],
  ])('of "%s" is "%s"', (description, wire) => {
    expect(toTransactionDesc(description)).toBe(wire)
  })

  test('is always 1 to 13 printable ASCII characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), description => {
        expect(toTransactionDesc(description)).toMatch(/^[\x20-\x7e]{1,13}$/)
      }),
    )
  })
})

describe('the callback token', () => {
  test('is 192 bits that need no escaping in a path', () => {
    expect(createCallbackToken(new Uint8Array(24).fill(255))).toBe('_'.repeat(32))
    expect(createCallbackToken(new Uint8Array(24))).toMatch(/^[A-Za-z0-9_-]{32}$/)
  })

  test.each([
    ['https://shop.example/mpesa/callback', 'https://shop.example/mpesa/callback/t/TOKEN'],
    ['https://shop.example/mpesa/callback/', 'https://shop.example/mpesa/callback/t/TOKEN'],
    ['https://shop.example', 'https://shop.example/t/TOKEN'],
    ['https://shop.example/cb?store=7', 'https://shop.example/cb/t/TOKEN?store=7'],
  ])('goes behind the path of %s', (url, expected) => {
    expect(callbackUrlWithToken(url, 'TOKEN')).toBe(expected)
  })
})
