import assert from 'node:assert/strict'
import type { RelayApp } from '../core/deliver/relay-app.ts'
import { ended, ids, lease, limits, openApp, type RelayCase, recordDue, sampleEvent } from './relay-samples.ts'
import { sampleTime } from './samples.ts'

export const relayCases: readonly RelayCase[] = [
  {
    name: 'an app comes back as it was, and is replaced only by who knows its version',
    async run(storage) {
      assert.equal(await storage.countApps(), 0)
      const app = await openApp(storage, { scheduleMs: [1, 2] })
      const found = await storage.findApp(app.appId)
      assert.deepEqual(
        { ...found, sealedSecrets: [...(found?.sealedSecrets ?? [])] },
        { ...app, sealedSecrets: [0, 255, 1] },
      )
      assert.equal(await storage.findApp('nobody'), null)
      assert.equal(await storage.countApps(), 1)
      const next = { ...app, targetUrl: 'https://other.example', isDisabled: true, disabledReason: '410', version: 2 }
      const saved = await Promise.all([storage.saveApp(next), storage.saveApp(next)])
      assert.equal(saved.filter(Boolean).length, 1)
      assert.equal((await storage.findApp(app.appId))?.targetUrl, 'https://other.example')
    },
  },
  {
    name: 'a setting is kept by who comes first',
    async run(storage) {
      const kept = await Promise.all(['a', 'b', 'c'].map(value => storage.keepSetting('x', value)))
      assert.equal(new Set(kept).size, 1)
      assert.equal(await storage.keepSetting('x', 'd'), kept[0])
      assert.equal(await storage.findSetting('y'), null)
      assert.equal(await storage.keepSetting('y', 'd'), 'd')
      assert.equal(await storage.findSetting('y'), 'd')
    },
  },
  {
    name: 'an event is stored once with its bytes, however many copies come, in one batch or in many at once',
    async run(storage) {
      const { appId } = await openApp(storage)
      const event = sampleEvent(appId, { copies: 2, callbackToken: 'a-token' })
      const outcomes = await Promise.all(
        Array.from({ length: 6 }, (_, index) =>
          storage.recordEvents([{ ...event, id: `${event.id}-${index}` }, sampleEvent(appId)], lease()),
        ),
      )
      assert.equal(outcomes.filter(([first]) => first?.outcome === 'recorded').length, 1)
      assert.equal(outcomes.filter(([, second]) => second?.outcome === 'recorded').length, 6)
      const find = () => storage.findEventOfPush(appId, event.checkoutRequestId ?? '')
      // Nobody waits until copies are counted.
      for (let look = 0; look < 1_000 && (await find())?.copies !== 12; look++)
        await new Promise(resolve => setTimeout(resolve, 20))
      const found = await find()
      assert.equal(found?.copies, 12)
      assert.equal(found?.callbackToken, 'a-token')
      const whole = await storage.findEvent(found?.id ?? '')
      assert.deepEqual([...(whole?.body ?? [])], [...event.body])
      assert.equal((await storage.listEvents(appId, {}, 100)).length, 7)
    },
  },
  {
    name: 'an event that says something else about the same is one of its own, and knows what it contradicts',
    async run(storage) {
      const { appId } = await openApp(storage)
      const first = sampleEvent(appId)
      const { businessKey } = first
      await storage.recordEvents([first], lease())
      const second = sampleEvent(appId, { businessKey, result: '1032 - -' })
      assert.deepEqual(await storage.recordEvents([second], lease()), [{ outcome: 'recorded', contradicts: first.id }])
      const elsewhere = sampleEvent((await openApp(storage)).appId, { businessKey, result: '1032 - -' })
      assert.deepEqual(await storage.recordEvents([elsewhere], lease()), [{ outcome: 'recorded', contradicts: null }])
      const inBatch = sampleEvent(appId, { contradicts: 'event-x' })
      assert.deepEqual(await storage.recordEvents([inBatch], lease()), [
        { outcome: 'recorded', contradicts: 'event-x' },
      ])
    },
  },
  {
    name: 'of two that differ and are recorded in the same instant one knows the other',
    async run(storage) {
      const { appId } = await openApp(storage)
      for (let round = 0; round < 40; round++) {
        const first = sampleEvent(appId)
        const second = sampleEvent(appId, { businessKey: first.businessKey, result: '1032 - -' })
        const outcomes = await Promise.all([
          storage.recordEvents([first, sampleEvent(appId)], lease()),
          storage.recordEvents([sampleEvent(appId), second], lease()),
        ])
        const marks = outcomes.flat().map(outcome => (outcome.outcome === 'recorded' ? outcome.contradicts : 'repeat'))
        assert.deepEqual(marks.filter(mark => mark !== null).length, 1, `round ${round}: ${marks.join()}`)
      }
    },
  },
  {
    name: 'batches of the same keys in many connections at once neither deadlock nor double',
    async run(storage) {
      const { appId } = await openApp(storage)
      const keys = Array.from({ length: 40 }, (_, index) => `key-${String(index).padStart(3, '0')}`)
      await Promise.all(
        Array.from({ length: 8 }, () =>
          storage.recordEvents(
            keys.map(businessKey => sampleEvent(appId, { businessKey })),
            lease(),
          ),
        ),
      )
      assert.equal((await storage.listEvents(appId, {}, 1_000)).length, keys.length)
    },
  },
  {
    name: 'what is due is claimed by one of many, and what is leased by nobody until its lease is over',
    async run(storage) {
      const { appId } = await openApp(storage)
      await storage.recordEvents([sampleEvent(appId)], lease())
      const due = await recordDue(storage, appId, 20)
      const claims = await Promise.all(Array.from({ length: 6 }, () => storage.claimDueEvents(lease(), limits(5), [])))
      const claimed = ids(claims.flat())
      assert.equal(new Set(claimed).size, claimed.length)
      const rest = ids(await storage.claimDueEvents(lease(), limits(50), []))
      assert.deepEqual([...claimed, ...rest].toSorted(), ids(due).toSorted())
    },
  },
  {
    name: 'the trace that an event was received in is claimed with it, and so is that it had none',
    async run(storage) {
      const { appId } = await openApp(storage)
      const traceParent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
      const [traced, untraced] = [sampleEvent(appId, { traceParent }), sampleEvent(appId)]
      await storage.recordEvents([traced, untraced], lease({ leaseMs: 0 }))
      const claimed = await storage.claimDueEvents(lease(), limits(10), [])
      const byId = new Map(claimed.map(event => [event.id, event.traceParent]))
      assert.deepEqual([byId.get(traced.id), byId.get(untraced.id)], [traceParent, null])
    },
  },
  {
    name: 'nothing of an app that is disabled, or that is left out, is claimed',
    async run(storage) {
      const open = await openApp(storage)
      const shut = await openApp(storage, { isDisabled: true })
      const busy = await openApp(storage)
      for (const { appId } of [shut, busy]) await recordDue(storage, appId, 2)
      const due = await recordDue(storage, open.appId, 2)
      const claimed = await storage.claimDueEvents(lease(), limits(10), [busy.appId])
      assert.deepEqual(ids(claimed).toSorted(), ids(due))
      // Recorded while it was disabled: with its enabling it is due, without the end of any lease.
      const held = sampleEvent(open.appId, { isHeld: true })
      await storage.recordEvents([held], lease())
      assert.deepEqual(ids(await storage.claimDueEvents(lease(), limits(10), [busy.appId])), [held.id])
    },
  },
  {
    name: 'a lease is renewed by its owner while it lasts, and by nobody else',
    async run(storage) {
      const { appId } = await openApp(storage)
      const [one, two] = await recordDue(storage, appId, 2)
      assert(one !== undefined && two !== undefined)
      const mine = lease()
      assert.equal((await storage.claimDueEvents(mine, limits(1), [])).length, 1)
      const others = lease()
      const [other] = await storage.claimDueEvents(others, limits(1), [])
      assert(other !== undefined)
      const both = [one.id, two.id]
      assert.equal((await storage.renewLeases(both, mine)).length, 1)
      assert.deepEqual(await storage.renewLeases(both, { ...others, leaseMs: 0 }), [other.id])
      assert.deepEqual(await storage.renewLeases(both, others), [], 'it is over')
    },
  },
  {
    name: 'attempts are kept, and move the event while its lease is the one that is named',
    async run(storage) {
      const { appId } = await openApp(storage)
      await recordDue(storage, appId, 1)
      const [first] = await storage.claimDueEvents(lease({ leaseMs: 0 }), limits(1), [])
      assert(first !== undefined)
      const [second] = await storage.claimDueEvents(lease(), limits(1), [])
      assert(second !== undefined && second.id === first.id)
      await storage.finishDeliveries([ended(first, { status: 'DEAD', error: 'late' })], new Date())
      await storage.finishDeliveries([ended(second, { status: 'FAILED', delayMs: 0, error: 'HTTP 500' })], new Date())
      const failed = (await storage.findEvent(first.id))?.event
      assert.deepEqual(
        [failed?.status, failed?.attemptCount, failed?.lastError, failed?.deliveredAt],
        ['FAILED', 1, 'HTTP 500', null],
      )
      const [third] = await storage.claimDueEvents(lease(), limits(1), [])
      assert(third !== undefined)
      assert.deepEqual([third.attemptCount, third.failures], [1, 1])
      await storage.finishDeliveries([ended(third, { status: 'held', delayMs: 0 })], new Date())
      const [fourth] = await storage.claimDueEvents(lease(), limits(1), [])
      assert(fourth !== undefined)
      assert.deepEqual([fourth.attemptCount, fourth.failures], [1, 1], 'nothing was tried')
      await storage.finishDeliveries([ended(fourth, { status: 'DELIVERED' })], new Date())
      const delivered = (await storage.findEvent(first.id))?.event
      assert.deepEqual([delivered?.status, delivered?.attemptCount, delivered?.lastError], ['DELIVERED', 2, null])
      assert(delivered?.deliveredAt instanceof Date)
      assert.deepEqual(await storage.claimDueEvents(lease(), limits(1), []), [])
      const attempts = await storage.listAttempts(first.id, 10)
      assert.deepEqual(await storage.listAttempts(first.id, 1), attempts.slice(-1))
      assert.deepEqual(
        attempts.map(({ number, httpStatus, errorClass }) => [number, httpStatus, errorClass]),
        [
          [1, 500, 'http'],
          [1, 500, 'http'],
          [2, 200, null],
        ],
      )
      assert.deepEqual(attempts[2]?.at, sampleTime)
    },
  },
  {
    name: 'apps are listed newest first, and one that is deleted is gone while its events stay and are due to end',
    async run(storage) {
      const apps = []
      for (const ms of [1, 2, 2, 3])
        apps.push(await openApp(storage, { createdAt: new Date(sampleTime.getTime() + ms) }))
      const appIds = (list: readonly RelayApp[]): readonly string[] => list.map(({ appId }) => appId)
      const page = await storage.listApps(null, 2)
      const rest = await storage.listApps(page.at(-1)?.appId ?? '', 9)
      assert.deepEqual(appIds([...page, ...rest]), appIds(apps).toReversed())
      const [gone] = apps
      assert(gone !== undefined)
      const [event] = await recordDue(storage, gone.appId, 1)
      assert.equal(await storage.deleteApp(gone.appId), true)
      assert.equal(await storage.deleteApp(gone.appId), false)
      assert.equal(await storage.findApp(gone.appId), null)
      assert.equal((await storage.listEvents(gone.appId, {}, 9)).length, 1)
      assert.deepEqual(ids(await storage.claimDueEvents(lease(), limits(9), [])), [event?.id])
    },
  },
  {
    name: 'events are listed newest first, page after page, by what is asked for',
    async run(storage) {
      const { appId } = await openApp(storage)
      const events = await recordDue(storage, appId, 5)
      const later = sampleEvent(appId, { kind: 'c2b', receivedAt: new Date(sampleTime.getTime() + 1_000) })
      await storage.recordEvents([later], lease())
      const page = await storage.listEvents(appId, {}, 4)
      const rest = await storage.listEvents(appId, { before: page.at(-1)?.id ?? '' }, 4)
      assert.deepEqual(ids([...page, ...rest]), ids([...events, later]).toReversed())
      assert.deepEqual(ids(await storage.listEvents(appId, { kind: 'c2b' }, 9)), [later.id])
      assert.deepEqual(ids(await storage.listEvents(appId, { from: later.receivedAt }, 9)), [later.id])
      assert.equal((await storage.listEvents(appId, { to: sampleTime, status: 'PENDING' }, 9)).length, 5)
      assert.deepEqual(await storage.listEvents(appId, { status: 'DEAD' }, 9), [])
      const counted = await storage.countPending()
      assert.equal(counted.pending, 6)
      assert(counted.oldestDueAt instanceof Date)
    },
  },
  {
    name: 'of each app so many are claimed, so that the backlog of one leaves room for the others',
    async run(storage) {
      const crowded = await openApp(storage)
      await recordDue(storage, crowded.appId, 6)
      const others = [await openApp(storage), await openApp(storage)]
      const due = [
        ...(await recordDue(storage, others[0]?.appId ?? '', 1)),
        ...(await recordDue(storage, others[1]?.appId ?? '', 1)),
      ]
      const claimed = await storage.claimDueEvents(lease(), { perApp: 2, total: 100 }, [])
      assert.equal(claimed.filter(({ appId }) => appId === crowded.appId).length, 2)
      assert.deepEqual(ids(claimed.filter(({ appId }) => appId !== crowded.appId)).toSorted(), ids(due))
      assert.equal((await storage.claimDueEvents(lease(), { perApp: 100, total: 3 }, [])).length, 3)
    },
  },
  {
    name: 'two of one batch that differ know the first of them, whatever order they are written in',
    async run(storage) {
      const { appId } = await openApp(storage)
      const cancelled = sampleEvent(appId, { result: '1032 - -' })
      const { businessKey } = cancelled
      const paid = sampleEvent(appId, { businessKey, result: '0 UHH0AB12CD 500', contradicts: cancelled.id })
      // By their keys the second comes before the first.
      const outcomes = await storage.recordEvents([paid, cancelled], lease())
      assert.deepEqual(outcomes, [
        { outcome: 'recorded', contradicts: cancelled.id },
        { outcome: 'recorded', contradicts: null },
      ])
    },
  },
  {
    name: 'bodies that are nobody’s events are kept with their bytes, counted by budget and time, and forgotten when they are released',
    async run(storage) {
      const body = Uint8Array.of(0xc3, 0x28, 0)
      const now = Date.now()
      const odd = (id: string, appId: string, ageMs: number) => ({
        id,
        appId: `posted-to-${appId}`,
        budget: appId,
        reason: 'unrecognised' as const,
        detail: 'no',
        body,
        length: 3,
        callbackToken: id === 'q1' ? 'a-token' : null,
        receivedAt: new Date(now - ageMs),
      })
      await storage.quarantine([odd('q1', 'a', 10_000), odd('q2', 'a', 0)])
      await storage.quarantine([{ ...odd('q3', 'a', 0), reason: 'oversize', length: 10_000_000 }, odd('q4', 'b', 0)])
      const since = new Date(now - 5_000)
      assert.equal(await storage.countQuarantined('a', since, 100), 3 + 100 + 262_144 + 100)
      assert.equal(await storage.countQuarantined('a', new Date(0), 0), 3 + 3 + 262_144)
      assert.equal(await storage.countQuarantined('nobody', since, 100), 0)
      const listed = await storage.listQuarantine(null, 10)
      assert.deepEqual(ids(listed), ['q4', 'q3', 'q2', 'q1'])
      assert.deepEqual([...(listed[0]?.head ?? [])], [...body])
      assert(!('body' in (listed[0] ?? {})))
      assert.deepEqual(ids(await storage.listQuarantine('q3', 10)), ['q2', 'q1'])
      const long = Uint8Array.from({ length: 1_000 }, (_, index) => index % 256)
      await storage.quarantine([{ ...odd('q5', 'a', 0), body: long, length: 5_000 }])
      assert.deepEqual([...((await storage.listQuarantine(null, 1))[0]?.head ?? [])], [...long.subarray(0, 200)])
      assert.deepEqual([...((await storage.findQuarantined('q5'))?.body ?? [])], [...long])
      const first = odd('q1', 'a', 10_000)
      const found = await storage.findQuarantined('q1')
      assert.deepEqual({ ...found, body: [...(found?.body ?? [])] }, { ...first, body: [...body] })
      assert.equal(await storage.findQuarantined('nobody'), null)
      assert.equal(await storage.deleteQuarantined('q1'), true)
      assert.equal(await storage.deleteQuarantined('q1'), false)
      assert.equal(await storage.findQuarantined('q1'), null)
      assert.deepEqual(ids(await storage.listQuarantine(null, 10)), ['q5', 'q4', 'q3', 'q2'])
    },
  },
]
