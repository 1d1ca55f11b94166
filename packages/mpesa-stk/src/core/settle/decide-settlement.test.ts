import { describe, expect, test } from 'vitest'
import { MemoryAdapter } from '../../adapters/memory.ts'
import { accepted, commit, reserve, step } from '../../conformance/samples.ts'
import { type PaymentStatus, paymentStatuses } from '../payment/payment.ts'
import type { PaymentRecord } from '../ports.ts'
import { type Claim, claimOfQuery, claimOfWaiting } from './claim.ts'
import { decideSettlement, type SettlementMark } from './decide-settlement.ts'

const mark: SettlementMark = {
  entryId: 'e1',
  at: new Date('2026-04-03T10:01:00Z'),
  fingerprint: value => `hash of ${value}`,
}

const byPerson: Claim = {
  ...claimOfWaiting(0),
  cause: 'operator',
  status: 'SUCCESS',
  receipt: 'UHH0AB12CD',
  amount: 500,
  weight: 'claims',
  evidence: { by: 'user-17' },
}

async function standing(status: PaymentStatus): Promise<PaymentRecord> {
  const record = await accepted(new MemoryAdapter())
  return { ...record, payment: record.payment && { ...record.payment, status } }
}

describe('the end of waiting', () => {
  test('settles what is pending as TIMEOUT, without a code', async () => {
    const decision = decideSettlement(await standing('PENDING'), claimOfWaiting(10), mark)
    expect(decision).toMatchObject({
      decision: 'move',
      transition: {
        payment: { status: 'TIMEOUT', resultCode: null, resultCodeText: null },
        entry: { event: 'payment.settled', cause: 'poll', evidence: { answers: 10 } },
      },
    })
  })

  test.each(paymentStatuses.filter(status => status !== 'PENDING'))(
    'gives way to %s, which somebody told meanwhile: it is no account that could contradict',
    async status => {
      expect(decideSettlement(await standing(status), claimOfWaiting(10), mark)).toEqual({ decision: 'repeat' })
    },
  )
})

describe('an answer to a query', () => {
  test('settles without naming an amount or a receipt', async () => {
    const claim = claimOfQuery('0', 'done', 2)
    const decision = decideSettlement(await standing('PENDING'), claim ?? byPerson, mark)
    expect(decision).toMatchObject({
      decision: 'move',
      transition: {
        payment: { status: 'SUCCESS', resultCodeText: '0', mpesaReceiptNumber: null },
        entry: { cause: 'poll', evidence: { resultCode: '0', answers: 2 } },
      },
    })
  })
})

describe('a person', () => {
  test('who names another amount is contradicted', async () => {
    const decision = decideSettlement(await standing('PENDING'), { ...byPerson, amount: 499 }, mark)
    expect(decision).toEqual({ decision: 'contradict', reason: 'amount-differs' })
  })

  test('changes what is settled only by overruling, and that is a correction', async () => {
    const failed = await standing('FAILED')
    expect(decideSettlement(failed, byPerson, mark)).toEqual({ decision: 'contradict', reason: 'other-status' })
    expect(decideSettlement(failed, { ...byPerson, weight: 'overrules' }, mark)).toMatchObject({
      decision: 'move',
      transition: { payment: { status: 'SUCCESS' }, entry: { event: 'payment.corrected', cause: 'operator' } },
    })
  })

  test('settles a push whose ids nobody knows, and the id of a callback that comes later takes their place', async () => {
    const store = new MemoryAdapter()
    const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
    const unknown = await commit(store, step(sent, { state: 'unknown' }))
    const decision = decideSettlement(unknown, { ...byPerson, receipt: null }, mark)
    if (decision.decision !== 'move') throw new Error(`expected a move, got ${decision.decision}`)
    const { initiation, payment } = decision.transition
    expect(initiation.state).toBe('accepted')
    expect(payment?.checkoutRequestId).toBe(`unknown:${initiation.paymentId}`)
    const callback: Claim = { ...byPerson, cause: 'callback', checkoutRequestId: 'ws_CO_true', needsAmount: true }
    expect(decideSettlement({ initiation, payment }, callback, mark)).toMatchObject({
      decision: 'move',
      transition: { payment: { checkoutRequestId: 'ws_CO_true', mpesaReceiptNumber: 'UHH0AB12CD' } },
    })
  })
})
