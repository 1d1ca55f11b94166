import assert from 'node:assert/strict'
import { entryHash } from '../core/audit/trail-chain.ts'
import type { Payment } from '../core/payment/payment.ts'
import type { PaymentRecord } from '../core/ports.ts'
import { accepted, commit, sampleCallback, samplePayment, sampleTime, step, trailOf } from './samples.ts'
import type { StoreCase } from './store-case.ts'

function paid(record: PaymentRecord, receipt: string | null): Payment {
  const standing = record.payment ?? samplePayment(record)
  return {
    ...standing,
    status: 'SUCCESS',
    mpesaReceiptNumber: receipt,
    resultCode: 0,
    resultCodeText: '0',
    completedAt: sampleTime,
    version: standing.version + 1,
  }
}

export const settlementCases: readonly StoreCase[] = [
  {
    name: 'a payment is settled once, however many settle it at once',
    async run(store) {
      const record = await accepted(store)
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, (_, index) =>
          store.commitTransition(step(record, { payment: paid(record, `TD30AAAA${10 + index}`) }, 'payment.settled')),
        ),
      )
      const committed = outcomes.filter(({ outcome }) => outcome === 'committed')
      assert.equal(committed.length, 1)
      const [winner] = committed
      assert(winner?.outcome === 'committed')
      const stored = await store.findPayment({ paymentId: record.initiation.paymentId })
      assert.deepEqual(stored, winner.record)
      const trail = await trailOf(store, record.initiation.paymentId)
      assert.equal(trail.filter(({ event }) => event === 'payment.settled').length, 1)
    },
  },
  {
    name: 'a lost race shows what stands, and writes nothing',
    async run(store) {
      const record = await accepted(store)
      const winner = await commit(store, step(record, { payment: paid(record, 'TD30BBBB01') }, 'payment.settled'))
      const { paymentId } = record.initiation
      const before = await trailOf(store, paymentId)
      const late = await store.commitTransition({
        ...step(record, { payment: paid(record, 'TD30BBBB02') }, 'payment.settled'),
        callback: sampleCallback({ text: 'late', checkoutRequestId: 'late' }),
      })
      assert.deepEqual(late, { outcome: 'conflict', record: winner })
      assert.deepEqual(await trailOf(store, paymentId), before)
      const { isNew } = await store.recordCallback({
        callback: sampleCallback({ text: 'late' }),
        disposition: 'repeat',
        paymentId,
      })
      assert.equal(isNew, true, 'the callback of the lost race must not have been kept')
    },
  },
  {
    name: 'every column of a settled payment comes back as it was stored',
    async run(store) {
      const record = await accepted(store)
      const standing = record.payment ?? samplePayment(record)
      const failed: Payment = {
        ...standing,
        status: 'FAILED',
        failureReason: 'The receiver – “Duka” – does not exist',
        resultCode: null,
        resultCodeText: 'SFC_IC0003',
        completedAt: sampleTime,
        version: 2,
      }
      await commit(store, step(record, { payment: failed }, 'payment.settled'))
      const stored = await store.findPayment({ paymentId: record.initiation.paymentId })
      assert.deepEqual(stored?.payment, failed)
    },
  },
  {
    name: 'a receipt belongs to one payment, and the one that comes second writes nothing',
    async run(store) {
      const first = await accepted(store)
      await commit(store, step(first, { payment: paid(first, 'TD30CCCC01') }, 'payment.settled'))
      const second = await accepted(store)
      const outcome = await store.commitTransition(
        step(second, { payment: paid(second, 'TD30CCCC01') }, 'payment.settled'),
      )
      assert.deepEqual(outcome, { outcome: 'taken', field: 'receipt' })
      assert.deepEqual(await store.findPayment({ paymentId: second.initiation.paymentId }), second)
    },
  },
  {
    name: 'a receipt that is replaced is free again',
    async run(store) {
      const first = await accepted(store)
      const wrong = await commit(store, step(first, { payment: paid(first, 'TD30CCCC02') }, 'payment.settled'))
      const mended = { ...paid(first, 'TD30CCCC03'), version: 3 }
      await commit(store, step(wrong, { payment: mended }, 'payment.corrected'))
      const second = await accepted(store)
      const paidToo = step(second, { payment: paid(second, 'TD30CCCC02') }, 'payment.settled')
      assert.equal((await commit(store, paidToo)).payment?.mpesaReceiptNumber, 'TD30CCCC02')
      const third = await accepted(store)
      const outcome = await store.commitTransition(step(third, { payment: paid(third, 'TD30CCCC03') }))
      assert.deepEqual(outcome, { outcome: 'taken', field: 'receipt' })
    },
  },
  {
    name: 'payments without a receipt do not meet',
    async run(store) {
      for (let count = 0; count < 2; count++) {
        const record = await accepted(store)
        await commit(store, step(record, { payment: paid(record, null) }, 'payment.settled'))
      }
    },
  },
  {
    name: 'the trail counts from one, in order, and keeps the evidence',
    async run(store) {
      const record = await accepted(store)
      const settled = step(record, { payment: paid(record, 'TD30DDDD01') }, 'payment.settled')
      const evidence = { resultCode: '0', token: true, httpStatus: null, copies: 2 }
      await commit(store, { ...settled, entry: { ...settled.entry, before: 'PENDING', after: 'SUCCESS', evidence } })
      const trail = await trailOf(store, record.initiation.paymentId)
      assert.deepEqual(
        trail.map(({ sequence, event }) => [sequence, event]),
        [
          [1, 'initiation.reserved'],
          [2, 'initiation.sent'],
          [3, 'initiation.accepted'],
          [4, 'payment.settled'],
        ],
      )
      const entry = { ...settled.entry, before: 'PENDING', after: 'SUCCESS', evidence }
      const hash = entryHash(trail[2]?.hash ?? '', 4, entry)
      assert.deepEqual(trail[3], { ...entry, sequence: 4, hash })
      assert.deepEqual(await trailOf(store, 'nobody'), [])
    },
  },
  {
    name: 'a step for a payment that does not exist is an error, not a silence',
    async run(store) {
      const record = await accepted(store)
      await assert.rejects(store.commitTransition({ ...step(record, {}), paymentId: 'nobody' }))
    },
  },
]
