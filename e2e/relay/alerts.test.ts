import { PostgresRelayAdapter, type RelayServerOptions, verifySignature } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { appMark } from '../../packages/mpesa-stk/src/core/deliver/app-mark.ts'
import { systemClock } from '../../packages/mpesa-stk/src/platform.ts'
import { findServices } from '../../scripts/services/find.ts'
import { failedBody, paidBody } from '../callback-bodies.ts'
import { type AlertStore, alertStores } from './alert-stores.ts'
import { type Delivered, openRelay, openSink, type QuarantinePage, type Sink } from './relay-floor.ts'
import { openRelaySchema } from './relay-schema.ts'

const { postgres } = await findServices()
const phone = '254708374149'
/** As Safaricom's: it ends with the customer's number. */
const pushOf = (number: number): string => `ws_CO_0304202610${number}${phone.slice(3)}`
const paid = (number: number): string => JSON.stringify(paidBody(pushOf(number), 'UHH0AB12CD'))
const failed = (number: number): string => JSON.stringify(failedBody(pushOf(number), 1032))
const json = { 'content-type': 'application/json' }
const hourMs = 3_600_000

type AlertBody = {
  readonly type: string
  readonly id: string
  readonly subject: string
  readonly details: Readonly<Record<string, string | number>>
  readonly what: string
  readonly todo: string
}

const bodyOf = ({ body }: Delivered): AlertBody => JSON.parse(body) as AlertBody
const typesOf = (sink: Sink): readonly string[] => sink.delivered.map(each => bodyOf(each).type)

/** It begins at the full hour, so that no test runs over the end of the time in which an alert is told once. */
function createHourClock() {
  const began = Date.now()
  const aheadMs = hourMs - (began % hourMs)
  return { ...systemClock, now: () => new Date(Date.now() + aheadMs) }
}

/** A relay with an operator's endpoint and the app of a merchant. */
async function openWatched(
  store: AlertStore,
  { scheduleMs = [60_000], ...options }: Partial<RelayServerOptions> & { scheduleMs?: readonly number[] } = {},
) {
  const operator = await openSink()
  const shop = await openSink()
  const relay = await openRelay({ storage: store.storage, clock: createHourClock(), ...options })
  const close = relay[Symbol.asyncDispose]
  await relay.app.start()
  const watching = await relay.createApp(operator.url, { receives: 'alerts' })
  const app = await relay.createApp(shop.url, { scheduleMs })
  const secrets = [app.appId, watching.appId, app.signingSecret, watching.signingSecret, phone, phone.slice(3), 'ws_CO']
  return Object.assign(relay, {
    operator,
    shop,
    watching,
    appId: app.appId,
    hookUrl: app.hookUrl,
    mark: appMark(app.appId),
    /** The alert of this type, once it has come, after all that every alert has was looked at. */
    async alert(type: string): Promise<AlertBody> {
      await expect.poll(() => typesOf(operator), { timeout: 10_000 }).toContain(type)
      const delivered = operator.delivered.find(each => bodyOf(each).type === type)
      if (delivered === undefined) throw new Error(`no ${type}`)
      const { headers, body } = delivered
      const alert = bodyOf(delivered)
      expect(headers['x-mpesa-kind']).toBe('operations')
      expect(headers['x-mpesa-event-id']).toBe(alert.id)
      expect(verifySignature(body, watching.signingSecret, headers['x-mpesa-signature'])).toBe(true)
      expect(alert).toMatchObject({ runbook: `docs/runbook.md#${type.replaceAll('.', '')}` })
      for (const secret of secrets) expect(body).not.toContain(secret)
      for (const text of [alert.what, alert.todo]) expect(text).not.toMatch(/[{]\w+[}]|\?\?/)
      expect(relay.log()).toContain(`alert: ${type}`)
      return alert
    },
    /** Every alert that is in the store for the operator, after what is under way has ended. */
    async recorded(): Promise<readonly string[]> {
      await relay.app.relay.deliveries.idle()
      await relay.app.relay.alarm.idle()
      const events = await store.within.listEvents(watching.appId, {}, 1_000)
      return events.map(({ businessKey }) => businessKey.split(' ')[0] ?? '').toSorted()
    },
    async [Symbol.asyncDispose]() {
      await close()
      await shop[Symbol.asyncDispose]()
      await operator[Symbol.asyncDispose]()
    },
  })
}

describe.each(alertStores)('an operator’s endpoint of a relay on %s hears', (_name, open) => {
  test('that an app was disabled, because its endpoint is gone', async () => {
    await using store = await open()
    await using relay = await openWatched(store)
    relay.shop.answer((_request, response) => void response.writeHead(410).end())
    await relay.post(relay.hookUrl, paid(1))
    expect(await relay.alert('endpoint.disabled')).toMatchObject({ subject: relay.mark, details: { reason: '410' } })
    expect(await relay.recorded()).toEqual(['endpoint.disabled'])
    const { events } = await relay.read<{ events: object[] }>(`/v1/apps/${relay.watching.appId}/events`)
    expect(events).toMatchObject([{ kind: 'operations', status: 'DELIVERED', contradicts: null }])
    const metrics = await (await relay.get('/metrics')).text()
    expect(metrics).toContain('relay_alerts_total{type="endpoint.disabled"} 1')
  })

  test('that an endpoint is left alone, once for each outage', async () => {
    await using store = await open()
    await using relay = await openWatched(store)
    relay.shop.answer((_request, response) => void response.writeHead(500).end())
    await Promise.all(Array.from({ length: 12 }, (_, number) => relay.post(relay.hookUrl, paid(number))))
    const { subject, details } = await relay.alert('breaker.opened')
    expect([subject, details]).toEqual([relay.mark, { failures: 5, lastError: 'HTTP 500' }])
    expect(await relay.recorded()).toEqual(['breaker.opened'])
  })

  test('of dead events, the first of them by its id', async () => {
    await using store = await open()
    await using relay = await openWatched(store, { scheduleMs: [] })
    relay.shop.answer((_request, response) => void response.writeHead(404).end())
    await Promise.all(Array.from({ length: 12 }, (_, number) => relay.post(relay.hookUrl, paid(number))))
    await relay.shop.have(12)
    const { subject, details } = await relay.alert('delivery.dead')
    expect([subject, details]).toMatchObject([relay.mark, { kind: 'stk', attempts: 1, error: 'HTTP 404' }])
    const dead = await store.within.findEvent(String(details['eventId']))
    expect(dead?.event).toMatchObject({ appId: relay.appId, status: 'DEAD' })
    expect(await relay.recorded()).toEqual(['delivery.dead'])
    // In the log is each of them.
    expect(relay.log().match(/alert: delivery\.dead/g)).toHaveLength(12)
  })

  test('of a contradiction, with both events', async () => {
    await using store = await open()
    await using relay = await openWatched(store)
    await relay.post(relay.hookUrl, paid(1))
    await relay.post(relay.hookUrl, failed(1))
    const { subject, details } = await relay.alert('contradiction')
    expect([subject, details['kind']]).toEqual([relay.mark, 'stk'])
    const second = await store.within.findEvent(String(details['eventId']))
    expect(second?.event).toMatchObject({ appId: relay.appId, contradicts: details['contradicts'] })
    expect(await relay.recorded()).toEqual(['contradiction'])
  })

  test('that callbacks wait on the disk while they do, and has it in the store afterwards, with its end', async () => {
    await using store = await open()
    await using relay = await openWatched(store, { alertThresholds: { spoolActiveMs: 1 } })
    await store.away()
    relay.app.relay.apps.forget(relay.appId)
    await relay.post(relay.hookUrl, paid(1))
    const { id, details } = await relay.alert('spool.active')
    expect(details['files']).toBe(1)
    expect(relay.app.relay.spool.isEmpty).toBe(false)
    expect(await store.within.listEvents(relay.watching.appId, {}, 9)).toEqual([])
    await store.back()
    await relay.shop.have(1)
    await relay.alert('spool.drained')
    expect(await relay.recorded()).toEqual(['spool.active', 'spool.drained'])
    expect((await store.within.findEvent(id))?.event.status).toBe('DELIVERED')
    const { events } = await relay.read<{ events: object[] }>(`/v1/apps/${relay.watching.appId}/events`)
    expect(events).toHaveLength(2)
  }, 20_000)

  test('that callbacks wait for long to be delivered, though they were tried', async () => {
    await using store = await open()
    await using relay = await openWatched(store, {
      scheduleMs: [hourMs],
      alertThresholds: { pendingAgeMs: 1, lookEveryMs: 1 },
    })
    relay.shop.answer((_request, response) => void response.writeHead(404).end())
    await relay.post(relay.hookUrl, paid(1))
    expect(await relay.alert('pending.age')).toMatchObject({ subject: relay.mark })
    expect(await relay.recorded()).toEqual(['pending.age'])
  })

  test('that the quarantine grows, by a flood and not by a few', async () => {
    await using store = await open()
    const clock = { ...systemClock }
    const alertThresholds = { quarantinedBodies: 10, lookEveryMs: 1 }
    await using relay = await openWatched(store, { clock, alertThresholds })
    for (let body = 0; body < 10; body++) await relay.post(relay.hookUrl, 'junk')
    await relay.app.relay.watch.look()
    expect(await relay.recorded()).toEqual([])
    await relay.post('/hooks/nobody', 'junk')
    expect(await relay.alert('quarantine.growing')).toMatchObject({ details: { bodies: 10, minutes: 10 } })
  })

  test('that an app is over its quota of the day', async () => {
    await using store = await open()
    await using relay = await openWatched(store, { alertThresholds: { lookEveryMs: 1 } })
    const { appId, hookUrl } = await relay.createApp(relay.shop.url, { dailyQuota: 1 })
    await relay.post(hookUrl, paid(1))
    await relay.app.relay.watch.look()
    expect(await relay.recorded()).toEqual([])
    await relay.post(hookUrl, paid(2))
    expect(await relay.alert('quota.exceeded')).toMatchObject({ subject: appMark(appId), details: { quota: 1 } })
  })

  test('nothing of itself, however it fares, and loses nothing by that', async () => {
    await using store = await open()
    await using relay = await openWatched(store, { alertThresholds: { pendingAgeMs: 1, lookEveryMs: 1 } })
    const watching = await relay.createApp(relay.operator.url, { receives: 'alerts', scheduleMs: [] })
    relay.operator.answer((_request, response) => void response.writeHead(500).end())
    // One alert for each of six apps, and each fails at both endpoints: a circuit opens, and events die.
    relay.shop.answer((_request, response) => void response.writeHead(410).end())
    for (let app = 0; app < 6; app++) {
      const { hookUrl } = await relay.createApp(relay.shop.url)
      await relay.post(hookUrl, paid(app))
    }
    await expect.poll(() => relay.log().match(/alert: delivery\.dead/g)?.length ?? 0).toBeGreaterThanOrEqual(5)
    await expect.poll(() => relay.log()).toContain('alert: breaker.opened')
    await relay.app.relay.watch.look()
    expect(await relay.recorded()).toEqual(Array(6).fill('endpoint.disabled'))
    expect(await store.within.listEvents(watching.appId, {}, 99)).toHaveLength(6)
    expect(relay.log()).toContain(`alert: delivery.dead {"subject":"${appMark(watching.appId)}"`)
    relay.operator.answer((_request, response) => void response.writeHead(200).end())
    await relay.app.relay.deliveries.idle()
    const before = relay.operator.delivered.length
    const dead = await store.within.listEvents(watching.appId, { status: 'DEAD' }, 99)
    expect(dead.length).toBeGreaterThanOrEqual(5)
    await relay.post(`/v1/apps/${watching.appId}/replay`, '{}', json)
    await relay.operator.have(before + 1)
  }, 20_000)

  test('though it was disabled meanwhile, when it is enabled', async () => {
    await using store = await open()
    await using relay = await openWatched(store)
    const headers = { ...json, authorization: `Bearer ${relay.watching.signingSecret}` }
    const set = (isDisabled: boolean) =>
      fetch(`${relay.url}/apps/${relay.watching.appId}`, {
        method: 'PATCH',
        headers,
        body: JSON.stringify({ isDisabled }),
      })
    await set(true)
    await relay.post(relay.hookUrl, paid(1))
    await relay.post(relay.hookUrl, failed(1))
    await relay.shop.have(2)
    expect(await relay.recorded()).toEqual(['contradiction'])
    expect(relay.operator.delivered).toEqual([])
    await set(false)
    await relay.alert('contradiction')
  })
})

test('the hook of an operator’s endpoint takes nothing, and who may make one is the operator', async () => {
  await using operator = await openSink()
  await using relay = await openRelay()
  const { appId, hookUrl } = await relay.createApp(operator.url, { receives: 'alerts', c2bFallback: 'reject' })
  expect(await relay.read(`/apps/${appId}`)).toMatchObject({ receives: 'alerts' })
  expect((await relay.post(hookUrl, paid(1))).status).toBe(200)
  const { bodies } = await relay.read<QuarantinePage>('/v1/quarantine')
  expect(bodies).toMatchObject([{ reason: 'unknown-app', detail: 'its app receives alerts, and no callbacks' }])
  const asked = await relay.post(`${hookUrl}/c2b/validation`, '{"TransID":"UHH0AB12CD"}')
  expect(await asked.json()).toMatchObject({ ResultCode: 'C2B00016' })
  expect(operator.delivered).toEqual([])
  await using guarded = await openRelay({ adminToken: 'a token of the operator' })
  const body = JSON.stringify({ targetUrl: operator.url, receives: 'alerts' })
  expect((await guarded.post('/apps', body, json)).status).toBe(401)
})

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)('several relays on one PostgreSQL', () => {
  test('tell each operator once, in a flood, and after one of them was started anew', async () => {
    if (postgres === undefined) return
    await using schema = await openRelaySchema(postgres.url)
    await schema.storage.migrate()
    await using operator = await openSink()
    await using shop = await openSink()
    shop.answer((_request, response) => void response.writeHead(404).end())
    const clock = createHourClock()
    const start = () =>
      openRelay({ storage: new PostgresRelayAdapter(schema.pool), clock, encryptionKey: 'the key of all the relays' })
    await using one = await start()
    await using two = await start()
    const operators = [
      await one.createApp(operator.url, { receives: 'alerts' }),
      await two.createApp(operator.url, { receives: 'alerts' }),
    ]
    const { appId, hookUrl } = await one.createApp(shop.url, { scheduleMs: [] })
    const flood = async (relays: readonly Awaited<ReturnType<typeof start>>[], from: number): Promise<void> => {
      const numbers = Array.from({ length: 100 }, (_, index) => from + index)
      const post = async (body: string, number: number) => relays[number % relays.length]?.post(hookUrl, body)
      await Promise.all(numbers.map(number => post(paid(number), number)))
      await Promise.all(numbers.map(number => post(failed(number), number + 1)))
      for (const { app } of relays) {
        await app.relay.deliveries.idle()
        await app.relay.alarm.idle()
      }
    }
    await flood([one, two], 1_000)
    await one.app.stop()
    await using three = await start()
    await flood([two, three], 2_000)
    expect((await schema.storage.listEvents(appId, {}, 1_000)).length).toBe(400)
    await operator.have(4)
    for (const { appId: watching } of operators) {
      const events = await schema.storage.listEvents(watching, {}, 99)
      const keys = events.map(({ businessKey }) => businessKey.split(' ').slice(0, 2).join(' '))
      expect(keys.toSorted()).toEqual([`contradiction ${appMark(appId)}`, `delivery.dead ${appMark(appId)}`])
    }
    expect(new Set(operator.delivered.map(each => bodyOf(each).id)).size).toBe(4)
  }, 30_000)
})
