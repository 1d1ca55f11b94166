import assert from 'node:assert/strict'
import type { NewWork } from '../core/due/due-work.ts'
import type { DueClaim, Store } from '../core/ports.ts'
import { accepted, commit, sampleCallback, step } from './samples.ts'
import type { StoreCase } from './store-case.ts'

let lastLease = 0

// Stores with a time of their own do not look at `at`: what these cases want due is long due by any clock.
const yearMs = 365 * 24 * 60 * 60 * 1000
const longAgoMs = -10 * yearMs

function claim(changes: Partial<DueClaim> = {}): DueClaim {
  return { kinds: ['settled'], at: new Date(), leaseMs: 60_000, leaseId: `lease-${++lastLease}`, limit: 10, ...changes }
}

async function addWork(store: Store, count: number): Promise<readonly NewWork[]> {
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
      delayMs: longAgoMs + index * 1_000,
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
      const claimed = await store.claimDue(ask)
      assert.deepEqual(
        claimed.map(({ dueAt: _dueAt, ...rest }) => rest),
        added.map(({ delayMs: _delayMs, ...work }) => ({ ...work, attempts: 0, vainTries: 0, leaseId: ask.leaseId })),
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
        delayMs: longAgoMs,
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
      await store.finishWork([{ id: first.id, leaseId: first.leaseId, outcome: 'done' }], new Date())
      const again = { outcome: 'again', isAttempt: true, error: 'no' } as const
      await store.finishWork([{ id: second.id, leaseId: second.leaseId, ...again, delayMs: 0 }], new Date())
      const [third] = await store.claimDue(claim())
      assert.equal(third?.attempts, 1)
      assert(third !== undefined)
      const { id, leaseId } = third
      await store.finishWork([{ id, leaseId, ...again, isAttempt: false, delayMs: null, error: null }], new Date())
      const [fourth] = await store.claimDue(claim())
      assert.deepEqual([fourth?.attempts, fourth?.dueAt], [1, third.dueAt], 'what was given back is as due as it was')
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
      await store.finishWork(
        [
          { ...lease(done.id), outcome: 'done' },
          { ...lease(later.id), outcome: 'again', delayMs: yearMs, isAttempt: true, error: 'later' },
          { ...lease(parked.id), outcome: 'parked', error: 'never' },
        ],
        new Date(),
      )
      assert.deepEqual(await store.claimDue(claim()), [])
      const listed = await store.listParkedWork(10)
      assert.deepEqual(
        listed.map(({ id, attempts, lastError }) => ({ id, attempts, lastError })),
        [{ id: parked.id, attempts: 1, lastError: 'never' }],
      )
      assert.equal(await store.releaseParkedWork(later.id, new Date()), false)
      assert.equal(await store.releaseParkedWork(parked.id, new Date()), true)
      assert.deepEqual(await store.listParkedWork(10), [])
      const [released] = await store.claimDue(claim())
      assert.deepEqual([released?.id, released?.attempts], [parked.id, 0])
    },
  },
  {
    name: 'work that a step adds again begins anew and no later, and an attempt under way cannot end it',
    async run(store) {
      let record = await accepted(store)
      const { paymentId } = record.initiation
      const work = { id: 'poll:x', kind: 'poll:174379', paymentId, cause: 'initiation.accepted' } as const
      const polls = { kinds: ['poll:174379'] } as const
      const add = async (delayMs: number): Promise<void> => {
        record = await commit(store, { ...step(record, {}), work: [{ ...work, delayMs }] })
      }
      await add(yearMs)
      assert.deepEqual(await store.claimDue(claim(polls)), [])
      await add(longAgoMs)
      const [first] = await store.claimDue(claim(polls))
      assert(first !== undefined)
      await add(yearMs)
      await store.finishWork([{ id: first.id, leaseId: first.leaseId, outcome: 'done' }], new Date())
      const [second] = await store.claimDue(claim(polls))
      assert.deepEqual([second?.id, second?.attempts], [work.id, 0])
    },
  },
  {
    name: 'work that is added without a step leaves what is there as it is',
    async run(store) {
      const { paymentId } = (await accepted(store)).initiation
      const work = { id: 'poll:x', kind: 'poll:174379', paymentId, cause: 'initiation.accepted' } as const
      const polls = { kinds: ['poll:174379'] } as const
      await store.addWork([{ ...work, delayMs: -1_000 }], new Date())
      const [first] = await store.claimDue(claim(polls))
      assert(first !== undefined)
      await store.addWork([{ ...work, delayMs: -1_000 }], new Date())
      assert.deepEqual(await store.claimDue(claim(polls)), [], 'it is still leased')
      const again = { outcome: 'again', delayMs: null, isAttempt: true, error: null } as const
      await store.finishWork([{ id: first.id, leaseId: first.leaseId, ...again }], new Date())
      await store.addWork([{ ...work, delayMs: -1_000 }], new Date())
      const [second] = await store.claimDue(claim(polls))
      assert.equal(second?.attempts, 1)
    },
  },
  {
    name: 'tries in vain are counted beside attempts, and from none once it begins anew',
    async run(store) {
      const [work] = await addWork(store, 1)
      assert(work !== undefined)
      const again = { outcome: 'again', delayMs: null, isAttempt: false, isVain: true, error: null } as const
      for (const vainTries of [0, 1, 2]) {
        const [claimed] = await store.claimDue(claim())
        assert.deepEqual([claimed?.vainTries, claimed?.attempts], [vainTries, 0])
        await store.finishWork([{ id: work.id, leaseId: claimed?.leaseId ?? '', ...again }], new Date())
      }
      const [last] = await store.claimDue(claim())
      await store.finishWork(
        [{ id: work.id, leaseId: last?.leaseId ?? '', outcome: 'parked', error: 'no' }],
        new Date(),
      )
      await store.releaseParkedWork(work.id, new Date())
      const [released] = await store.claimDue(claim())
      assert.equal(released?.vainTries, 0)
    },
  },
  {
    name: 'a step leaves the work that a callback waits for, though it makes it needless',
    async run(store) {
      const [needless] = await addWork(store, 1)
      assert(needless !== undefined)
      const record = await accepted(store)
      const { paymentId } = record.initiation
      const callback = sampleCallback()
      await store.recordCallback({ callback, disposition: 'unconfirmed', paymentId })
      const left = await commit(store, { ...step(record, {}), endsWork: [needless.id] })
      await store.recordCallback({ callback, disposition: 'contradiction', paymentId })
      const ask = claim()
      assert.equal((await store.claimDue(ask)).length, 1)
      await commit(store, { ...step(left, {}), endsWork: [needless.id] })
      const again = { outcome: 'again', delayMs: longAgoMs, isAttempt: false, error: null } as const
      await store.finishWork([{ id: needless.id, leaseId: ask.leaseId, ...again }], new Date())
      assert.deepEqual(await store.claimDue(claim()), [])
    },
  },
  {
    name: 'a step forgets the work that it makes needless, and only that',
    async run(store) {
      const [needless, needed] = await addWork(store, 2)
      assert(needless !== undefined && needed !== undefined)
      const record = await accepted(store)
      await commit(store, { ...step(record, {}), endsWork: [needless.id] })
      assert.deepEqual(
        (await store.claimDue(claim())).map(({ id }) => id),
        [needed.id],
      )
    },
  },
]
