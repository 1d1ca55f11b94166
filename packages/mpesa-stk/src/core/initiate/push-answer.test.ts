import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { classifyPushAnswer } from './push-answer.ts'

const fixture = (name: string): string =>
  readFileSync(new URL(`../../../../../fixtures/daraja/${name}`, import.meta.url), 'utf8')

const daraja = (errorCode: string, errorMessage: string): string =>
  JSON.stringify({ requestId: 'r-1', errorCode, errorMessage })

describe('the answer to a push', () => {
  test.each([
    ['the old MerchantRequestID', '29115-34620561-1'],
    ['the new MerchantRequestID', '5998-46a7-a4aa-5a37a83f21ad3833'],
  ])('with %s is accepted', (_what, MerchantRequestID) => {
    const body = JSON.stringify({
      MerchantRequestID,
      CheckoutRequestID: 'ws_CO_17082026101502337708374149',
      ResponseCode: '0',
    })
    expect(classifyPushAnswer({ httpStatus: 200, body })).toEqual({
      outcome: 'accepted',
      merchantRequestId: MerchantRequestID,
      checkoutRequestId: 'ws_CO_17082026101502337708374149',
    })
  })

  test.each([
    [
      500,
      '500.001.1001',
      'Unable to lock subscriber, a transaction is already in process for the current subscriber',
      'refused',
    ],
    [500, '500.001.1001', 'Wrong credentials', 'refused'],
    [500, '500.001.1001', 'Merchant does not exist', 'refused'],
    [500, '500.001.1001', 'The transaction is being processed', 'unknown'],
    [500, '500.001.1001', 'Internal Server Error', 'unknown'],
    [500, '500.002.1001', 'System internal error', 'unknown'],
    [500, '500.003.1001', 'Internal Server Error', 'unknown'],
    [500, '500.003.02', 'System is busy. Please try again in few minutes.', 'refused'],
    [500, '500.003.02', 'Error Occured: Spike Arrest Violation', 'refused'],
    [500, '500.003.03', 'Quota Violation', 'refused'],
    [500, '999.999', 'something new', 'unknown'],
    [400, '400.002.02', 'Bad Request - Invalid PhoneNumber', 'refused'],
    [404, '404.001.03', 'Invalid Access Token', 'refused'],
    [401, '401.003.01', 'no apiproduct match found', 'refused'],
  ])('HTTP %i %s "%s" is %s', (httpStatus, code, message, outcome) => {
    expect(classifyPushAnswer({ httpStatus, body: daraja(code, message) })).toMatchObject({ outcome, code, message })
  })

  test.each([
    [
      200,
      'a ResponseCode other than 0',
      JSON.stringify({ ResponseCode: '1', ResponseDescription: 'no' }),
      'refused',
      '1',
    ],
    [200, 'an acceptance without ids', JSON.stringify({ ResponseCode: '0' }), 'unknown', 'NO_REQUEST_ID'],
    [200, 'a page', '<html></html>', 'unknown', 'HTTP_200'],
    [200, 'nothing', '', 'unknown', 'HTTP_200_EMPTY'],
    [302, 'a redirect', '', 'unknown', 'HTTP_302_EMPTY'],
    [408, 'a request timeout', '', 'unknown', 'HTTP_408_EMPTY'],
    [500, 'a page of a proxy', '<html>Internal Server Error</html>', 'unknown', 'HTTP_500'],
    [504, 'nothing', '', 'unknown', 'HTTP_504_EMPTY'],
    [
      403,
      'a firewall page',
      '<html><script src="/_Incapsula_Resource?x"></script></html>',
      'refused',
      'HTML_403_INCAPSULA',
    ],
    [
      503,
      'a firewall page',
      '<html>Request unsuccessful. Incapsula incident ID: 0</html>',
      'refused',
      'HTML_503_INCAPSULA',
    ],
    [
      429,
      'an Apigee fault',
      '{"fault":{"faultstring":"Spike arrest violation","detail":{"errorcode":"policies.ratelimit.SpikeArrestViolation"}}}',
      'refused',
      'policies.ratelimit.SpikeArrestViolation',
    ],
  ])('HTTP %i with %s', (httpStatus, _what, body, outcome, code) => {
    expect(classifyPushAnswer({ httpStatus, body })).toMatchObject({ outcome, code })
  })

  test('never throws, and is accepted only with both ids', () => {
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 599 }), fc.oneof(fc.string(), fc.json()), (httpStatus, body) => {
        const answer = classifyPushAnswer({ httpStatus, body })
        expect(['accepted', 'refused', 'unknown']).toContain(answer.outcome)
        if (answer.outcome === 'accepted') expect(answer.checkoutRequestId).not.toBe('')
      }),
      { numRuns: 500 },
    )
  })

  test('is never quoted with a phone number in it', () => {
    const answer = classifyPushAnswer({
      httpStatus: 400,
      body: daraja('400.002.02', 'Bad Request - 254708374149 is barred'),
    })
    expect(JSON.stringify(answer)).not.toContain('708374149')
  })

  test.each([
    ['null', null],
    ['an empty text', ''],
    ['00', '00'],
    ['00000000', '00000000'],
    ['true', true],
    ['a nested list', [[[0]]]],
    ['1 and yet the id of a push', '1'],
  ])('with ResponseCode %s and both ids proves no refusal', (_what, ResponseCode) => {
    const body = JSON.stringify({ ResponseCode, MerchantRequestID: 'm-1', CheckoutRequestID: 'ws_CO_1' })
    expect(classifyPushAnswer({ httpStatus: 200, body })).toMatchObject({
      outcome: 'unknown',
      code: 'ODD_RESPONSE_CODE',
    })
  })

  test('an errorCode with a phone number in it is masked too', () => {
    const answer = classifyPushAnswer({ httpStatus: 400, body: daraja('254708374149', 'x') })
    expect(JSON.stringify(answer)).not.toContain('708374149')
  })

  test.each([
    ['stk-push/accepted.json', 'accepted'],
    ['stk-push/accepted-old-merchant-request-id.json', 'accepted'],
    ['stk-push/response-code-1.json', 'refused'],
  ])('as observed in the wild: %s is %s', (name, outcome) => {
    expect(classifyPushAnswer({ httpStatus: 200, body: fixture(name) }).outcome).toBe(outcome)
  })
})
