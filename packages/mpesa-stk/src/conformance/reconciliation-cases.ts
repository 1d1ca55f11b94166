import assert from 'node:assert/strict'
import type { Lease } from '../core/ports.ts'
import { freshReconciliation, type ReconciliationProgress } from '../core/reconcile/reconciliation.ts'
import { sampleTime } from './samples.ts'
import type { StoreCase } from './store-case.ts'

const range = { shortCode: '174379', from: sampleTime, to: new Date(sampleTime.getTime() + 1) }
const longAgo = new Date(0)
const farOff = new Date('2100-01-01T00:00:00Z')
const lease = (leaseId: string, leaseMs = 60_000): Lease => ({ leaseId, leaseMs, at: new Date() })
const halfway: ReconciliationProgress = {
  checked: 2,
  matched: 1,
  skipped: 3,
  mismatches: [
    { paymentId: 'p', checkoutRequestId: 'ws_CO_1', storedStatus: 'SUCCESS', mpesaStatus: 'FAILED', amount: 500 },
  ],
  after: { initiatedAt: sampleTime, paymentId: 'p' },
  isDone: false,
}

export const reconciliationCases: readonly StoreCase[] = [
  {
    name: 'a reconciliation is begun by one of many, and by another once its lease is over, where it stood',
    async run(store) {
      const opened = await Promise.all(
        Array.from({ length: 10 }, (_, index) => store.openReconciliation(range, longAgo, lease(`l${index}`))),
      )
      assert.equal(opened.filter(({ outcome }) => outcome === 'opened').length, 1)
      assert.equal(opened.filter(({ outcome }) => outcome === 'busy').length, 9)
      const owner = `l${opened.findIndex(({ outcome }) => outcome === 'opened')}`
      assert.equal(await store.saveReconciliation(range, halfway, lease('somebody else')), false)
      assert.equal(await store.saveReconciliation(range, halfway, lease(owner, 0)), true)
      assert.deepEqual(await store.openReconciliation(range, longAgo, lease('next')), {
        outcome: 'opened',
        progress: halfway,
      })
      assert.equal(await store.saveReconciliation(range, halfway, lease(owner)), false, 'it was taken over')
    },
  },
  {
    name: 'a reconciliation that is done is told to who asked before, and begins anew for who asks after',
    async run(store) {
      await store.openReconciliation(range, longAgo, lease('l'))
      const done = { ...halfway, isDone: true }
      await store.saveReconciliation(range, done, lease('l'))
      assert.deepEqual(await store.openReconciliation(range, longAgo, lease('m')), { outcome: 'done', progress: done })
      assert.deepEqual(await store.openReconciliation(range, farOff, lease('m')), {
        outcome: 'opened',
        progress: freshReconciliation,
      })
      const another = { ...range, shortCode: '600000' }
      assert.equal((await store.openReconciliation(another, longAgo, lease('n'))).outcome, 'opened')
    },
  },
]
