import type { PaymentEvent } from 'mpesa-stk-client'
import { describe, expect, test } from 'vitest'
import { createTillBook, nairobiDay, type TillBook } from './till-book.ts'

const today = '2026-11-24'
let lastId = 0

function event(changes: Partial<PaymentEvent> = {}): PaymentEvent {
  lastId += 1
  return {
    id: `event-${lastId}`,
    type: 'mpesa_callback',
    at: new Date(Date.UTC(2026, 10, 24, 8, 0, lastId % 60)).toISOString(),
    paymentId: 'pay-1',
    status: 'SUCCESS',
    explanation: null,
    contradicts: null,
    ...changes,
  }
}

const pending = (changes: Partial<PaymentEvent> = {}) =>
  event({ type: 'payment.pending', status: 'PENDING', Amount: 500, ...changes })
const settled = (changes: Partial<PaymentEvent> = {}) =>
  event({ type: 'payment.settled', Amount: 500, MpesaReceiptNumber: 'UKO1A2B3C4', ...changes })
const callback = (changes: Partial<PaymentEvent> = {}) =>
  event({ kind: 'stk', Amount: 500, MpesaReceiptNumber: 'UKO1A2B3C4', ResultCode: '0', ...changes })

function read(...events: readonly PaymentEvent[]): TillBook {
  const book = createTillBook()
  for (const each of events) book.take(each, false)
  return book
}

describe('a payment is one row', () => {
  test('from the prompt over the callback to the word of the shop', () => {
    const book = createTillBook()
    const states = [pending(), callback(), settled()].map(each => book.take(each, false)?.state)
    expect(states).toEqual(['waiting', 'says-paid', 'paid'])
    expect(book.day(today)).toMatchObject({ rows: [{ key: 1 }], paidShillings: 500, counts: { paid: 1, waiting: 0 } })
  })

  test('when its callback came first, under another name', () => {
    const first = callback({ paymentId: 'h_opaque' })
    const report = pending({ formerPaymentId: 'h_opaque' })
    const { rows } = read(first, report, settled()).day(today)
    expect(rows).toMatchObject([{ key: 1, state: 'paid', view: { receipt: 'UKO1A2B3C4' } }])
  })

  test('when both rows were there before the report joined them', () => {
    const book = read(callback({ paymentId: 'h_opaque', MpesaReceiptNumber: 'UKO1A2B3C4' }), pending())
    expect(book.day(today).rows).toHaveLength(2)
    book.take(pending({ formerPaymentId: 'h_opaque' }), false)
    expect(book.day(today).rows).toMatchObject([{ key: 1, state: 'says-paid' }])
  })

  test('when Safaricom tells of it as STK and as C2B, in either order', () => {
    const c2b = (): PaymentEvent => callback({ paymentId: 'h_c2b', kind: 'c2b' })
    for (const events of [
      [pending(), c2b(), callback(), settled()],
      [pending(), callback(), settled(), c2b()],
    ]) {
      const day = read(...events).day(today)
      expect(day).toMatchObject({ rows: [{ state: 'paid' }], paidShillings: 500, counts: { paid: 1 } })
    }
  })

  test('but two payments of the shop are two, though one receipt is posted for both', () => {
    const day = read(settled(), pending({ paymentId: 'pay-2' }), callback({ paymentId: 'pay-2' })).day(today)
    expect(day).toMatchObject({ rows: [{ state: 'says-paid' }, { state: 'paid' }], paidShillings: 500 })
  })

  test('and a copy of an event is nothing', () => {
    const one = settled()
    const book = read(one)
    expect(book.take(one, true)).toBeNull()
    expect(book.day(today)).toMatchObject({ paidShillings: 500, missed: 0 })
  })
})

describe('what a cashier may go by', () => {
  test.each<[string, PaymentEvent[], string, string]>([
    ['a callback alone is not the shop’s word', [pending(), callback()], 'says-paid', 'waiting'],
    [
      'nor is a failure that anybody may have posted',
      [pending(), callback({ status: 'FAILED' })],
      'says-not',
      'waiting',
    ],
    ['a customer paid to the till', [callback({ paymentId: 'h_c2b', kind: 'c2b' })], 'till', 'paid'],
    ['the prompt was cancelled', [pending(), settled({ status: 'CANCELLED' })], 'failed', 'failed'],
    ['nobody answered', [pending(), settled({ status: 'TIMEOUT' })], 'none', 'unsure'],
    ['a success after that', [settled({ status: 'TIMEOUT' }), settled()], 'paid', 'paid'],
  ])('%s', (_what, events, state, group) => {
    expect(read(...events).day(today).rows).toMatchObject([{ state, group }])
  })

  test('nobody knows is counted apart, and not as not paid', () => {
    const day = read(pending(), settled({ status: 'TIMEOUT' })).day(today)
    expect(day.counts).toEqual({ paid: 0, waiting: 0, unsure: 1, failed: 0 })
    expect(day.paidShillings).toBe(0)
  })

  test('two accounts that differ are marked, and the word of the shop stands', () => {
    const book = read(pending(), callback({ status: 'FAILED' }), settled())
    expect(book.day(today).rows).toMatchObject([{ state: 'paid', view: { contradicted: true } }])
  })
})

describe('the day', () => {
  test('is Nairobi’s: it begins at nine in the evening of Greenwich', () => {
    expect(nairobiDay('2026-11-24T20:59:59Z')).toBe('2026-11-24')
    expect(nairobiDay('2026-11-24T21:00:00Z')).toBe('2026-11-25')
    const book = read(
      settled({ paymentId: 'a', MpesaReceiptNumber: 'UKO1A2B3C1', at: '2026-11-23T20:00:00Z' }),
      settled({ paymentId: 'b', MpesaReceiptNumber: 'UKO1A2B3C2', at: '2026-11-23T22:00:00Z' }),
    )
    expect(book.day(today)).toMatchObject({ rows: [{ view: { paymentId: 'b' } }], paidShillings: 500 })
  })

  test('has the newest payment first, and news of an old one leaves it where it is', () => {
    const names = (book: TillBook) => book.day(today).rows.map(({ view }) => view.paymentId)
    const book = read(
      pending({ paymentId: 'old', at: `${today}T08:00:00Z` }),
      pending({ paymentId: 'new', at: `${today}T08:01:00Z` }),
    )
    expect(names(book)).toEqual(['new', 'old'])
    book.take(settled({ paymentId: 'old', at: `${today}T08:02:00Z` }), false)
    expect(names(book)).toEqual(['new', 'old'])
  })

  test('marks what came while the screen was cut off, until somebody has looked', () => {
    const book = read(pending())
    book.take(settled(), true)
    expect(book.day(today)).toMatchObject({ rows: [{ isMissed: true }], missed: 1 })
    book.markSeen()
    expect(book.day(today).missed).toBe(0)
    book.take(callback(), false)
    expect(book.day(today).missed).toBe(0)
  })

  test('that is over is let go of', () => {
    const book = read(
      settled({ at: '2026-11-22T08:00:00Z' }),
      pending({ paymentId: 'pay-2', at: `${today}T08:00:00Z` }),
    )
    book.forgetBefore(today)
    expect(book.day('2026-11-22').rows).toEqual([])
    expect(book.day(today).rows).toHaveLength(1)
  })
})
