import assert from 'node:assert/strict'
import { accepted, commit, sampleCallback, sampleEntry, step } from './samples.ts'
import type { StoreCase } from './store-case.ts'

export const callbackCases: readonly StoreCase[] = [
  {
    name: 'parked callbacks are found by either id, oldest first, with their bytes',
    async run(store) {
      const ids = { checkoutRequestId: 'ws_CO_park', merchantRequestId: 'merchant-park' }
      const bytes = new Uint8Array([0, 255, 13, 10, 0x7b])
      const second = sampleCallback({ checkoutRequestId: ids.checkoutRequestId, receivedAt: new Date(2000) })
      const first = sampleCallback({
        merchantRequestId: ids.merchantRequestId,
        receivedAt: new Date(1000),
        body: bytes,
        digest: 'bytes',
      })
      const other = sampleCallback({ checkoutRequestId: 'ws_CO_other' })
      for (const callback of [second, first, other]) {
        await store.recordCallback({ callback, disposition: 'parked', paymentId: null })
      }
      const found = await store.findParkedCallbacks(ids)
      assert.deepEqual(
        found.map(({ digest }) => digest),
        ['bytes', second.digest],
      )
      assert.deepEqual(Uint8Array.from(found[0]?.body ?? []), bytes)
      assert.deepEqual({ ...found[1], body: null }, { ...second, body: null })
    },
  },
  {
    name: 'an applied callback is parked no more, and stays applied',
    async run(store) {
      const record = await accepted(store)
      const { checkoutRequestId = '', merchantRequestId = '' } = record.payment ?? {}
      const callback = sampleCallback({ checkoutRequestId })
      await store.recordCallback({ callback, disposition: 'parked', paymentId: null })
      await commit(store, { ...step(record, {}), callback })
      await store.recordCallback({ callback, disposition: 'parked', paymentId: null })
      assert.deepEqual(await store.findParkedCallbacks({ checkoutRequestId, merchantRequestId }), [])
    },
  },
  {
    name: 'the same bytes for the same reason write one audit entry, for another reason one more',
    async run(store) {
      const record = await accepted(store)
      const { paymentId } = record.initiation
      const callback = sampleCallback()
      const refused = {
        callback,
        disposition: 'refused',
        paymentId,
        entry: sampleEntry(paymentId, 'callback.refused'),
      } as const
      assert.deepEqual(await store.recordCallback(refused), { isNew: true })
      assert.deepEqual(await store.recordCallback(refused), { isNew: false })
      const contradiction = {
        callback,
        disposition: 'contradiction',
        paymentId,
        entry: sampleEntry(paymentId, 'callback.contradiction'),
      } as const
      assert.deepEqual(await store.recordCallback(contradiction), { isNew: true })
      const events = (await store.readTrail(paymentId)).map(({ event }) => event)
      assert.deepEqual(events.slice(3), ['callback.refused', 'callback.contradiction'])
    },
  },
  {
    name: 'bytes that no parser reads are kept',
    async run(store) {
      const callback = sampleCallback({ body: new Uint8Array([0xc3, 0x28, 0]), digest: 'odd' })
      const record = { callback, disposition: 'unrecognised', paymentId: null } as const
      assert.deepEqual(await store.recordCallback(record), { isNew: true })
      assert.deepEqual(await store.recordCallback(record), { isNew: false })
    },
  },
]
