import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPaymentView, type PaymentEvent, type PaymentStatus, type PaymentView, reducePayment } from './index.ts'

const statuses: readonly PaymentStatus[] = ['PENDING', 'SUCCESS', 'FAILED', 'CANCELLED', 'TIMEOUT', 'EXPIRED']
const event = (fields: Partial<PaymentEvent>): PaymentEvent => ({
  id: 'e',
  type: 'mpesa_callback',
  at: '2026-11-24T08:00:00.000Z',
  paymentId: 'a',
  status: 'SUCCESS',
  explanation: null,
  contradicts: null,
  ...fields,
})
const callback = (status: PaymentStatus, fields: Partial<PaymentEvent> = {}) => event({ status, ...fields })
const settled = (status: PaymentStatus, fields: Partial<PaymentEvent> = {}) =>
  event({ type: 'payment.settled', status, ...fields })
const view = (...events: PaymentEvent[]): PaymentView => events.reduce(reducePayment, createPaymentView('a'))

const anyEvent = fc
  .record({
    type: fc.constantFrom('mpesa_callback' as const, 'payment.pending' as const, 'payment.settled' as const),
    status: fc.constantFrom(...statuses),
    Amount: fc.nat(),
    MpesaReceiptNumber: fc.string(),
  })
  .map(fields => event(fields.type === 'payment.pending' ? { ...fields, status: 'PENDING' } : fields))

test('a payment as it should go', () => {
  const pending = view(event({ type: 'payment.pending', status: 'PENDING', Amount: 500 }))
  expect(pending).toMatchObject({ status: 'PENDING', amount: 500, receipt: null, isConfirmed: false })
  const called = reducePayment(pending, callback('SUCCESS', { MpesaReceiptNumber: 'NLJ7RT61SV' }))
  expect(called).toMatchObject({ status: 'SUCCESS', receipt: 'NLJ7RT61SV', amount: 500, isConfirmed: false })
  expect(reducePayment(called, settled('SUCCESS'))).toEqual({
    paymentId: 'a',
    status: 'SUCCESS',
    receipt: 'NLJ7RT61SV',
    amount: 500,
    isConfirmed: true,
    contradicted: false,
    explanation: null,
    lastEventAt: '2026-11-24T08:00:00.000Z',
  })
})

test('the end of waiting is corrected by what comes later', () => {
  expect(view(callback('TIMEOUT'), callback('SUCCESS'))).toMatchObject({ status: 'SUCCESS', contradicted: false })
  expect(view(settled('TIMEOUT'), callback('SUCCESS'))).toMatchObject({ status: 'SUCCESS', isConfirmed: false })
  expect(view(settled('TIMEOUT'), settled('SUCCESS'))).toMatchObject({ status: 'SUCCESS', isConfirmed: true })
  expect(view(callback('SUCCESS'), callback('TIMEOUT'))).toMatchObject({ status: 'SUCCESS', contradicted: false })
})

test("the server's word outranks a callback's, whichever comes first", () => {
  const forged = callback('SUCCESS', { MpesaReceiptNumber: 'FORGED' })
  expect(view(forged, settled('FAILED'))).toMatchObject({
    status: 'FAILED',
    receipt: null,
    isConfirmed: true,
    contradicted: true,
  })
  expect(view(settled('FAILED'), forged)).toMatchObject({
    status: 'FAILED',
    receipt: null,
    isConfirmed: true,
    contradicted: true,
  })
})

test('no callback turns a success back: it is kept as a contradiction', () => {
  fc.assert(
    fc.property(fc.array(anyEvent), events => {
      let before = view(callback('SUCCESS', { MpesaReceiptNumber: 'TRUE' }))
      for (const next of events.filter(({ type }) => type !== 'payment.settled')) {
        const after = reducePayment(before, next)
        expect(after.status).toBe('SUCCESS')
        const says = next.type === 'mpesa_callback' && !['SUCCESS', 'PENDING', 'TIMEOUT'].includes(next.status)
        if (says) expect(after).toMatchObject({ contradicted: true, receipt: before.receipt })
        before = after
      }
    }),
  )
})

test('an event that comes twice in a row changes nothing the second time', () => {
  fc.assert(
    fc.property(fc.array(anyEvent), anyEvent, (events, last) => {
      const once = reducePayment(view(...events), last)
      expect(reducePayment(once, last)).toEqual(once)
    }),
  )
})

test('it is never PENDING again, and a contradiction is never forgotten', () => {
  fc.assert(
    fc.property(fc.array(anyEvent), anyEvent, (events, last) => {
      const before = view(...events)
      const after = reducePayment(before, last)
      if (before.status !== 'PENDING') expect(after.status).not.toBe('PENDING')
      if (before.contradicted) expect(after.contradicted).toBe(true)
    }),
  )
})

test("the relay's word that two events disagree counts as well", () => {
  expect(view(callback('SUCCESS', { contradicts: 'x' }))).toMatchObject({ status: 'SUCCESS', contradicted: true })
})
