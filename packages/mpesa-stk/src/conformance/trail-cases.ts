import assert from 'node:assert/strict'
import { judgeTrail } from '../core/audit/verify-trail.ts'
import type { Store, TrailKey } from '../core/ports.ts'
import { accept, accepted, commit, reserve, sampleIntent, sampleTime, step } from './samples.ts'
import type { StoreCase } from './store-case.ts'

async function payAt(store: Store, second: number, phoneNumber: string) {
  const reservedAt = new Date(sampleTime.getTime() + second * 1_000)
  const intent = sampleIntent({ reservedAt, phoneNumber, accountReference: `REF-${phoneNumber.slice(-3)}` })
  return accept(store, await commit(store, step(await reserve(store, intent), { state: 'sent' })))
}

export const trailCases: readonly StoreCase[] = [
  {
    name: 'a trail is found by everything that a person may have in hand, the oldest payment first',
    async run(store) {
      const second = await payAt(store, 2, '254700000001')
      const first = await payAt(store, 1, '254700000001')
      const other = await payAt(store, 3, '254700000002')
      const paid = second.payment && { ...second.payment, mpesaReceiptNumber: 'TD30EEEE01', version: 2 }
      await commit(store, step(second, { payment: paid }, 'payment.settled'))
      const found = async (key: TrailKey, limit = 10): Promise<readonly string[]> => [
        ...new Set((await store.readTrail(key, limit)).map(({ paymentId }) => paymentId)),
      ]
      const [id1, id2] = [first.initiation.paymentId, second.initiation.paymentId]
      assert.deepEqual(await found({ phoneNumber: '254700000001' }), [id1, id2])
      assert.deepEqual(await found({ phoneNumber: '254700000001' }, 1), [id2], 'the newest, where not all are wanted')
      assert.deepEqual(await found({ accountReference: 'REF-002' }), [other.initiation.paymentId])
      assert.deepEqual(await found({ receipt: 'TD30EEEE01' }), [id2])
      assert.deepEqual(await found({ checkoutRequestId: first.payment?.checkoutRequestId ?? '' }), [id1])
      assert.deepEqual(await found({ merchantRequestId: first.payment?.merchantRequestId ?? '' }), [id1])
      assert.deepEqual(await found({ paymentId: id1 }), [id1])
      assert.deepEqual(await found({ receipt: 'TD30EEEE99' }), [])
      const trail = await store.readTrail({ receipt: 'TD30EEEE01' }, 10)
      assert.deepEqual(
        trail.map(({ sequence }) => sequence),
        [1, 2, 3, 4],
      )
    },
  },
  {
    name: 'every trail is an unbroken chain to the head that its payment names, however many write at once',
    async run(store) {
      const records = await Promise.all(Array.from({ length: 10 }, () => accepted(store)))
      await Promise.all(records.flatMap(record => [1, 2, 3].map(() => store.commitTransition(step(record, {})))))
      let count = 0
      for (let after = ''; ; ) {
        const trails = await store.readTrails(after, 3)
        for (const trail of trails) {
          count++
          assert.equal(trail.head.count, trail.entries.length)
          assert.equal(judgeTrail(trail), null)
        }
        const last = trails.at(-1)
        if (last === undefined) break
        after = last.paymentId
      }
      assert.equal(count, 10)
      assert.equal(await store.countOrphanedEntries(), 0)
    },
  },
  {
    name: 'hashes come in the order of writing, between two positions',
    async run(store) {
      const { initiation } = await accepted(store)
      await accepted(store)
      const { through } = await store.openCheckpoint()
      const all = await store.readAuditHashes(0, through, 100)
      assert.equal(all.length, 6)
      const own = await store.readTrail({ paymentId: initiation.paymentId }, 1)
      assert.deepEqual(
        all.slice(0, 3).map(({ hash }) => hash),
        own.map(({ hash }) => hash),
      )
      const positions = all.map(({ position }) => position)
      assert.deepEqual(
        positions,
        [...positions].sort((a, b) => a - b),
      )
      assert.deepEqual(await store.readAuditHashes(positions[1] ?? 0, positions[3] ?? 0, 100), all.slice(2, 4))
      assert.deepEqual(await store.readAuditHashes(0, through, 2), all.slice(0, 2))
    },
  },
  {
    name: 'a checkpoint has its number for itself, and stays as it was',
    async run(store) {
      assert.deepEqual(await store.openCheckpoint(), { through: 0, previous: null })
      const checkpoint = { number: 1, at: sampleTime, through: 7, entries: 6, digest: 'd', seal: 's' }
      const saved = await Promise.all([
        store.saveCheckpoint(checkpoint),
        store.saveCheckpoint({ ...checkpoint, seal: 't' }),
      ])
      assert.deepEqual(saved.filter(Boolean), [true])
      const [kept] = await store.listCheckpoints(0, 10)
      assert.deepEqual({ ...kept, seal: '' }, { ...checkpoint, seal: '' })
      assert.deepEqual((await store.openCheckpoint()).previous, kept)
      await store.saveCheckpoint({ ...checkpoint, number: 2 })
      assert.deepEqual(
        (await store.listCheckpoints(1, 10)).map(({ number }) => number),
        [2],
      )
    },
  },
]
