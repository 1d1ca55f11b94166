import assert from 'node:assert/strict'
import type { Lease } from '../core/ports.ts'
import { freshReconciliation, type ReconciliationProgress } from '../core/reconcile/reconciliation.ts'
import { sampleTime } from './samples.ts'
import type { StoreCase } from './store-case.ts'

const range = { shortCode: '174379', from: sampleTime, to: new Date(sampleTime.getTime() + 1) }
const lease = (leaseId: string, leaseMs = 60_000): Lease => ({ leaseId, leaseMs, at: new Date() })
const halfway: ReconciliationProgress = {
  checked: 2,
  matched: 1,
  skipped: 3,
  mismatches: [{ paymentId: 'p', storedStatus: 'SUCCESS', mpesaStatus: 'FAILED', amount: 500 }],
  after: { initiatedAt: sampleTime, paymentId: 'p' },
  isDone: false,
}

export const reconciliationCases: readonly StoreCase[] = [
  {
    name: 'a reconciliation is begun by one of many, and by another once its lease is over, where it stood',
    async run(store) {
      const opened = await Promise.all(
        Array.from({ length: 10 }, (_, index) => store.openReconciliation(range, null, lease(`l${index}`))),
      )
      assert.equal(opened.filter(({ outcome }) => outcome === 'opened').length, 1)
      assert.equal(opened.filter(({ outcome }) => outcome === 'busy').length, 9)
      const owner = `l${opened.findIndex(({ outcome }) => outcome === 'opened')}`
      assert.equal(await store.saveReconciliation(range, halfway, lease('somebody else')), false)
      assert.equal(await store.saveReconciliation(range, halfway, lease(owner, 0)), true)
      assert.deepEqual(await store.openReconciliation(range, null, lease('next')), {
        outcome: 'opened',
        progress: halfway,
      })
      assert.equal(await store.saveReconciliation(range, halfway, lease(owner)), false, 'it was taken over')
    },
  },
  {
    name: 'a reconciliation that is done is told to who waited for it, and begins anew for everybody else',
    async run(store) {
      await store.openReconciliation(range, null, lease('l'))
      const busy = await store.openReconciliation(range, null, lease('m'))
      assert(busy.outcome === 'busy')
      const done = { ...halfway, isDone: true }
      await store.saveReconciliation(range, done, lease('l'))
      const told = { outcome: 'done', progress: done } as const
      assert.deepEqual(await store.openReconciliation(range, busy.run, lease('m')), told)
      assert.deepEqual(await store.openReconciliation(range, null, lease('m')), {
        outcome: 'opened',
        progress: freshReconciliation,
      })
      assert.equal((await store.openReconciliation(range, busy.run, lease('n'))).outcome, 'busy', 'a later run')
      await store.saveReconciliation(range, done, lease('m'))
      assert.deepEqual(await store.openReconciliation(range, busy.run, lease('n')), told)
      assert.equal((await store.openReconciliation(range, busy.run + 2, lease('n'))).outcome, 'opened')
      const another = { ...range, shortCode: '600000' }
      assert.equal((await store.openReconciliation(another, null, lease('n'))).outcome, 'opened')
    },
  },
]
