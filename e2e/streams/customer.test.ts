import { describe, expect, test } from 'vitest'
import { checkoutRequestIdOf, findCustomer, wanjiku } from './customer.ts'

const checkoutRequestId = checkoutRequestIdOf(wanjiku)
const find = (text: string): readonly string[] => findCustomer([text], wanjiku, [checkoutRequestId])
const base64url = (text: string): string => Buffer.from(text).toString('base64url')

// A search that finds nothing says something only when it finds what is there.
describe('a customer is found', () => {
  test.each([
    ['by the number', '254712345678'],
    ['by the number as people write it', 'call 0712 345 678'],
    ['by all of it but the country', '712345678'],
    ['in the id of the push', `{"CheckoutRequestID":"${checkoutRequestId}"}`],
    [
      'in the middle part of a token',
      `eyJhbGciOiJIUzI1NiJ9.${base64url(`{"pushes":{"h_1":"${checkoutRequestId}"}}`)}.x`,
    ],
    ['in base64 within base64', base64url(`{"inner":"${base64url('the number is 254712345678')}"}`)],
    ['in hex', Buffer.from('254712345678').toString('hex')],
    ['backwards', '876543217452'],
  ])('%s', (_how, text) => expect(find(text)).not.toEqual([]))

  test.each([
    ['another number', '254798765432'],
    ['eight digits of it', '71234567'],
    ['the time of the payment', '20261124101513'],
  ])('not in %s', (_what, text) => expect(find(text)).toEqual([]))
})
