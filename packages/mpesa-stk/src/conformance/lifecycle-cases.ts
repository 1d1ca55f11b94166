import assert from 'node:assert/strict'
import { maxCallbackEntries } from '../core/audit/audit-entry.ts'
import { takeTurn } from '../core/poll/query-pace.ts'
import type { PaymentRecord, Store } from '../core/ports.ts'
import {
  accept,
  accepted,
  commit,
  reserve,
  sampleCallback,
  sampleEntry,
  sampleIntent,
  samplePayment,
  sampleTime,
  step,
} from './samples.ts'
import type { StoreCase } from './store-case.ts'

async function keepUnconfirmed(store: Store, record: PaymentRecord, receivedAt: number) {
  const callback = sampleCallback({ receivedAt: new Date(receivedAt) })
  const { paymentId } = record.initiation
  await store.recordCallback({ callback, disposition: 'unconfirmed', paymentId })
  return callback
}

const digests = async (store: Store, { initiation }: PaymentRecord, limit = 10): Promise<readonly string[]> =>
  (await store.listCallbacks(initiation.paymentId, 'unconfirmed', limit)).map(({ digest }) => digest)

export const lifecycleCases: readonly StoreCase[] = [
  {
    name: 'callbacks wait to be confirmed, the oldest first, until they are kept for another reason',
    async run(store) {
      const record = await accepted(store)
      const other = await accepted(store)
      const second = await keepUnconfirmed(store, record, 2000)
      const first = await keepUnconfirmed(store, record, 1000)
      const others = await keepUnconfirmed(store, other, 500)
      assert.deepEqual(await digests(store, record), [first.digest, second.digest])
      assert.deepEqual(await digests(store, record, 1), [first.digest])
      const { paymentId } = record.initiation
      await store.recordCallback({ callback: first, disposition: 'contradiction', paymentId })
      assert.deepEqual(await digests(store, record), [second.digest])
      const contradictions = await store.listCallbacks(paymentId, 'contradiction', 10)
      assert.deepEqual(
        contradictions.map(({ digest, body }) => [digest, Uint8Array.from(body)]),
        [[first.digest, first.body]],
      )
      await commit(store, { ...step(record, {}), callback: second })
      assert.deepEqual(await digests(store, record), [])
      assert.deepEqual(await digests(store, other), [others.digest])
    },
  },
  {
    name: 'a step may bring a payment to light with a callback that waits to be confirmed',
    async run(store) {
      const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
      const callback = sampleCallback()
      const acceptance = step(sent, { state: 'accepted', payment: samplePayment(sent) }, 'initiation.accepted')
      const record = await commit(store, { ...acceptance, callback, disposition: 'unconfirmed' })
      assert.deepEqual(await digests(store, record), [callback.digest])
    },
  },
  {
    name: 'work that comes with the entry of a kept callback is stored with it, and never without',
    async run(store) {
      const record = await accepted(store)
      const { paymentId } = record.initiation
      const keep = async (callback = sampleCallback()): Promise<void> => {
        const entry = sampleEntry(paymentId, 'callback.contradiction')
        const work = { id: entry.id, kind: 'discrepancy', paymentId, cause: entry.event, delayMs: -1 } as const
        await store.recordCallback({ callback, disposition: 'contradiction', paymentId, entry, entryWork: [work] })
      }
      const again = sampleCallback()
      await keep(again)
      await keep(again)
      for (let count = 0; count < maxCallbackEntries + 5; count++) await keep()
      const claim = { kinds: ['discrepancy'], at: new Date(), leaseMs: 60_000, leaseId: 'l', limit: 1_000 } as const
      assert.equal((await store.claimDue(claim)).length, maxCallbackEntries)
    },
  },
  {
    name: 'work that a kept callback asks for is due however many there were, and when its bytes come again',
    async run(store) {
      const record = await accepted(store)
      const { paymentId } = record.initiation
      const claim = { kinds: ['poll:174379'], at: new Date(), leaseMs: 60_000, limit: 10 } as const
      const claimAndEnd = async (leaseId: string): Promise<number> => {
        const claimed = await store.claimDue({ ...claim, leaseId })
        await store.finishWork(
          claimed.map(({ id }) => ({ id, leaseId, outcome: 'done' })),
          new Date(),
        )
        return claimed.length
      }
      const keep = async (callback = sampleCallback()): Promise<void> => {
        const entry = sampleEntry(paymentId, 'callback.unconfirmed')
        const work = {
          id: 'poll:x',
          kind: 'poll:174379',
          paymentId,
          cause: 'initiation.accepted',
          delayMs: -1,
        } as const
        await store.recordCallback({
          callback,
          disposition: 'unconfirmed',
          paymentId,
          entry,
          entryWork: [work],
          otherwiseWork: [work],
        })
      }
      for (let count = 0; count < maxCallbackEntries; count++) await keep()
      assert.equal(await claimAndEnd('a'), 1)
      const last = sampleCallback()
      await keep(last)
      assert.equal(await claimAndEnd('b'), 1, 'the trail was full')
      await keep(last)
      const [leased] = await store.claimDue({ ...claim, leaseId: 'c' })
      assert.equal(leased?.id, 'poll:x', 'the same bytes again')
      const result = { id: 'poll:x', leaseId: 'c', outcome: 'done' } as const
      await keep(last)
      assert.deepEqual(await store.claimDue({ ...claim, leaseId: 'd' }), [], 'they were known to who has it')
      await keep()
      await store.finishWork([result], new Date())
      const [again] = await store.claimDue({ ...claim, leaseId: 'e' })
      assert.deepEqual([again?.id, again?.attempts], ['poll:x', 0], 'new ones were not')
    },
  },
  {
    name: 'a pace that does not divide a minute is kept',
    async run(store) {
      const at = new Date(sampleTime.getTime() + 1)
      const pace = await store.changeQueryPace('174379', before => takeTurn(before, at, 60_000 / 7))
      assert.deepEqual([pace.intervalMs, pace.isGranted], [8_571, true])
      const later = await store.changeQueryPace('174379', before => takeTurn(before, at, 60_000 / 7))
      assert.deepEqual([later.intervalMs, later.isGranted, later.nextAt], [8_571, false, pace.nextAt])
    },
  },
  {
    name: 'what is unresolved is listed, the oldest first, and nothing else',
    async run(store) {
      const at = sampleTime.getTime()
      const push = async (reservedAt: number, state: 'unknown' | 'sent', sendDeadlineAt: number) => {
        const record = await reserve(store, sampleIntent({ reservedAt: new Date(reservedAt) }))
        const sent = await commit(
          store,
          step(record, { state: 'sent', initiation: { sendDeadlineAt: new Date(sendDeadlineAt) } }),
        )
        return state === 'sent' ? sent : commit(store, step(sent, { state: 'unknown' }))
      }
      const second = await push(at - 1_000, 'unknown', at)
      const first = await push(at - 2_000, 'sent', at)
      await push(at - 3_000, 'sent', at + 1)
      await accepted(store)
      await reserve(store)
      const refused = await commit(store, step(await reserve(store), { state: 'sent' }))
      await commit(store, step(refused, { state: 'refused' }))
      assert.deepEqual(await store.listUnresolved(sampleTime, 10), [first, second])
      assert.deepEqual(await store.listUnresolved(sampleTime, 1), [first])
    },
  },
  {
    name: 'payments of a range come by their time and id, page after page, ends included and no other shortcode',
    async run(store) {
      const at = sampleTime.getTime()
      const pay = async (initiatedAt: number, shortCode = '174379') => {
        const intent = sampleIntent({ reservedAt: new Date(initiatedAt), shortCode })
        const sent = await commit(store, step(await reserve(store, intent), { state: 'sent' }))
        return (await accept(store, sent)).payment
      }
      const wanted = [await pay(at), await pay(at), await pay(at), await pay(at + 5), await pay(at + 10)]
      await pay(at - 1)
      await pay(at + 11)
      await pay(at + 5, '600000')
      const range = { shortCode: '174379', from: new Date(at), to: new Date(at + 10) }
      const seen: unknown[] = []
      for (let after: { initiatedAt: Date; paymentId: string } | null = null; ; ) {
        const page: Awaited<ReturnType<Store['listPayments']>> = await store.listPayments({ ...range, after }, 2)
        const last = page.at(-1)
        if (last === undefined) break
        seen.push(...page)
        after = { initiatedAt: last.initiatedAt, paymentId: last.id }
      }
      const order = (payment: (typeof wanted)[number]): string => `${payment?.initiatedAt.toISOString()} ${payment?.id}`
      assert.deepEqual(
        seen,
        wanted.sort((a, b) => (order(a) < order(b) ? -1 : 1)),
      )
    },
  },
  {
    name: 'the pace of a shortcode is changed by one caller after another, and is its own',
    async run(store) {
      const begin = { nextAt: sampleTime, intervalMs: 0, isGranted: false }
      const grow = () =>
        store.changeQueryPace('174379', pace => ({ ...(pace ?? begin), intervalMs: (pace?.intervalMs ?? 0) + 1 }))
      await Promise.all(Array.from({ length: 20 }, grow))
      let found: unknown
      await store.changeQueryPace('174379', pace => {
        found = pace
        return pace ?? begin
      })
      assert.deepEqual({ ...(found as object), isGranted: false }, { ...begin, intervalMs: 20 })
      await store.changeQueryPace('600000', pace => {
        assert.equal(pace, null)
        return begin
      })
    },
  },
  {
    name: 'a placeholder for a CheckoutRequestID makes way for the true one',
    async run(store) {
      const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
      const standIn = await accept(store, sent, { checkoutRequestId: 'unknown:1', merchantRequestId: '' })
      const payment = standIn.payment && { ...standIn.payment, checkoutRequestId: 'ws_CO_true', version: 2 }
      const found = await commit(store, step(standIn, { payment }))
      assert.deepEqual(await store.findPayment({ checkoutRequestId: 'ws_CO_true' }), found)
      assert.equal(await store.findPayment({ checkoutRequestId: 'unknown:1' }), null)
    },
  },
  {
    name: 'a receipt that a correction takes away is free for another payment',
    async run(store) {
      const paid = async (record: PaymentRecord): Promise<PaymentRecord> =>
        commit(
          store,
          step(record, {
            payment: record.payment && { ...record.payment, mpesaReceiptNumber: 'TD30FFFF01', version: 2 },
          }),
        )
      const first = await paid(await accepted(store))
      await commit(
        store,
        step(first, { payment: first.payment && { ...first.payment, mpesaReceiptNumber: null, version: 3 } }),
      )
      await paid(await accepted(store))
    },
  },
]
