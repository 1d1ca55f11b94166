import assert from 'node:assert/strict'
import type { AuditEntry } from '../core/audit/audit-entry.ts'
import { maxCallbackEntries } from '../core/audit/audit-entry.ts'
import type { CallbackRecord, PaymentRecord } from '../core/ports.ts'
import type { CallbackEvidence } from '../core/receive/callback-evidence.ts'
import {
  accept,
  accepted,
  commit,
  reserve,
  sampleCallback,
  sampleEntry,
  samplePayment,
  step,
  trailOf,
} from './samples.ts'
import type { StoreCase } from './store-case.ts'

function refused(record: PaymentRecord, callback: CallbackEvidence): CallbackRecord & { readonly entry: AuditEntry } {
  const { paymentId } = record.initiation
  return { callback, disposition: 'refused', paymentId, entry: sampleEntry(paymentId, 'callback.refused') }
}

export const callbackCases: readonly StoreCase[] = [
  {
    name: 'a parked callback is handed over, with its bytes and oldest first, by the step that makes its payment known',
    async run(store) {
      const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
      const payment = samplePayment(sent)
      const { checkoutRequestId, merchantRequestId } = payment
      const bytes = new Uint8Array([0, 255, 13, 10, 0x7b])
      const second = sampleCallback({ checkoutRequestId, merchantRequestId: 'odd', receivedAt: new Date(2000) })
      const first = sampleCallback({ merchantRequestId, receivedAt: new Date(1000), body: bytes, digest: 'bytes' })
      const neighbour = sampleCallback({ checkoutRequestId: 'ws_CO_other', merchantRequestId })
      for (const callback of [second, first, neighbour]) assert.equal(await store.parkCallback(callback), null)
      const outcome = await store.commitTransition(step(sent, { state: 'accepted', payment }))
      assert(outcome.outcome === 'committed')
      assert.deepEqual(
        outcome.parked.map(({ digest }) => digest),
        ['bytes', second.digest],
      )
      assert.deepEqual(Uint8Array.from(outcome.parked[0]?.body ?? []), bytes)
      assert.deepEqual({ ...outcome.parked[1], body: null }, { ...second, body: null })
    },
  },
  {
    name: 'a callback whose payment is known is not parked: the payment is returned instead',
    async run(store) {
      const record = await accepted(store)
      const { checkoutRequestId = '', merchantRequestId = '' } = record.payment ?? {}
      assert.deepEqual(await store.parkCallback(sampleCallback({ checkoutRequestId })), record)
      assert.deepEqual(await store.parkCallback(sampleCallback({ merchantRequestId })), record)
      assert.deepEqual(await store.findStrandedCallbacks(10), [])
      const neighbour = sampleCallback({ checkoutRequestId: 'ws_CO_neighbour', merchantRequestId })
      assert.equal(await store.parkCallback(neighbour), null)
    },
  },
  {
    name: 'parking and accepting at once never strand a callback silently',
    async run(store) {
      for (let round = 0; round < 20; round++) {
        const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
        const payment = samplePayment(sent)
        const callback = sampleCallback({ checkoutRequestId: payment.checkoutRequestId })
        const [outcome, found] = await Promise.all([
          store.commitTransition(step(sent, { state: 'accepted', payment })),
          store.parkCallback(callback),
        ])
        assert(outcome.outcome === 'committed')
        assert.equal(outcome.parked.length + (found === null ? 0 : 1), 1, 'exactly one of the two must see the other')
      }
    },
  },
  {
    name: 'a callback that a crash left in the park is found with its payment, until it is dealt with',
    async run(store) {
      const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
      const callback = sampleCallback({ checkoutRequestId: 'ws_CO_stranded' })
      await store.parkCallback(callback)
      assert.deepEqual(await store.findStrandedCallbacks(10), [])
      const record = await accept(store, sent, { checkoutRequestId: 'ws_CO_stranded' })
      const stranded = await store.findStrandedCallbacks(10)
      assert.deepEqual(
        stranded.map(found => [found.record.initiation.paymentId, found.callback.digest]),
        [[record.initiation.paymentId, callback.digest]],
      )
      await commit(store, { ...step(record, {}), callback })
      assert.deepEqual(await store.findStrandedCallbacks(10), [])
    },
  },
  {
    name: 'a parked callback stays parked when a stranger posts the same bytes to a wrong address',
    async run(store) {
      const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
      const payment = samplePayment(sent)
      const callback = sampleCallback({ checkoutRequestId: payment.checkoutRequestId })
      await store.parkCallback(callback)
      await store.recordCallback({ callback, disposition: 'refused', paymentId: null })
      const outcome = await store.commitTransition(step(sent, { state: 'accepted', payment }))
      assert(outcome.outcome === 'committed')
      assert.equal(outcome.parked.length, 1)
    },
  },
  {
    name: 'the same bytes for the same reason write one audit entry, however they alternate with another reason',
    async run(store) {
      const record = await accepted(store)
      const { paymentId } = record.initiation
      const callback = sampleCallback()
      const contradiction = {
        callback,
        disposition: 'contradiction',
        paymentId,
        entry: sampleEntry(paymentId, 'callback.contradiction'),
      } as const
      const isNew: boolean[] = []
      for (let round = 0; round < 3; round++) {
        isNew.push((await store.recordCallback(refused(record, callback))).isNew)
        isNew.push((await store.recordCallback(contradiction)).isNew)
      }
      assert.deepEqual(isNew, [true, true, false, false, false, false])
      const events = (await trailOf(store, paymentId)).map(({ event }) => event)
      assert.deepEqual(events.slice(3), ['callback.refused', 'callback.contradiction'])
    },
  },
  {
    name: 'callbacks kept at once take their places in the trail one after another, and a flood of them ends',
    async run(store) {
      const record = await accepted(store)
      const kept = await Promise.all(
        Array.from({ length: maxCallbackEntries + 10 }, () => store.recordCallback(refused(record, sampleCallback()))),
      )
      assert(kept.every(({ isNew }) => isNew))
      const trail = await trailOf(store, record.initiation.paymentId)
      assert.deepEqual(
        trail.map(({ sequence }) => sequence),
        trail.map((_entry, index) => index + 1),
      )
      assert.equal(trail.filter(({ event }) => event === 'callback.refused').length, maxCallbackEntries)
    },
  },
  {
    name: 'bytes that no parser reads are kept, and none at all too',
    async run(store) {
      for (const [digest, bytes] of [
        ['odd', [0xc3, 0x28, 0]],
        ['empty', []],
      ] as const) {
        const callback = sampleCallback({ body: Uint8Array.from(bytes), digest })
        const record = { callback, disposition: 'unrecognised', paymentId: null } as const
        assert.deepEqual(await store.recordCallback(record), { isNew: true })
        assert.deepEqual(await store.recordCallback(record), { isNew: false })
      }
    },
  },
]
