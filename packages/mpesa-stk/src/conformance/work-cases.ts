import assert from 'node:assert/strict'
import type { NewWork } from '../core/due/due-work.ts'
import type { DueClaim, Store } from '../core/ports.ts'
import { accepted, commit, step } from './samples.ts'
import type { StoreCase } from './store-case.ts'

let lastLease = 0

// Stores with a time of their own do not look at `at`: what these cases want due is long due by any clock.
const longAgo = new Date(1_000_000)
const farOff = new Date('2100-01-01T00:00:00Z')

function claim(changes: Partial<DueClaim> = {}): DueClaim {
  return { kinds: ['settled'], at: new Date(), leaseMs: 60_000, leaseId: `lease-${++lastLease}`, limit: 10, ...changes }
}

async function addWork(store: Store, count: number, dueAt = longAgo): Promise<readonly NewWork[]> {
  const added: NewWork[] = []
  for (let index = 0; index < count; index++) {
    const record = await accepted(store)
    const { paymentId } = record.initiation
    const id = `work-${paymentId}`
    const work: NewWork = {
      id,
      kind: 'settled',
      paymentId,
      cause: 'payment.settled',
      dueAt: new Date(dueAt.getTime() + index),
    }
    await commit(store, { ...step(record, {}, 'payment.settled'), work: [work] })
    added.push(work)
  }
  return added
}

export const workCases: readonly StoreCase[] = [
  {
    name: 'work that becomes due with a step is claimed once, the oldest first',
    async run(store) {
      const added = await addWork(store, 3)
      const ask = claim()
      assert.deepEqual(
        await store.claimDue(ask),
        added.map(work => ({ ...work, attempts: 0, leaseId: ask.leaseId })),
      )
      assert.deepEqual(await store.claimDue(claim()), [])
    },
  },
  {
    name: 'work of a step that lost its race is not stored, and that of one committed twice is stored once',
    async run(store) {
      const record = await accepted(store)
      const { paymentId } = record.initiation
      const work = (id: string): NewWork => ({
        id,
        kind: 'settled',
        paymentId,
        cause: 'payment.settled',
        dueAt: longAgo,
      })
      const won = {
        ...step(record, { payment: record.payment && { ...record.payment, version: 2 } }),
        work: [work('won')],
      }
      await commit(store, won)
      await commit(store, won)
      const lost = await store.commitTransition({ ...step(record, {}), work: [work('lost')] })
      assert.equal(lost.outcome, 'conflict')
      assert.deepEqual(
        (await store.claimDue(claim())).map(({ id }) => id),
        ['won'],
      )
    },
  },
  {
    name: 'claims at once never overlap, and together they get everything',
    async run(store) {
      const added = await addWork(store, 20)
      const claims = await Promise.all(Array.from({ length: 10 }, () => store.claimDue(claim({ limit: 3 }))))
      const rest = await store.claimDue(claim({ limit: 20 }))
      const ids = [...claims.flat(), ...rest].map(({ id }) => id)
      assert.equal(new Set(ids).size, ids.length)
      assert.equal(ids.length, added.length)
    },
  },
  {
    name: 'a lease that has run out is taken over, and the late result of its owner is ignored',
    async run(store) {
      await addWork(store, 1)
      const [first] = await store.claimDue(claim({ leaseMs: 0 }))
      const [second] = await store.claimDue(claim())
      assert(first !== undefined && second !== undefined)
      assert.equal(second.id, first.id)
      await store.finishWork([{ id: first.id, leaseId: first.leaseId, outcome: 'done' }])
      await store.finishWork([
        { id: second.id, leaseId: second.leaseId, outcome: 'again', dueAt: longAgo, error: 'no' },
      ])
      const [third] = await store.claimDue(claim())
      assert.equal(third?.attempts, 1)
    },
  },
  {
    name: 'work that is done is gone, what is not due or of another kind is left, and what failed too often is shown',
    async run(store) {
      const [done, later, parked] = await addWork(store, 3)
      assert(done !== undefined && later !== undefined && parked !== undefined)
      assert.deepEqual(await store.claimDue(claim({ kinds: [] })), [])
      const claimed = await store.claimDue(claim())
      const lease = (id: string) => ({ id, leaseId: claimed[0]?.leaseId ?? '' })
      await store.finishWork([
        { ...lease(done.id), outcome: 'done' },
        { ...lease(later.id), outcome: 'again', dueAt: farOff, error: 'later' },
        { ...lease(parked.id), outcome: 'parked', error: 'never' },
      ])
      assert.deepEqual(await store.claimDue(claim()), [])
      assert.deepEqual(await store.listParkedWork(10), [{ ...parked, attempts: 1, lastError: 'never' }])
    },
  },
]
