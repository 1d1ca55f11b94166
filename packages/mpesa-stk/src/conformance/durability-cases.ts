import assert from 'node:assert/strict'
import { freshReconciliation } from '../core/reconcile/reconciliation.ts'
import {
  accept,
  accepted,
  commit,
  reserve,
  sampleCallback,
  sampleEntry,
  sampleIntent,
  sampleTime,
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
  {
    name: 'paces, reconciliations, checkpoints and callbacks that wait are still there',
    async run(store, reopen) {
      const record = await accepted(store)
      const { paymentId } = record.initiation
      const pace = { nextAt: sampleTime, intervalMs: 12_000, isGranted: false }
      await store.changeQueryPace('174379', () => pace)
      const range = { shortCode: '174379', from: sampleTime, to: sampleTime }
      const lease = { leaseId: 'l', leaseMs: 0, at: new Date() }
      await store.openReconciliation(range, null, lease)
      const progress = { ...freshReconciliation, checked: 3 }
      await store.saveReconciliation(range, progress, lease)
      const checkpoint = { number: 1, at: sampleTime, through: 3, entries: 3, digest: 'd', seal: 's' }
      await store.saveCheckpoint(checkpoint)
      const callback = sampleCallback()
      await store.recordCallback({ callback, disposition: 'unconfirmed', paymentId })
      const again = await reopen(store)
      let kept: unknown
      await again.changeQueryPace('174379', found => {
        kept = found
        return found ?? pace
      })
      assert.deepEqual(kept, pace)
      assert.deepEqual(await again.openReconciliation(range, null, lease), { outcome: 'opened', progress })
      assert.deepEqual(await again.listCheckpoints(0, 10), [checkpoint])
      assert.deepEqual(
        (await again.listCallbacks(paymentId, 'unconfirmed', 10)).map(({ digest }) => digest),
        [callback.digest],
      )
    },
  },
]
