import assert from 'node:assert/strict'
import type { RelayApp } from '../core/deliver/relay-app.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { ended, ids, lease, limits, openApp, type RelayCase, recordDue, sampleEvent } from './relay-samples.ts'
import { sampleTime } from './samples.ts'

const minuteMs = 60_000
const after = new Date(sampleTime.getTime() + minuteMs)

/** What the relay asks the store for, so as to tell its operator. */
export const relayAlertCases: readonly RelayCase[] = [
  {
    name: 'the operators’ endpoints are found among the apps, the disabled ones too',
    async run(storage) {
      await openApp(storage)
      assert.deepEqual(await storage.listOperatorApps(), [])
      const operators = [
        await openApp(storage, { receives: 'alerts' }),
        await openApp(storage, { receives: 'alerts', isDisabled: true }),
      ]
      const byId = (apps: readonly RelayApp[]) => apps.toSorted((a, b) => (a.appId < b.appId ? -1 : 1))
      assert.deepEqual(byId(await storage.listOperatorApps()), byId(operators))
      const [operator] = operators
      assert(operator !== undefined)
      await storage.saveApp({ ...operator, targetUrl: 'https://other.example/', version: 2 })
      assert.equal((await storage.findApp(operator.appId))?.receives, 'alerts')
    },
  },
  {
    name: 'an event that is made anew with its id and its key is a repeat, also by many at once',
    async run(storage) {
      const { appId } = await openApp(storage)
      const event = sampleEvent(appId, { kind: 'operations' })
      const outcomes = await Promise.all(Array.from({ length: 6 }, () => storage.recordEvents([event], lease())))
      assert.equal(outcomes.flat().filter(({ outcome }) => outcome === 'recorded').length, 1)
      assert.deepEqual(await storage.recordEvents([event], lease()), [{ outcome: 'repeat' }])
    },
  },
  {
    name: 'apps are overdue with what has waited too long since it was received, tried or not, the longest first',
    async run(storage) {
      const late = await openApp(storage)
      const later = await openApp(storage)
      await recordDue(storage, late.appId, 2)
      const receivedAt = new Date(sampleTime.getTime() - minuteMs)
      await storage.recordEvents([sampleEvent(later.appId, { receivedAt })], lease({ leaseMs: 0 }))
      const inTime = await openApp(storage)
      await storage.recordEvents([sampleEvent(inTime.appId, { receivedAt: new Date() })], lease({ leaseMs: 0 }))
      const both = [
        { appId: later.appId, since: receivedAt },
        { appId: late.appId, since: sampleTime },
      ]
      assert.deepEqual(await findOverdue(storage), both)
      assert.deepEqual(await storage.findOverdueApps(receivedAt, new Date(), 9), both.slice(0, 1))
      assert.deepEqual(await storage.findOverdueApps(after, new Date(), 1), both.slice(0, 1))
      // An attempt in vain, and a circuit that puts the next one off, change nothing of it.
      const claimed = await storage.claimDueEvents(lease(), limits(9), [])
      assert.deepEqual(await findOverdue(storage), [], 'all of it is being delivered')
      await storage.finishDeliveries(
        claimed.map((event, index) =>
          index % 2 === 0
            ? ended(event, { status: 'FAILED', delayMs: 3_600_000, error: 'HTTP 500' })
            : {
                eventId: event.id,
                leaseId: event.leaseId,
                attempt: null,
                outcome: { status: 'held', delayMs: minuteMs },
              },
        ),
        new Date(),
      )
      assert.deepEqual(await findOverdue(storage), both)
    },
  },
  {
    name: 'nothing is overdue of an app that is disabled or receives alerts, nor what was delivered, is dead or was just replayed',
    async run(storage) {
      const { appId } = await openApp(storage)
      const events = await recordDue(storage, appId, 3)
      const claimed = await storage.claimDueEvents(lease(), limits(3), [])
      assert.deepEqual(ids(claimed).toSorted(), ids(events))
      await storage.finishDeliveries(
        claimed.map((event, index) =>
          ended(event, index === 0 ? { status: 'DELIVERED' } : { status: 'DEAD', error: 'HTTP 500' }),
        ),
        new Date(),
      )
      await storage.replayEvents([claimed[2]?.id ?? ''], new Date())
      for (const changes of [{ isDisabled: true }, { receives: 'alerts' as const }]) {
        await recordDue(storage, (await openApp(storage, changes)).appId, 1)
      }
      assert.deepEqual(await findOverdue(storage), [])
      const future = new Date(Date.now() + minuteMs)
      assert.deepEqual(
        (await storage.findOverdueApps(future, new Date(), 9)).map(app => app.appId),
        [appId],
      )
    },
  },
  {
    name: 'bodies that are nobody’s events are counted from an id on, and no further than asked',
    async run(storage) {
      const odd = (id: string) => ({
        id,
        appId: 'a',
        budget: 'a',
        callbackToken: null,
        reason: 'unrecognised' as const,
        detail: 'no',
        body: Uint8Array.of(0),
        length: 1,
        receivedAt: sampleTime,
      })
      await storage.quarantine(['q1', 'q2', 'q3', 'q4'].map(odd))
      assert.equal(await storage.countQuarantinedFrom('q2', 9), 3)
      assert.equal(await storage.countQuarantinedFrom('q2', 2), 2)
      assert.equal(await storage.countQuarantinedFrom('q5', 9), 0)
    },
  },
]

const findOverdue = (storage: RelayStorage) => storage.findOverdueApps(after, new Date(), 9)
