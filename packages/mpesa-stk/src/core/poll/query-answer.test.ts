import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { classifyQueryAnswer } from './query-answer.ts'

const id = 'ws_CO_17082026101502337708374149'
const result = (ResultCode: unknown, CheckoutRequestID = id): string =>
  JSON.stringify({ ResponseCode: '0', CheckoutRequestID, ResultCode, ResultDesc: 'as it was' })
const failure = (errorCode: string, errorMessage: string): string => JSON.stringify({ errorCode, errorMessage })

test.each([
  [200, result('0'), 'settled'],
  [200, result(0), 'settled'],
  [200, result('1032'), 'settled'],
  [200, result('SFC_IC0003'), 'settled'],
  [200, result('4999'), 'in-progress'],
  [500, failure('500.001.1001', 'The transaction is being processed'), 'in-progress'],
  [400, failure('400.002.02', 'Bad Request - Invalid CheckoutRequestID'), 'in-progress'],
  [200, result('31337'), 'indeterminate'],
  [200, result('00'), 'indeterminate'],
  [200, result(undefined), 'indeterminate'],
  [200, result('0', 'ws_CO_of_somebody_else'), 'indeterminate'],
  [200, '<html></html>', 'indeterminate'],
  [500, failure('500.001.1001', 'Internal Server Error'), 'indeterminate'],
  [
    429,
    '{"fault":{"faultstring":"Spike arrest violation","detail":{"errorcode":"policies.ratelimit.SpikeArrestViolation"}}}',
    'indeterminate',
  ],
  [403, '<html>Incapsula</html>', 'indeterminate'],
])('HTTP %i %s is %s', (httpStatus, body, outcome) => {
  expect(classifyQueryAnswer({ httpStatus, body }, id).outcome).toBe(outcome)
})

test.each([
  [
    429,
    '{"fault":{"faultstring":"Spike arrest","detail":{"errorcode":"policies.ratelimit.SpikeArrestViolation"}}}',
    'throttled',
  ],
  [429, '', 'throttled'],
  [500, failure('500.003.02', 'System is busy. Please try again in few minutes.'), 'throttled'],
  [500, failure('500.003.02', 'Error Occurred: Spike Arrest Violation'), 'throttled'],
  [500, failure('500.003.03', 'Quota Violation'), 'throttled'],
  [403, '<html><iframe src="/_Incapsula_Resource"></iframe></html>', 'throttled'],
  [503, 'Request unsuccessful. Incapsula incident ID: 1', 'throttled'],
  [200, result('31337'), 'unclear'],
  [200, result('1e0'), 'unclear'],
  [200, result(null), 'unclear'],
  [200, result('0', 'ws_CO_of_somebody_else'), 'unanswered'],
  [200, '<html></html>', 'unanswered'],
  [500, '<html></html>', 'unanswered'],
  [500, '', 'unanswered'],
  [503, '<html>Service Unavailable</html>', 'unanswered'],
  [500, failure('500.001.1001', 'Wrong credentials'), 'unanswered'],
  [404, failure('404.001.03', 'Invalid Access Token'), 'unanswered'],
])('HTTP %i %s tells nothing: %s', (httpStatus, body, reason) => {
  expect(classifyQueryAnswer({ httpStatus, body }, id, 7_000)).toMatchObject({
    outcome: 'indeterminate',
    reason,
    httpStatus,
    retryAfterMs: 7_000,
  })
})

test.each([
  [500, '500.003.02-system-is-busy.json', 'throttled'],
  [500, '500.003.02-spike-arrest.json', 'throttled'],
  [500, '500.003.03-quota-violation.json', 'throttled'],
  [429, 'apigee-spike-arrest.json', 'throttled'],
  [429, 'apigee-quota.json', 'throttled'],
  [403, 'incapsula-403.html', 'throttled'],
  [503, 'incapsula-503.html', 'throttled'],
  [200, 'html-200.html', 'unanswered'],
  [400, 'empty-400.txt', 'unanswered'],
  [500, '500.001.1001-internal-error.json', 'unanswered'],
])('HTTP %i with the recorded body %s tells nothing: %s', (httpStatus, name, reason) => {
  const path = new URL(`../../../../../fixtures/daraja/errors/${name}`, import.meta.url)
  const answer = classifyQueryAnswer({ httpStatus, body: readFileSync(path, 'utf8') }, id)
  expect(answer).toMatchObject({ outcome: 'indeterminate', reason })
})

test('settles on nothing but a final code that the catalogue knows, about this very push', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 100, max: 599 }),
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.string().map(code => result(code)),
      ),
      (httpStatus, body) => {
        const answer = classifyQueryAnswer({ httpStatus, body }, id)
        if (answer.outcome === 'settled') expect(answer.resultCode).toMatch(/^[A-Z0-9_]+$/)
      },
    ),
    { numRuns: 500 },
  )
})
