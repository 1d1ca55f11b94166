import { describe, expect, test } from 'vitest'
import { MemoryAdapter } from '../../adapters/memory.ts'
import { accepted, commit, reserve, step } from '../../conformance/samples.ts'
import { initiationMoves } from '../initiate/initiation.ts'
import { paymentStatuses, type SettledStatus } from '../payment/payment.ts'
import type { PaymentRecord } from '../ports.ts'
import { settlementTable } from '../settle/settlement-table.ts'
import { type Arrival, type CallbackDecision, decideCallback } from './decide-callback.ts'
import type { StkCallback } from './parse-callback.ts'

const at = new Date('2026-04-03T10:01:00Z')
const arrival: Arrival = {
  entryId: 'e1',
  tokenHash: null,
  at,
  digest: 'd1',
  fingerprint: value => `hash of ${value}`,
  confirmSuccess: 'never',
}

const codeOf: Record<SettledStatus, string> = {
  SUCCESS: '0',
  FAILED: '1',
  CANCELLED: '1032',
  TIMEOUT: '1037',
  EXPIRED: '1019',
}

function callbackFor(record: PaymentRecord, changes: Partial<StkCallback> = {}): StkCallback {
  return {
    kind: 'stk',
    checkoutRequestId: record.payment?.checkoutRequestId ?? 'ws_CO_new',
    merchantRequestId: record.payment?.merchantRequestId ?? 'merchant-new',
    resultCode: '0',
    resultDesc: 'done',
    amount: 500.0,
    receipt: 'UHH0AB12CD',
    ...changes,
  }
}

async function pending(): Promise<PaymentRecord> {
  return accepted(new MemoryAdapter())
}

function moveOf(decision: CallbackDecision) {
  if (decision.decision !== 'move') throw new Error(`expected a move, got ${decision.decision}`)
  return decision.transition
}

describe('the settlement table', () => {
  test.each(
    paymentStatuses.flatMap(from =>
      Object.entries(settlementTable[from]).map(([to, effect]) => ({ from, to: to as SettledStatus, effect })),
    ),
  )('$from, and a callback says $to: $effect', async ({ from, to, effect }) => {
    const record = await pending()
    const standing = record.payment && {
      ...record.payment,
      status: from,
      mpesaReceiptNumber: from === 'SUCCESS' ? 'UHH0AB12CD' : null,
    }
    const decision = decideCallback(
      { ...record, payment: standing },
      callbackFor(record, { resultCode: codeOf[to] }),
      arrival,
    )
    if (effect === 'settle' || effect === 'correct') {
      const { payment, entry } = moveOf(decision)
      expect(payment?.status).toBe(to)
      expect(entry).toMatchObject({
        event: effect === 'settle' ? 'payment.settled' : 'payment.corrected',
        before: from,
        after: to,
        evidence: { resultCode: codeOf[to], callback: 'd1' },
      })
    } else {
      expect(decision.decision).toBe(effect)
    }
  })
})

describe('a success', () => {
  test.each([
    ['the exact amount', 500, 'move'],
    ['the amount as a decimal text', '500.00', 'move'],
    ['another amount', 499, 'amount-differs'],
    ['a fraction more', 500.5, 'amount-differs'],
    ['no amount', undefined, 'amount-missing'],
  ])('with %s is a %3$s', async (_what, amount, expected) => {
    const record = await pending()
    const decision = decideCallback(record, callbackFor(record, { amount }), arrival)
    expect(decision.decision === 'contradict' ? decision.reason : decision.decision).toBe(expected)
  })

  test('keeps receipt, code and time, and never the phone number of the callback', async () => {
    const record = await pending()
    const { payment } = moveOf(decideCallback(record, callbackFor(record), arrival))
    expect(payment).toMatchObject({
      mpesaReceiptNumber: 'UHH0AB12CD',
      failureReason: null,
      resultCode: 0,
      resultCodeText: '0',
      completedAt: at,
      phoneNumber: record.initiation.phoneNumber,
      version: 2,
    })
  })

  test('that brings a missing receipt adds it, and one with another receipt contradicts', async () => {
    const record = await pending()
    const first = moveOf(decideCallback(record, callbackFor(record, { receipt: null }), arrival))
    const settled = { initiation: first.initiation, payment: first.payment }
    const second = moveOf(decideCallback(settled, callbackFor(record), arrival))
    expect(second.entry.event).toBe('payment.receipt-added')
    expect(second.payment).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD', version: 3 })
    const third = decideCallback(
      { ...settled, payment: second.payment },
      callbackFor(record, { receipt: 'UHH0ZZ99ZZ' }),
      arrival,
    )
    expect(third).toEqual({ decision: 'contradict', reason: 'receipt-differs' })
  })
})

describe('a failure', () => {
  test('keeps an alphanumeric code as text and the reason in words', async () => {
    const record = await pending()
    const callback = callbackFor(record, {
      resultCode: 'SFC_IC0003',
      resultDesc: 'The operator does not exist.',
      amount: undefined,
    })
    expect(moveOf(decideCallback(record, callback, arrival)).payment).toMatchObject({
      status: 'FAILED',
      resultCode: null,
      resultCodeText: 'SFC_IC0003',
      failureReason: 'The operator does not exist.',
      mpesaReceiptNumber: null,
    })
  })

  test('that says "still processing" settles nothing', async () => {
    const record = await pending()
    expect(decideCallback(record, callbackFor(record, { resultCode: '4999' }), arrival)).toEqual({
      decision: 'in-progress',
    })
  })
})

test('a second failure with another code is a contradiction, not a repeat', async () => {
  const record = await pending()
  const first = moveOf(decideCallback(record, callbackFor(record, { resultCode: '1' }), arrival))
  const settled = { initiation: first.initiation, payment: first.payment }
  expect(decideCallback(settled, callbackFor(record, { resultCode: '1' }), arrival)).toEqual({ decision: 'repeat' })
  const other = decideCallback(settled, callbackFor(record, { resultCode: '2001' }), arrival)
  expect(other).toEqual({ decision: 'contradict', reason: 'other-result-code' })
})

describe('whose callback it is', () => {
  test('a payment pushed with a token listens to no callback without it, or with another', async () => {
    const record = await pending()
    const guarded = { ...record, initiation: { ...record.initiation, tokenHash: 'right' } }
    expect(decideCallback(guarded, callbackFor(record), arrival)).toEqual({
      decision: 'refuse',
      reason: 'token-missing',
    })
    const wrong = decideCallback(guarded, callbackFor(record), { ...arrival, tokenHash: 'wrong' })
    expect(wrong).toEqual({ decision: 'refuse', reason: 'token-wrong' })
    const right = decideCallback(guarded, callbackFor(record), { ...arrival, tokenHash: 'right' })
    expect(moveOf(right).payment?.status).toBe('SUCCESS')
  })

  test('another CheckoutRequestID than the payment has is a contradiction', async () => {
    const record = await pending()
    const decision = decideCallback(record, callbackFor(record, { checkoutRequestId: 'ws_CO_other' }), arrival)
    expect(decision).toEqual({ decision: 'contradict', reason: 'other-checkout-request-id' })
  })

  test('a callback without CheckoutRequestID is taken by its MerchantRequestID', async () => {
    const record = await pending()
    const decision = decideCallback(record, callbackFor(record, { checkoutRequestId: null }), arrival)
    expect(moveOf(decision).payment?.checkoutRequestId).toBe(record.payment?.checkoutRequestId)
  })
})

describe('a push whose outcome is not known', () => {
  test.each(['sent', 'unknown'] as const)('is proven accepted by its callback while %s', async state => {
    const store = new MemoryAdapter()
    const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
    const record = { ...sent, initiation: { ...sent.initiation, state, answerCode: 'ANSWER_LOST' } }
    const transition = moveOf(decideCallback(record, callbackFor(record), arrival))
    expect(transition.expected).toEqual({ initiationState: state, paymentVersion: null })
    expect(initiationMoves[state]).toContain('accepted')
    expect(transition.initiation).toMatchObject({ state: 'accepted', answerCode: null })
    expect(transition.payment).toMatchObject({ status: 'SUCCESS', checkoutRequestId: 'ws_CO_new' })
    expect(transition.entry).toMatchObject({ before: null, after: 'SUCCESS', evidence: { initiationWas: state } })
  })

  test('that Daraja proved to have refused believes no callback', async () => {
    const record = await reserve(new MemoryAdapter())
    const refused = { ...record, initiation: { ...record.initiation, state: 'refused' as const } }
    expect(decideCallback(refused, callbackFor(record), arrival)).toEqual({
      decision: 'contradict',
      reason: 'push-was-refused',
    })
  })
})
