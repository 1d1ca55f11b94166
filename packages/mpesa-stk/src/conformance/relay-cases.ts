import assert from 'node:assert/strict'
import type { RelayApp } from '../core/deliver/relay-app.ts'
import type { DeliveryOutcome, DeliveryResult, LeasedEvent, NewRelayEvent } from '../core/deliver/relay-event.ts'
import type { DeliveryLease, RelayStorage } from '../core/deliver/relay-storage.ts'
import { sampleTime } from './samples.ts'

/** One promise of `RelayStorage`, on a fresh one. */
export type RelayCase = { readonly name: string; run(storage: RelayStorage): Promise<void> }

let lastNumber = 0

function sampleApp(changes: Partial<RelayApp> = {}): RelayApp {
  const number = ++lastNumber
  return {
    appId: `app-${number}`,
    sourceId: `source-${number}`,
    targetUrl: 'https://shop.example/hook',
    sealedSecrets: Uint8Array.of(0, 255, 1),
    isDisabled: false,
    disabledReason: null,
    scheduleMs: null,
    c2bFallback: 'reject',
    createdAt: sampleTime,
    version: 1,
    ...changes,
  }
}

async function openApp(storage: RelayStorage, changes: Partial<RelayApp> = {}): Promise<RelayApp> {
  const app = sampleApp(changes)
  await storage.createApp(app)
  return app
}

function sampleEvent(appId: string, changes: Partial<NewRelayEvent> = {}): NewRelayEvent {
  const number = ++lastNumber
  return {
    id: `event-${String(number).padStart(8, '0')}`,
    appId,
    kind: 'stk',
    businessKey: `ws_CO_${number}`,
    result: '0 UHH0AB12CD 500',
    checkoutRequestId: `ws_CO_${number}`,
    body: Uint8Array.of(0x7b, 0, 0xff, 0x7d),
    callbackToken: null,
    receivedAt: sampleTime,
    copies: 1,
    contradicts: null,
    ...changes,
  }
}

function lease(changes: Partial<DeliveryLease> = {}): DeliveryLease {
  return { leaseId: `lease-${++lastNumber}`, leaseMs: 60_000, at: new Date(), ...changes }
}

/** Events that nobody holds any more. */
async function recordDue(storage: RelayStorage, appId: string, count: number): Promise<readonly NewRelayEvent[]> {
  const events = Array.from({ length: count }, () => sampleEvent(appId))
  await storage.recordEvents(events, lease({ leaseMs: 0 }))
  return events
}

const ids = (events: readonly { readonly id: string }[]): readonly string[] => events.map(({ id }) => id)

function ended({ id, leaseId, attemptCount }: LeasedEvent, outcome: DeliveryOutcome): DeliveryResult {
  const at = sampleTime
  const isSuccess = outcome.status === 'DELIVERED'
  const attempt = {
    eventId: id,
    number: attemptCount + 1,
    at,
    durationMs: 12,
    httpStatus: isSuccess ? 200 : 500,
    errorClass: isSuccess ? null : 'http',
    responseHead: 'what it said',
  }
  return { eventId: id, leaseId, attempt: outcome.status === 'held' ? null : attempt, outcome }
}

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
      assert.equal(await storage.keepSetting('y', 'd'), 'd')
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
      const found = await storage.findEventOfPush(appId, event.checkoutRequestId ?? '')
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
      const claims = await Promise.all(Array.from({ length: 6 }, () => storage.claimDueEvents(lease(), 5, [])))
      const claimed = ids(claims.flat())
      assert.equal(new Set(claimed).size, claimed.length)
      const rest = ids(await storage.claimDueEvents(lease(), 50, []))
      assert.deepEqual([...claimed, ...rest].toSorted(), ids(due).toSorted())
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
      const claimed = await storage.claimDueEvents(lease(), 10, [busy.appId])
      assert.deepEqual(ids(claimed).toSorted(), ids(due))
    },
  },
  {
    name: 'a lease is renewed by its owner while it lasts, and by nobody else',
    async run(storage) {
      const { appId } = await openApp(storage)
      const [one, two] = await recordDue(storage, appId, 2)
      assert(one !== undefined && two !== undefined)
      const mine = lease()
      assert.equal((await storage.claimDueEvents(mine, 1, [])).length, 1)
      const others = lease()
      const [other] = await storage.claimDueEvents(others, 1, [])
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
      const [first] = await storage.claimDueEvents(lease({ leaseMs: 0 }), 1, [])
      assert(first !== undefined)
      const [second] = await storage.claimDueEvents(lease(), 1, [])
      assert(second !== undefined && second.id === first.id)
      await storage.finishDeliveries([ended(first, { status: 'DEAD', error: 'late' })], new Date())
      await storage.finishDeliveries([ended(second, { status: 'FAILED', delayMs: 0, error: 'HTTP 500' })], new Date())
      const failed = (await storage.findEvent(first.id))?.event
      assert.deepEqual(
        [failed?.status, failed?.attemptCount, failed?.lastError, failed?.deliveredAt],
        ['FAILED', 1, 'HTTP 500', null],
      )
      const [third] = await storage.claimDueEvents(lease(), 1, [])
      assert(third !== undefined)
      assert.deepEqual([third.attemptCount, third.failures], [1, 1])
      await storage.finishDeliveries([ended(third, { status: 'held', delayMs: 0 })], new Date())
      const [fourth] = await storage.claimDueEvents(lease(), 1, [])
      assert(fourth !== undefined)
      assert.deepEqual([fourth.attemptCount, fourth.failures], [1, 1], 'nothing was tried')
      await storage.finishDeliveries([ended(fourth, { status: 'DELIVERED' })], new Date())
      const delivered = (await storage.findEvent(first.id))?.event
      assert.deepEqual([delivered?.status, delivered?.attemptCount, delivered?.lastError], ['DELIVERED', 2, null])
      assert(delivered?.deliveredAt instanceof Date)
      assert.deepEqual(await storage.claimDueEvents(lease(), 1, []), [])
      const attempts = await storage.listAttempts(first.id)
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
    name: 'what is dead or delivered is due again after a replay, with its whole schedule before it',
    async run(storage) {
      const { appId } = await openApp(storage)
      const events = await recordDue(storage, appId, 2)
      const [dead, delivered] = await storage.claimDueEvents(lease(), 2, [])
      assert(dead !== undefined && delivered !== undefined)
      await storage.finishDeliveries(
        [ended(dead, { status: 'DEAD', error: 'HTTP 500' }), ended(delivered, { status: 'DELIVERED' })],
        new Date(),
      )
      assert.deepEqual(await storage.claimDueEvents(lease(), 2, []), [])
      assert.equal(await storage.replayEvents([...ids(events), 'nobody'], new Date()), 2)
      const again = await storage.claimDueEvents(lease(), 2, [])
      assert.deepEqual(
        again.map(({ failures, attemptCount }) => [failures, attemptCount]),
        [
          [0, 1],
          [0, 1],
        ],
      )
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
    name: 'what is nobody’s event is kept with its bytes, until its app has had its budget for the day',
    async run(storage) {
      const body = Uint8Array.of(0xc3, 0x28, 0)
      const budget = 2 * (body.length + 1024)
      const odd = (id: string, appId = 'a') =>
        ({ id, appId, reason: 'unrecognised', detail: 'no', body, length: 3, receivedAt: new Date() }) as const
      assert.equal(await storage.quarantine(odd('q1'), budget), true)
      assert.equal(await storage.quarantine(odd('q2'), budget), true)
      assert.equal(await storage.quarantine(odd('q3'), budget), false)
      assert.equal(await storage.quarantine(odd('q4', 'b'), budget), true)
      const listed = await storage.listQuarantine(null, 10)
      assert.deepEqual(ids(listed), ['q4', 'q2', 'q1'])
      assert.deepEqual([...(listed[0]?.body ?? [])], [...body])
      assert.deepEqual(ids(await storage.listQuarantine('q2', 10)), ['q1'])
    },
  },
]
