import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import type { LogEntry } from '../deliver/event-log.ts'
import type { EventKind } from '../deliver/relay-event.ts'
import { classifyCallback } from '../receive/classify-callback.ts'
import type { PaymentReport } from './payment-report.ts'
import { projectEntry } from './project-event.ts'
import type { StreamScope } from './stream-event.ts'
import type { StreamEntry } from './stream-storage.ts'

const fixtures = new URL('../../../../../fixtures/daraja/', import.meta.url)
const bodyOf = (name: string): Buffer => readFileSync(new URL(name, fixtures))
const scopes: readonly StreamScope[] = ['browser', 'old', 'server', 'server-with-phone']

function entryOf(kind: EventKind, body: Uint8Array, businessKey = 'ws_CO_270720231011020123'): LogEntry {
  const event = {
    id: 'event-1',
    appId: 'app',
    kind,
    businessKey,
    result: '0',
    checkoutRequestId: businessKey,
    callbackToken: null,
    contradicts: null,
    copies: 1,
    receivedAt: new Date('2026-11-24T08:00:00Z'),
    status: 'PENDING',
    attemptCount: 0,
    deliveredAt: null,
    dueAt: null,
    lastError: null,
  } as const
  return { position: 1, event, body }
}

function project(entry: LogEntry, scope: StreamScope, more: Partial<StreamEntry> = {}) {
  return projectEntry({ ...entry, paymentId: null, earlier: [], ...more }, scope, 'alias key')
}

const report: PaymentReport = {
  type: 'payment.pending',
  paymentId: 'pay-1',
  checkoutRequestId: 'ws_CO_270720231011020123',
  status: 'PENDING',
  amount: 500,
  receipt: null,
  resultCode: null,
}
const reported = (changes: Partial<PaymentReport> = {}): LogEntry =>
  entryOf('lifecycle', Buffer.from(JSON.stringify({ ...report, ...changes })), 'pay-1')

test('a paid callback is what a page needs, and nothing of the customer', () => {
  expect(project(entryOf('stk', bodyOf('stk-callback/result-0.json')), 'browser')).toEqual([
    {
      id: 'event-1',
      type: 'mpesa_callback',
      kind: 'stk',
      at: '2026-11-24T08:00:00.000Z',
      paymentId: expect.stringMatching(/^h_[\w-]{27}$/),
      status: 'SUCCESS',
      explanation: null,
      contradicts: null,
      ResultCode: '0',
      ResultDesc: expect.any(String),
      Amount: expect.any(Number),
      MpesaReceiptNumber: expect.stringMatching(/^[A-Z0-9]{10}$/),
      TransactionDate: expect.stringMatching(/^\d{14}$/),
    },
  ])
})

describe.each(['stk-callback', 'c2b', 'result', 'ratiba', 'b2b-express'])('every fixture of %s', folder => {
  const files = readdirSync(new URL(`${folder}/`, fixtures)).map(name => `${folder}/${name}`)
  const bodies = files.map(file => ({ file, body: bodyOf(file), found: classifyCallback(bodyOf(file)) }))

  test.each(bodies.filter(({ found }) => found.kind !== 'unrecognised'))('$file shows no page a number', each => {
    const { body, found } = each
    if (found.kind === 'unrecognised') throw new Error('filtered out above')
    const [event, ...more] = project(entryOf(found.kind, body, found.businessKey), 'browser')
    expect(more).toEqual([])
    // Money that the merchant pays out is not for pages.
    expect(event !== undefined).toBe(found.kind === 'stk' || found.kind === 'c2b')
    const text = JSON.stringify(event ?? '')
    expect(text).not.toMatch(/PhoneNumber|MSISDN|RequestID|ws_CO_|FirstName|JOHN/)
    expect(text.replaceAll(/"TransactionDate":"[^"]*"/g, '')).not.toMatch(/(?<!\d)(?:254|0)[17]\d{8}(?!\d)/)
  })
})

test('a failure is explained to the customer in both languages, and not to him what the operator should do', () => {
  const [event] = project(entryOf('stk', bodyOf('stk-callback/result-1032.json')), 'browser')
  expect(event).toMatchObject({ status: 'CANCELLED', ResultCode: '1032', explanation: { code: '1032' } })
  expect(Object.keys(event?.explanation ?? {}).sort()).toEqual(['category', 'code', 'customer', 'retryable'])
  expect(event?.explanation?.customer).toEqual({ en: expect.any(String), sw: expect.any(String) })
})

test('a callback that says it is still being worked on is pending', () => {
  expect(project(entryOf('stk', bodyOf('stk-callback/result-4999.json')), 'browser')).toMatchObject([
    { status: 'PENDING', explanation: null },
  ])
})

test.each([
  ['browser', []],
  ['old', ['MerchantRequestID']],
  ['server', ['CheckoutRequestID', 'MerchantRequestID']],
  ['server-with-phone', ['CheckoutRequestID', 'MerchantRequestID', 'PhoneNumber']],
] as const)('%s is told of the customer %j', (scope, names) => {
  const [event] = project(entryOf('stk', bodyOf('stk-callback/result-0.json')), scope)
  const private_ = ['CheckoutRequestID', 'MerchantRequestID', 'PhoneNumber']
  expect(Object.keys(event ?? {}).filter(name => private_.includes(name))).toEqual(names)
})

test('a payment that was reported has the name that the library gave it', () => {
  const [event] = project(entryOf('stk', bodyOf('stk-callback/result-0.json')), 'browser', { paymentId: 'pay-1' })
  expect(event?.paymentId).toBe('pay-1')
})

test('a report that came after its callback is followed by that, and tells the name that it had', () => {
  const callback = entryOf('stk', bodyOf('stk-callback/result-0.json'))
  const [alone] = project(callback, 'browser')
  const events = project(reported(), 'browser', { paymentId: 'pay-1', earlier: [callback] })
  expect(events).toMatchObject([
    { type: 'payment.pending', status: 'PENDING', paymentId: 'pay-1', formerPaymentId: alone?.paymentId },
    { type: 'mpesa_callback', status: 'SUCCESS', paymentId: 'pay-1' },
  ])
  expect(JSON.stringify(events)).not.toContain('ws_CO_')
})

test('a payment that was settled without a callback is explained as well', () => {
  const settled = { type: 'payment.settled', status: 'TIMEOUT', checkoutRequestId: null } as const
  expect(project(reported(settled), 'browser')).toMatchObject([
    { status: 'TIMEOUT', explanation: { code: 'NO_FINAL_ANSWER' } },
  ])
})

test('names differ by key and by payment, and do not tell the CheckoutRequestID', () => {
  const nameOf = (key: string, businessKey: string): string | undefined => {
    const entry = { ...entryOf('stk', bodyOf('stk-callback/result-0.json'), businessKey), paymentId: null, earlier: [] }
    return projectEntry(entry, 'browser', key)[0]?.paymentId
  }
  const names = [nameOf('one', 'ws_CO_1'), nameOf('other', 'ws_CO_1'), nameOf('one', 'ws_CO_2')]
  expect(new Set(names).size).toBe(3)
  expect(nameOf('one', 'ws_CO_1')).toBe(names[0])
})

test.each([
  ['no JSON', Buffer.from('{')],
  ['no body any more', Buffer.alloc(0)],
  [
    'hostile metadata',
    Buffer.from(
      '{"Body":{"stkCallback":{"ResultCode":0,"CheckoutRequestID":"x","ResultDesc":"<b>0712345678</b>","CallbackMetadata":{"Item":[{"Name":"Amount","Value":"1e9"},{"Name":"MpesaReceiptNumber","Value":"<script>"},{"Name":"TransactionDate","Value":{"a":1}}]}}}}',
    ),
  ],
] as const)('a body that is %s breaks nothing', (_what, body) => {
  for (const scope of scopes) {
    const text = JSON.stringify(project(entryOf('stk', body), scope))
    expect(text).not.toMatch(/script|0712345678|1e9/)
  }
})
