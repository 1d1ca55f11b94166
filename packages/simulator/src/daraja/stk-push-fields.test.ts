import { describe, expect, it } from 'vitest'
import { pushFields } from '../testing/merchant.ts'
import { checkPushFields } from './stk-push-fields.ts'

const url = 'https://shop.example/callback'
const verdict = (fields: Record<string, unknown>, mode: 'sandbox' | 'strict', strictUrls = false) => {
  const checked = checkPushFields(pushFields(url, fields), { mode, strictUrls })
  return checked.outcome === 'invalid' ? checked.name : 'valid'
}

describe('checkPushFields', () => {
  it.each([
    // fields, sandbox, strict
    [{}, 'valid', 'valid'],
    [
      { BusinessShortCode: 174379, Amount: '1', PartyA: 254700000000, PartyB: 174379, PhoneNumber: 254700000000 },
      'valid',
      'valid',
    ],
    [{ TransactionType: 'CustomerPayBillOnline ' }, 'valid', 'TransactionType'],
    [{ TransactionType: 'CustomerBuyGoodsOnline' }, 'valid', 'valid'],
    [{ TransactionType: 'CustomerPaybillOnline' }, 'TransactionType', 'TransactionType'],
    [{ TransactionDesc: undefined }, 'Remarks', 'Remarks'],
    [{ TransactionDesc: null }, 'Remarks', 'Remarks'],
    [{ TransactionDesc: 'x'.repeat(13) }, 'valid', 'valid'],
    [{ TransactionDesc: 'x'.repeat(29) }, 'valid', 'Remarks'],
    [{ AccountReference: 'x'.repeat(12) }, 'valid', 'valid'],
    [{ AccountReference: 'x'.repeat(17) }, 'valid', 'AccountReference'],
    [{ AccountReference: undefined }, 'AccountReference', 'AccountReference'],
    [{ Amount: 0 }, 'Amount', 'Amount'],
    [{ Amount: 1.5 }, 'Amount', 'Amount'],
    [{ Amount: '500.00' }, 'valid', 'valid'],
    [{ Amount: -5 }, 'Amount', 'Amount'],
    [{ Amount: 'free' }, 'Amount', 'Amount'],
    [{ Amount: 250_000 }, 'valid', 'valid'],
    [{ Amount: 250_001 }, 'valid', 'Amount'],
    [{ Amount: { value: 5 } }, 'Amount', 'Amount'],
    [{ PhoneNumber: '254110000000' }, 'valid', 'valid'],
    [{ PhoneNumber: '0700000000' }, 'valid', 'PhoneNumber'],
    [{ PhoneNumber: '+254700000000' }, 'PhoneNumber', 'PhoneNumber'],
    [{ PartyA: '0700000000' }, 'valid', 'PartyA'],
    [{ PartyB: 'till' }, 'PartyB', 'PartyB'],
    [{ BusinessShortCode: '12' }, 'valid', 'BusinessShortCode'],
    [{ Password: '' }, 'Password', 'Password'],
    [{ Timestamp: '2026-11-21 00:00:00' }, 'Timestamp', 'Timestamp'],
    [{ Timestamp: '20260231000000' }, 'valid', 'Timestamp'],
    [{ Timestamp: '20261121000060' }, 'valid', 'Timestamp'],
    [{ CallBackURL: 'shop.example/callback' }, 'CallBackURL', 'CallBackURL'],
    [{ CallBackURL: 'ftp://shop.example/' }, 'CallBackURL', 'CallBackURL'],
    [{ CallBackURL: 'http://127.0.0.1:3000/' }, 'valid', 'valid'],
  ])('%j', (fields, sandbox, strict) => {
    expect([verdict(fields, 'sandbox'), verdict(fields, 'strict')]).toEqual([sandbox, strict])
  })

  it.each([
    ['https://shop.example/callback', 'valid'],
    ['https://203.0.113.9/callback', 'valid'],
    ['http://shop.example/callback', 'CallBackURL'],
    ['https://localhost/callback', 'CallBackURL'],
    ['https://127.0.0.1/callback', 'CallBackURL'],
    ['https://10.1.2.3/', 'CallBackURL'],
    ['https://172.20.0.1/', 'CallBackURL'],
    ['https://172.32.0.1/', 'valid'],
    ['https://192.168.1.1/', 'CallBackURL'],
    ['https://[::1]/', 'CallBackURL'],
    ['https://printer.local/', 'CallBackURL'],
  ])('strict URLs: %s', (callbackUrl, expected) => {
    expect(verdict({ CallBackURL: callbackUrl }, 'sandbox', true)).toBe(expected)
  })
})
