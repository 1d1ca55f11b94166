import assert from 'node:assert/strict'
import {
  accepted,
  commit,
  reserve,
  sampleEntry,
  sampleIntent,
  samplePayment,
  sampleTime,
  step,
  trailOf,
} from './samples.ts'
import type { StoreCase } from './store-case.ts'

export const initiationCases: readonly StoreCase[] = [
  {
    name: 'an intent comes back as it was stored, found by its id and by its key',
    async run(store) {
      const intent = sampleIntent()
      const { initiation, payment } = await reserve(store, intent)
      assert.equal(payment, null)
      assert.deepEqual(initiation, {
        ...intent,
        state: 'reserved',
        tokenHash: null,
        sendDeadlineAt: null,
        concludedAt: null,
        answerCode: null,
        answerMessage: null,
      })
      const byId = await store.findPayment({ paymentId: intent.paymentId })
      const byKey = await store.findPayment({ idempotencyKey: intent.idempotencyKey ?? '' })
      assert.deepEqual(byId, { initiation, payment: null })
      assert.deepEqual(byKey, byId)
    },
  },
  {
    name: 'a key is reserved once, however many ask at once',
    async run(store) {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () => {
          const intent = sampleIntent({ idempotencyKey: 'the-one-key' })
          return store.reserveInitiation(intent, sampleEntry(intent.paymentId, 'initiation.reserved'))
        }),
      )
      const winners = outcomes.filter(({ outcome }) => outcome === 'reserved')
      assert.equal(winners.length, 1)
      const ids = new Set(outcomes.map(({ record }) => record.initiation.paymentId))
      assert.equal(ids.size, 1, 'everybody must be shown the same intent')
      const losers = outcomes.length - winners.length
      assert.equal(losers, 19)
    },
  },
  {
    name: 'an intent whose acknowledgement was lost is reserved once, with a key and without',
    async run(store) {
      for (const idempotencyKey of ['a-key', null]) {
        const intent = sampleIntent({ idempotencyKey })
        const entry = sampleEntry(intent.paymentId, 'initiation.reserved')
        const first = await store.reserveInitiation(intent, entry)
        assert.deepEqual(await store.reserveInitiation(intent, entry), first)
        assert.equal((await trailOf(store, intent.paymentId)).length, 1)
      }
    },
  },
  {
    name: 'intents without a key never meet',
    async run(store) {
      const first = await reserve(store, sampleIntent({ idempotencyKey: null }))
      const second = await reserve(store, sampleIntent({ idempotencyKey: null }))
      assert.notEqual(first.initiation.paymentId, second.initiation.paymentId)
    },
  },
  {
    name: 'only a refusal frees the key',
    async run(store) {
      for (const state of ['sent', 'unknown', 'accepted', 'refused'] as const) {
        const intent = sampleIntent()
        const sent = await commit(store, step(await reserve(store, intent), { state: 'sent' }))
        if (state !== 'sent') {
          const payment = state === 'accepted' ? samplePayment(sent) : null
          await commit(store, step(sent, { state, payment }))
        }
        const again = sampleIntent({ idempotencyKey: intent.idempotencyKey })
        const { outcome } = await store.reserveInitiation(again, sampleEntry(again.paymentId, 'initiation.reserved'))
        assert.equal(outcome, state === 'refused' ? 'reserved' : 'exists', `key of an initiation that is ${state}`)
      }
    },
  },
  {
    name: 'a refused initiation stays on record beside the one that used its key again',
    async run(store) {
      const intent = sampleIntent()
      const sent = await commit(store, step(await reserve(store, intent), { state: 'sent' }))
      await commit(store, step(sent, { state: 'refused', initiation: { answerCode: '400.002.02' } }))
      const again = await reserve(store, sampleIntent({ idempotencyKey: intent.idempotencyKey }))
      const refused = await store.findPayment({ paymentId: intent.paymentId })
      assert.equal(refused?.initiation.answerCode, '400.002.02')
      const byKey = await store.findPayment({ idempotencyKey: intent.idempotencyKey ?? '' })
      assert.equal(byKey?.initiation.paymentId, again.initiation.paymentId)
    },
  },
  {
    name: 'the right to push is won once, however many claim it at once',
    async run(store) {
      const record = await reserve(store)
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () => store.commitTransition(step(record, { state: 'sent' }))),
      )
      assert.equal(outcomes.filter(({ outcome }) => outcome === 'committed').length, 1)
      assert.equal(outcomes.filter(({ outcome }) => outcome === 'conflict').length, 19)
      const trail = await trailOf(store, record.initiation.paymentId)
      assert.deepEqual(
        trail.map(({ event }) => event),
        ['initiation.reserved', 'initiation.sent'],
      )
    },
  },
  {
    name: 'what a push learnt is kept: token, deadline, answer',
    async run(store) {
      const sent = await commit(
        store,
        step(await reserve(store), { state: 'sent', initiation: { tokenHash: 'a1b2', sendDeadlineAt: sampleTime } }),
      )
      const { paymentId } = sent.initiation
      const lost = { concludedAt: sampleTime, answerCode: 'ANSWER_LOST', answerMessage: 'no answer' }
      await commit(store, step(sent, { state: 'unknown', initiation: lost }))
      const found = await store.findPayment({ tokenHash: 'a1b2' })
      assert.deepEqual(found?.initiation, { ...sent.initiation, ...lost, state: 'unknown' })
      assert.equal(found?.initiation.paymentId, paymentId)
      assert.equal(await store.findPayment({ tokenHash: 'ffff' }), null)
    },
  },
  {
    name: 'an accepted push is found by either id of Daraja',
    async run(store) {
      const record = await accepted(store)
      const { checkoutRequestId, merchantRequestId } = record.payment ?? samplePayment(record)
      assert.deepEqual(await store.findPayment({ checkoutRequestId }), record)
      assert.deepEqual(await store.findPayment({ merchantRequestId }), record)
      assert.equal(await store.findPayment({ checkoutRequestId: 'ws_CO_unknown' }), null)
      assert.equal(await store.findPayment({ merchantRequestId: 'unknown' }), null)
    },
  },
  {
    name: 'a CheckoutRequestID belongs to one payment, and the one that comes second writes nothing',
    async run(store) {
      const first = await accepted(store)
      const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
      const checkoutRequestId = first.payment?.checkoutRequestId ?? ''
      const outcome = await store.commitTransition(
        step(sent, { state: 'accepted', payment: samplePayment(sent, { checkoutRequestId }) }),
      )
      assert.deepEqual(outcome, { outcome: 'taken', field: 'checkoutRequestId' })
      const { paymentId } = sent.initiation
      assert.deepEqual(await store.findPayment({ paymentId }), sent)
      assert.equal((await trailOf(store, paymentId)).length, 2)
    },
  },
  {
    name: 'a CheckoutRequestID that two payments bring at once goes to one of them',
    async run(store) {
      const sent = await Promise.all(
        Array.from({ length: 5 }, async () => commit(store, step(await reserve(store), { state: 'sent' }))),
      )
      const outcomes = await Promise.all(
        sent.map(record =>
          store.commitTransition(
            step(record, { state: 'accepted', payment: samplePayment(record, { checkoutRequestId: 'ws_CO_wanted' }) }),
          ),
        ),
      )
      assert.deepEqual(outcomes.map(({ outcome }) => outcome).sort(), ['committed', 'taken', 'taken', 'taken', 'taken'])
    },
  },
  {
    name: 'a step that is committed again, because its acknowledgement was lost, is committed once',
    async run(store) {
      const record = await reserve(store)
      const claim = step(record, { state: 'sent' })
      const first = await store.commitTransition(claim)
      assert.deepEqual(await store.commitTransition(claim), first)
      assert.equal((await trailOf(store, record.initiation.paymentId)).length, 2)
    },
  },
]
