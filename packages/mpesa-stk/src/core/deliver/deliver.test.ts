import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { askCircuit, beginProbe, type Circuit, closedCircuit, noteAttempt } from './circuit.ts'
import { type AttemptAnswer, judgeAttempt } from './judge-attempt.ts'
import { mergeCopies } from './merge-copies.ts'
import { prepareDelivery } from './prepare-delivery.ts'
import type { NewRelayEvent } from './relay-event.ts'
import { documentedScheduleMs, pauseAfter, readRetryAfter } from './retry-schedule.ts'
import { signBody, signStandardWebhook, standardWebhooksSecret, verifySignature } from './sign.ts'

const at = new Date('2026-04-03T10:00:00.000Z')
const secrets = { signingSecret: 'new-secret', streamSecret: 's', previous: null }
const event = (body: string, changes = {}) => ({
  id: 'event-1',
  body: new TextEncoder().encode(body),
  callbackToken: null,
  traceParent: null,
  contradicts: null,
  ...changes,
})
const answered = (httpStatus: number, retryAfterMs: number | null = null): AttemptAnswer => ({
  outcome: 'answered',
  httpStatus,
  retryAfterMs,
  head: '',
})

describe('signatures', () => {
  test('are those of the document: sha256= and the hex HMAC, keyed with the secret’s own characters', () => {
    // Made by: printf '{"a":1}' | openssl dgst -sha256 -hmac a3f9b2c1
    expect(signBody('{"a":1}', 'a3f9b2c1')).toBe(
      'sha256=6164045fbc84fb698781e8af726c7e08fc2553c37cf8b7793b2d22f5964e02a3',
    )
    expect(verifySignature('{"a":1}', 'a3f9b2c1', signBody('{"a":1}', 'a3f9b2c1'))).toBe(true)
  })

  test.each<unknown>([undefined, null, '', 'sha256=', 'sha256=00', 17, ['sha256=00'], signBody('{"a":2}', 'secret')])(
    'no other is one: %j',
    signature => {
      expect(verifySignature('{"a":1}', 'secret', signature)).toBe(false)
    },
  )

  test('of Standard Webhooks follow its specification', () => {
    expect(standardWebhooksSecret('secret')).toBe('whsec_c2VjcmV0')
    const message = { eventId: 'msg_1', timestamp: 1_775_210_400, body: '{"a":1}', secret: 'secret' }
    // By hand: the base64 of the HMAC of id, time and body, with dots between, under the bytes behind whsec_.
    const key = Buffer.from('c2VjcmV0', 'base64')
    const digest = createHmac('sha256', key).update('msg_1.1775210400.{"a":1}').digest('base64')
    expect(signStandardWebhook(message)).toBe(`v1,${digest}`)
  })

  test('are two for a while after a rotation, of which either verifies', () => {
    const rotated = { ...secrets, previous: { signingSecret: 'old-secret', untilMs: at.getTime() + 1 } }
    const { headers, body } = prepareDelivery(event('{"a":1}'), { targetUrl: 'https://x.example' }, rotated, at, 'stk')
    for (const secret of ['old-secret', 'new-secret']) {
      expect(verifySignature(body, secret, headers['x-mpesa-signature'])).toBe(true)
    }
    expect(headers['webhook-signature']?.split(' ')).toHaveLength(2)
    const later = new Date(at.getTime() + 1)
    const after = prepareDelivery(event('{"a":1}'), { targetUrl: 'https://x.example' }, rotated, later, 'stk')
    expect(verifySignature(body, 'old-secret', after.headers['x-mpesa-signature'])).toBe(false)
  })
})

test('the body is what JSON.stringify makes of Safaricom’s, whose numbers look otherwise', () => {
  const { body, headers } = prepareDelivery(
    event('{ "Amount" : 1.00, "__proto__": {"a":1} }', { callbackToken: 't', contradicts: 'event-0' }),
    { targetUrl: 'https://x.example' },
    secrets,
    at,
    'stk',
  )
  expect(body).toBe('{"Amount":1,"__proto__":{"a":1}}')
  expect(headers).toMatchObject({
    'x-mpesa-event-id': 'event-1',
    'x-mpesa-kind': 'stk',
    'webhook-id': 'event-1',
    'x-mpesa-timestamp': '1775210400',
    'x-mpesa-callback-token': 't',
    'x-mpesa-contradicts': 'event-0',
  })
})

describe('the schedule', () => {
  test('is the documented one: six attempts, a tenth of jitter either way', () => {
    expect(documentedScheduleMs).toEqual([30_000, 120_000, 600_000, 1_800_000, 7_200_000])
    expect([0, 0.5, 1].map(chance => pauseAfter(1, documentedScheduleMs, null, chance))).toEqual([
      27_000, 30_000, 33_000,
    ])
    expect(pauseAfter(5, documentedScheduleMs, null, 0.5)).toBe(7_200_000)
    expect(pauseAfter(6, documentedScheduleMs, null, 0.5)).toBeNull()
  })

  test('waits for a Retry-After within a day, and never less than its own pause', () => {
    expect(pauseAfter(1, documentedScheduleMs, 60_000, 0.5)).toBe(60_000)
    expect(pauseAfter(1, documentedScheduleMs, 1_000, 0.5)).toBe(30_000)
    expect(pauseAfter(1, documentedScheduleMs, 10 ** 12, 0.5)).toBe(86_400_000)
  })

  test.each([
    ['120', 120_000],
    ['Fri, 03 Apr 2026 10:00:30 GMT', 30_000],
    ['Fri, 03 Apr 2020 10:00:30 GMT', 0],
    ['soon', null],
    ['-5', null],
    [null, null],
  ])('a Retry-After of %j is %j ms', (value, ms) => {
    expect(readRetryAfter(value, at)).toBe(ms)
  })
})

describe('an attempt', () => {
  test.each([200, 201, 204, 299])('answered %d is a delivery', status => {
    expect(judgeAttempt({ failures: 0 }, answered(status), null, 0.5).outcome).toEqual({ status: 'DELIVERED' })
  })

  test.each([100, 199, 300, 301, 302, 400, 404, 429, 500, 503, 599])('answered %d is none', status => {
    const judged = judgeAttempt({ failures: 0 }, answered(status), null, 0.5)
    expect(judged).toMatchObject({ outcome: { status: 'FAILED', delayMs: 30_000 }, failure: 'http', isGone: false })
  })

  test('answered 410 says that the endpoint is gone', () => {
    expect(judgeAttempt({ failures: 0 }, answered(410), null, 0.5).isGone).toBe(true)
  })

  test('the sixth in vain is the last, by the documented schedule; another by one of the app’s own', () => {
    expect(judgeAttempt({ failures: 5 }, answered(500), null, 0.5).outcome).toEqual({
      status: 'DEAD',
      error: 'HTTP 500',
    })
    expect(judgeAttempt({ failures: 1 }, answered(500), [10], 0.5).outcome).toMatchObject({ status: 'DEAD' })
    expect(judgeAttempt({ failures: 0 }, answered(500), [], 0.5).outcome).toMatchObject({ status: 'DEAD' })
  })

  test('only 429 and 503 may ask to wait', () => {
    expect(judgeAttempt({ failures: 0 }, answered(503, 90_000), null, 0.5).outcome).toMatchObject({ delayMs: 90_000 })
    expect(judgeAttempt({ failures: 0 }, answered(500, 90_000), null, 0.5).outcome).toMatchObject({ delayMs: 30_000 })
  })
})

test('a circuit opens after five failures in a row, lets one probe through, and closes when somebody is there', () => {
  let circuit: Circuit = closedCircuit
  for (let failure = 1; failure <= 4; failure++) circuit = noteAttempt(circuit, false, 0)
  expect(askCircuit(circuit, 0)).toBe('go')
  circuit = noteAttempt(circuit, false, 0)
  expect(askCircuit(circuit, 4_999)).toBe('wait')
  expect(askCircuit(circuit, 5_000)).toBe('probe')
  circuit = beginProbe(circuit)
  expect(askCircuit(circuit, 5_000)).toBe('wait')
  circuit = noteAttempt(circuit, false, 5_000)
  expect(askCircuit(circuit, 14_999)).toBe('wait')
  expect(askCircuit(circuit, 15_000)).toBe('probe')
  expect(askCircuit(noteAttempt(circuit, true, 15_000), 15_000)).toBe('go')
  // Attempts that were under way when it opened tell nothing new.
  for (let failure = 0; failure < 50; failure++) expect(noteAttempt(circuit, false, 6_000)).toBe(circuit)
  for (let probe = 0; probe < 50; probe++) circuit = noteAttempt(beginProbe(circuit), false, 0)
  expect(circuit.openUntilMs).toBe(60_000)
})

test('copies in a batch are one event, and what says otherwise knows the first', () => {
  const came = (id: string, businessKey: string, result: string): NewRelayEvent => ({
    id,
    appId: 'app',
    kind: 'stk',
    businessKey,
    result,
    checkoutRequestId: businessKey,
    body: new Uint8Array(),
    callbackToken: null,
    traceParent: null,
    receivedAt: at,
    copies: 1,
    isHeld: false,
    contradicts: null,
  })
  const { events, places } = mergeCopies([
    came('1', 'b', '0'),
    came('2', 'a', '0'),
    came('3', 'b', '0'),
    came('4', 'b', '1032'),
  ])
  expect(events.map(({ id, copies, contradicts }) => [id, copies, contradicts])).toEqual([
    ['2', 1, null],
    ['1', 2, null],
    ['4', 1, '1'],
  ])
  expect(places).toEqual([
    { index: 1, isFirst: true },
    { index: 0, isFirst: true },
    { index: 1, isFirst: false },
    { index: 2, isFirst: true },
  ])
})
