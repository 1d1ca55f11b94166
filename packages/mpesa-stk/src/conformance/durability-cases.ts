import assert from 'node:assert/strict'
import {
  accept,
  accepted,
  commit,
  reserve,
  sampleCallback,
  sampleEntry,
  sampleIntent,
  step,
  trailOf,
} from './samples.ts'
import type { DurabilityCase } from './store-case.ts'

export const durabilityCases: readonly DurabilityCase[] = [
  {
    name: 'everything is still there after the store was closed and opened again',
    async run(store, reopen) {
      const record = await accepted(store)
      const { paymentId } = record.initiation
      const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
      await store.parkCallback(sampleCallback({ checkoutRequestId: 'ws_CO_later' }))
      const trail = await trailOf(store, paymentId)
      const again = await reopen(store)
      assert.deepEqual(await again.findPayment({ paymentId }), record)
      assert.deepEqual(await trailOf(again, paymentId), trail)
      await accept(again, sent, { checkoutRequestId: 'ws_CO_later' })
      assert.equal((await again.findStrandedCallbacks(10)).length, 1)
    },
  },
  {
    name: 'a key stays in use after the store was closed and opened again',
    async run(store, reopen) {
      const { initiation } = await reserve(store)
      const again = await reopen(store)
      const intent = sampleIntent({ idempotencyKey: initiation.idempotencyKey })
      const { outcome } = await again.reserveInitiation(intent, sampleEntry(intent.paymentId, 'initiation.reserved'))
      assert.equal(outcome, 'exists')
    },
  },
  {
    name: 'migrating again changes nothing',
    async run(store, reopen) {
      const record = await accepted(store)
      await store.migrate()
      const again = await reopen(store)
      await again.migrate()
      assert.deepEqual(await again.findPayment({ paymentId: record.initiation.paymentId }), record)
    },
  },
]
