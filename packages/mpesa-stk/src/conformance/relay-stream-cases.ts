import assert from 'node:assert/strict'
import { writeReport } from '../core/stream/payment-report.ts'
import { ids, lease, limits, openApp, type RelayCase, sampleEvent } from './relay-samples.ts'
import {
  callbackOf,
  idAt,
  ofPayment,
  ofPush,
  positions,
  read,
  record,
  report,
  sampleReport,
  source,
  told,
} from './relay-stream-samples.ts'

const dayMs = 24 * 3_600_000

export const relayStreamCases: readonly RelayCase[] = [
  {
    name: 'what a merchant’s server reports of a payment stands in the log once, and counts for no quota',
    async run(storage) {
      const { appId } = await openApp(storage)
      assert.deepEqual(await storage.listStreamHeads([appId], new Date()), new Map())
      assert.equal(await report(storage, appId), 0)
      const pending = sampleReport('pay_1', { checkoutRequestId: 'ws_CO_1' })
      const settled = sampleReport('pay_1', { type: 'payment.settled', status: 'SUCCESS', receipt: 'UHH0AB12CD' })
      const again = { ...pending, id: idAt(new Date()) }
      assert.equal(await report(storage, appId, pending, again, settled), 2)
      assert.equal(await report(storage, appId, again, sampleReport('pay_2', { amount: null }), settled), 1)
      assert.equal(await report(storage, appId, again), 0)
      const log = await storage.readLog(appId, { after: 0, limit: 10, withBodies: true })
      assert.deepEqual(positions(log), [1, 2, 3])
      assert.deepEqual(
        log.slice(0, 2).map(({ event }) => event.id),
        [pending.id, settled.id],
      )
      const [first] = log
      const { result, deliveredAt, ...event } = first?.event ?? assert.fail('there is none')
      assert.match(result, /^payment\.pending PENDING [0-9a-f]{16}$/)
      assert.ok(deliveredAt !== null)
      assert.deepEqual(event, {
        id: pending.id,
        appId,
        kind: 'lifecycle',
        businessKey: 'pay_1',
        checkoutRequestId: 'ws_CO_1',
        callbackToken: null,
        contradicts: null,
        copies: 1,
        receivedAt: pending.at,
        status: 'DELIVERED',
        attemptCount: 0,
        dueAt: null,
        lastError: null,
      })
      assert.deepEqual(first?.body, writeReport(pending))
      const head = (await storage.listStreamHeads([appId, 'nobody'], new Date())).get(appId)
      assert.deepEqual(head, { epoch: `epoch-${appId}`, position: 3, eventsToday: 0, floor: 0, clears: 0 })
      assert.equal((await storage.findLog(appId, new Date()))?.eventsToday, 0)
    },
  },
  {
    name: 'a log that callbacks began goes on with reports, and keeps its epoch and what it counted',
    async run(storage) {
      const { appId } = await openApp(storage)
      await storage.recordEvents([sampleEvent(appId)], lease({ leaseId: 'the-first' }))
      assert.equal(await report(storage, appId, sampleReport('pay_1')), 1)
      await record(storage, sampleEvent(appId))
      const head = (await storage.listStreamHeads([appId], new Date())).get(appId)
      assert.deepEqual(head, { epoch: 'the-first', position: 3, eventsToday: 2, floor: 0, clears: 0 })
      const log = await storage.readLog(appId, { after: 0, limit: 10, withBodies: false })
      assert.deepEqual(
        log.map(({ event }) => event.kind),
        ['stk', 'lifecycle', 'stk'],
      )
    },
  },
  {
    name: 'reports and callbacks that many record at once have every position once',
    async run(storage) {
      const { appId } = await openApp(storage)
      const reports = Array.from({ length: 10 }, (_, index) => sampleReport(`pay_${index}`))
      const work = Array.from({ length: 40 }, (_, index) =>
        index % 2 === 0
          ? record(storage, sampleEvent(appId), sampleEvent(appId))
          : report(storage, appId, ...reports.slice(index % 10)).then(added => ({ added })),
      )
      const outcomes = await Promise.all(work)
      const added = outcomes.reduce((sum, outcome) => sum + ('added' in outcome ? outcome.added : 0), 0)
      const log = await storage.readLog(appId, { after: 0, limit: 1_000, withBodies: false })
      const reported = log.filter(({ event }) => event.kind === 'lifecycle').map(({ event }) => event.businessKey)
      assert.equal(added, reported.length)
      assert.equal(new Set(reported).size, reported.length)
      // From the second on: nobody reports the first alone.
      assert.equal(reported.length, 9)
      assert.deepEqual(
        positions(log),
        Array.from({ length: 49 }, (_, index) => index + 1),
      )
      assert.equal((await storage.findLog(appId, new Date()))?.position, 49)
    },
  },
  {
    name: 'what was reported is delivered to nobody, replayed by nobody, and contradicts nothing',
    async run(storage) {
      const { appId } = await openApp(storage)
      const one = sampleReport('pay_1', { checkoutRequestId: 'ws_CO_1' })
      const other = { ...sampleReport('pay_1', { status: 'FAILED', type: 'payment.settled' }) }
      await report(storage, appId, one, other)
      const now = new Date(Date.now() + dayMs)
      assert.deepEqual(await storage.claimDueEvents(lease({ at: now }), limits(10), []), [])
      assert.equal(await storage.replayEvents([one.id, other.id], now), 0)
      const filter = { status: 'DELIVERED', kind: null, from: null, to: null } as const
      assert.equal(await storage.countReplayable(appId, filter), 0)
      const run = await storage.startReplay({ id: idAt(now), appId, filter, perSecond: 10, createdAt: now }, now)
      assert.equal(run.matched, 0)
      assert.equal(await storage.advanceReplays(now), 0)
      assert.deepEqual(await storage.findOverdueApps(now, now, 10), [])
      assert.equal((await storage.countPending()).pending, 0)
      for (const { id } of [one, other]) {
        const event = (await storage.findEvent(id))?.event
        assert.deepEqual([event?.status, event?.contradicts, event?.dueAt], ['DELIVERED', null, null])
      }
      // The payment has the same name as a push: the callback is of another kind.
      await record(storage, callbackOf(appId, 'pay_1'))
      const [callback] = await storage.listEvents(appId, { kind: 'stk' }, 10)
      assert.equal(callback?.contradicts, null)
    },
  },
  {
    name: 'no event of the reports’ kind can be made due by whatever way',
    async run(storage) {
      const { appId } = await openApp(storage)
      await assert.rejects(record(storage, sampleEvent(appId, { kind: 'lifecycle' })))
      assert.equal(await storage.findLog(appId, new Date()), null)
    },
  },
  {
    name: 'callbacks of a push are the payment’s that was reported with it first, from its report on',
    async run(storage) {
      const { appId } = await openApp(storage)
      const push = 'ws_CO_1'
      await report(storage, appId, sampleReport('pay_1', { checkoutRequestId: push }))
      await record(storage, callbackOf(appId, push))
      await report(storage, appId, sampleReport('pay_2', { checkoutRequestId: push }))
      await record(storage, callbackOf(appId, push), callbackOf(appId, 'ws_CO_2'))
      const settled = { type: 'payment.settled', status: 'SUCCESS', checkoutRequestId: push } as const
      await report(storage, appId, sampleReport('pay_1', settled))
      const entries = await read(storage, appId, source)
      const late = entries.find(({ event }) => event.businessKey === 'ws_CO_2')?.position ?? 0
      assert.deepEqual(positions(entries), [1, 2, 3, 4, 5, 6])
      assert.deepEqual(
        entries.map(({ position, paymentId, earlier }) => [position, paymentId, earlier.length]),
        [
          [1, 'pay_1', 0],
          [2, 'pay_1', 0],
          [3, 'pay_2', 0],
          [4, late === 4 ? null : 'pay_1', 0],
          [5, late === 5 ? null : 'pay_1', 0],
          [6, 'pay_1', 0],
        ],
      )
      assert.deepEqual(positions(await read(storage, appId, ofPayment('pay_1'))), [1, 2, late === 4 ? 5 : 4, 6])
      assert.deepEqual(told(await read(storage, appId, ofPayment('pay_2'))), [[3, 'pay_2', []]])
      assert.deepEqual(told(await read(storage, appId, ofPush('ws_CO_2'))), [[late, null, []]])
      assert.deepEqual(await read(storage, appId, ofPayment('pay_3')), [])
    },
  },
  {
    name: 'callbacks from before the report that names their push are read with it, and not at their own places',
    async run(storage) {
      const { appId } = await openApp(storage)
      const push = 'ws_CO_1'
      const early = [callbackOf(appId, push), callbackOf(appId, push)] as const
      await record(storage, early[0])
      await record(storage, callbackOf(appId, 'ws_CO_other'))
      await record(storage, early[1])
      await report(storage, appId, sampleReport('pay_1'))
      await report(storage, appId, sampleReport('pay_1', { checkoutRequestId: push, status: 'PENDING', amount: 1 }))
      await record(storage, callbackOf(appId, push))
      await report(storage, appId, sampleReport('pay_1', { checkoutRequestId: push, type: 'payment.settled' }))
      const payment = await read(storage, appId, ofPayment('pay_1'))
      assert.deepEqual(told(payment), [
        [4, 'pay_1', []],
        [5, 'pay_1', [1, 3]],
        [6, 'pay_1', []],
        [7, 'pay_1', []],
      ])
      assert.deepEqual(ids(payment[1]?.earlier.map(({ event }) => event) ?? []), ids(early))
      assert.deepEqual(payment[1]?.earlier[0]?.body, early[0].body)
      assert.deepEqual(told(await read(storage, appId, source)), [
        [1, null, []],
        [2, null, []],
        [3, null, []],
        [4, 'pay_1', []],
        [5, 'pay_1', [1, 3]],
        [6, 'pay_1', []],
        [7, 'pay_1', []],
      ])
      assert.deepEqual(told(await read(storage, appId, ofPush(push))), [
        [1, null, []],
        [3, null, []],
        [6, 'pay_1', []],
      ])
    },
  },
  {
    name: 'of callbacks from before a report the first twenty are read with it',
    async run(storage) {
      const { appId } = await openApp(storage)
      const early = Array.from({ length: 25 }, () => callbackOf(appId, 'ws_CO_1'))
      for (const callback of early) await record(storage, callback)
      await report(storage, appId, sampleReport('pay_1', { checkoutRequestId: 'ws_CO_1' }))
      const [entry] = await read(storage, appId, ofPayment('pay_1'))
      assert.deepEqual(ids(entry?.earlier.map(({ event }) => event) ?? []), ids(early.slice(0, 20)))
    },
  },
  {
    name: 'a payment with two pushes has the callbacks of both, each from its own report on',
    async run(storage) {
      const { appId } = await openApp(storage)
      await record(storage, callbackOf(appId, 'ws_CO_2'))
      await report(storage, appId, sampleReport('pay_1', { checkoutRequestId: 'ws_CO_1' }))
      await record(storage, callbackOf(appId, 'ws_CO_1'))
      await report(storage, appId, sampleReport('pay_1', { checkoutRequestId: 'ws_CO_2' }))
      await record(storage, callbackOf(appId, 'ws_CO_2'))
      await record(storage, callbackOf(appId, 'ws_CO_1'))
      assert.deepEqual(told(await read(storage, appId, ofPayment('pay_1'))), [
        [2, 'pay_1', []],
        [3, 'pay_1', []],
        [4, 'pay_1', [1]],
        [5, 'pay_1', []],
        [6, 'pay_1', []],
      ])
    },
  },
  {
    name: 'streams have what customers pay and what is reported of it, of this app alone, and nothing else',
    async run(storage) {
      const [app, other] = [await openApp(storage), await openApp(storage)]
      for (const { appId } of [other, app]) {
        await report(storage, appId, sampleReport('pay_1', { checkoutRequestId: 'ws_CO_1' }))
        await record(storage, callbackOf(appId, 'ws_CO_1'))
      }
      const { appId } = app
      for (const kind of ['c2b', 'result', 'ratiba', 'b2b-express', 'operations'] as const) {
        await record(storage, sampleEvent(appId, { kind, businessKey: 'ws_CO_1', checkoutRequestId: null }))
      }
      assert.deepEqual(told(await read(storage, appId, source)), [
        [1, 'pay_1', []],
        [2, 'pay_1', []],
        [3, null, []],
      ])
      assert.deepEqual(positions(await read(storage, appId, ofPayment('pay_1'))), [1, 2])
      assert.deepEqual(told(await read(storage, appId, ofPush('ws_CO_1'))), [
        [2, 'pay_1', []],
        [3, null, []],
      ])
    },
  },
  {
    name: 'a stream is read from a place to a place, so many entries at once',
    async run(storage) {
      const { appId } = await openApp(storage)
      await report(storage, appId, sampleReport('pay_1', { checkoutRequestId: 'ws_CO_1' }))
      for (let count = 0; count < 9; count++) await record(storage, callbackOf(appId, 'ws_CO_1'))
      for (const view of [source, ofPayment('pay_1'), ofPush('ws_CO_1')]) {
        const slice = { after: 3, until: 8, limit: 4 }
        assert.deepEqual(positions(await read(storage, appId, view, slice)), [4, 5, 6, 7])
        assert.deepEqual(positions(await read(storage, appId, view, { ...slice, after: 7 })), [8])
        assert.deepEqual(await read(storage, appId, view, { ...slice, after: 8 }), [])
      }
    },
  },
  {
    name: 'a stream that was cleared begins anew behind what was there, and knows how often',
    async run(storage) {
      const [{ appId }, other] = [await openApp(storage), await openApp(storage)]
      assert.equal(await storage.clearStream(appId), false)
      await record(storage, sampleEvent(appId), sampleEvent(appId), sampleEvent(other.appId))
      assert.equal(await storage.clearStream(appId), true)
      await report(storage, appId, sampleReport('pay_1'))
      const standing = async (id: string) => {
        const head = (await storage.listStreamHeads([appId, other.appId], new Date())).get(id)
        return [head?.position, head?.floor, head?.clears]
      }
      assert.deepEqual(await standing(appId), [3, 2, 1])
      assert.deepEqual(await standing(other.appId), [1, 0, 0])
      assert.equal(await storage.clearStream(appId), true)
      assert.deepEqual(await standing(appId), [3, 3, 2])
      // The log is not the stream.
      assert.equal((await storage.readLog(appId, { after: 0, limit: 10, withBodies: false })).length, 3)
    },
  },
  {
    name: 'the floor of a stream stands before its first entry that is young enough',
    async run(storage) {
      const [{ appId }, young, old] = [await openApp(storage), await openApp(storage), await openApp(storage)]
      const now = new Date()
      const ago = (ms: number): Date => new Date(now.getTime() - ms)
      const since = ago(dayMs)
      assert.equal(await storage.findStreamFloor(appId, since), 0)
      const put = (id: string, ms: number) => record(storage, callbackOf(id, `ws_CO_${ms}`, { receivedAt: ago(ms) }))
      await put(appId, dayMs + 60_000)
      await put(appId, dayMs + 1_000)
      await put(appId, dayMs - 1_000)
      // From a disk where it waited.
      await put(appId, dayMs + 30_000)
      await report(storage, appId, sampleReport('pay_1', { at: ago(0) }))
      assert.equal(await storage.findStreamFloor(appId, since), 2)
      assert.equal(await storage.findStreamFloor(appId, ago(dayMs - 1_000)), 2)
      assert.equal(await storage.findStreamFloor(appId, ago(dayMs - 1_001)), 4)
      assert.equal(await storage.findStreamFloor(appId, new Date(now.getTime() + 1)), 5)
      await put(young.appId, 5)
      assert.equal(await storage.findStreamFloor(young.appId, since), 0)
      await put(old.appId, dayMs + 1)
      assert.equal(await storage.findStreamFloor(old.appId, since), 1)
    },
  },
  {
    name: 'tokens that were taken back are known for as long as they could be good, of each app its own',
    async run(storage) {
      const [{ appId }, other] = [await openApp(storage), await openApp(storage)]
      const at = new Date()
      const later = (ms: number): Date => new Date(at.getTime() + ms)
      const one = { tokenId: 'token-1', subject: null, at, keepUntil: later(1_000) }
      const all = { tokenId: null, subject: 'session-1', at: later(1), keepUntil: later(2_000) }
      await storage.revokeTokens(appId, one)
      await storage.revokeTokens(appId, all)
      await storage.revokeTokens(other.appId, { ...one, tokenId: 'token-2' })
      assert.deepEqual(await storage.listRevocations(appId, later(999)), [one, all])
      assert.deepEqual(await storage.listRevocations(appId, later(1_000)), [all])
      assert.deepEqual(await storage.listRevocations(appId, later(2_000)), [])
      // Whoever comes next takes away what is over, and nothing else.
      const next = { ...one, tokenId: 'token-3', at: later(1_500), keepUntil: later(9_000) }
      await storage.revokeTokens(appId, next)
      assert.deepEqual(await storage.listRevocations(appId, at), [all, next])
      assert.equal((await storage.listRevocations(other.appId, at)).length, 1)
      await storage.deleteApp(other.appId)
      assert.deepEqual(await storage.listRevocations(other.appId, at), [])
      assert.equal((await storage.listRevocations(appId, at)).length, 2)
    },
  },
  {
    name: 'an app is found by its source id, with what it allows pages',
    async run(storage) {
      const open = await openApp(storage, { publicStreams: true, allowedOrigins: ['https://shop.example'] })
      const closed = await openApp(storage)
      assert.deepEqual(await storage.findAppBySource(open.sourceId), open)
      assert.deepEqual(await storage.findAppBySource(closed.sourceId), closed)
      assert.equal(await storage.findAppBySource(open.appId), null)
      const changed = { ...open, publicStreams: false, allowedOrigins: [], version: 2 }
      assert.equal(await storage.saveApp(changed), true)
      assert.deepEqual(await storage.findAppBySource(open.sourceId), changed)
      await storage.deleteApp(open.appId)
      assert.equal(await storage.findAppBySource(open.sourceId), null)
    },
  },
]
