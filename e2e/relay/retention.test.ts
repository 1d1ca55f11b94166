import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RelayServerOptions, type RelayStorage, SqliteRelayAdapter } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { findServices } from '../../scripts/services/find.ts'
import { paidBody } from '../callback-bodies.ts'
import { openRelay, openSink, type QuarantinePage, type Sink } from './relay-floor.ts'
import { openRelaySchema } from './relay-schema.ts'
import { relayStores } from './relay-stores.ts'
import { startSweepingRelay } from './start-sweeping-relay.ts'
import { createTroubledStorage } from './troubled-storage.ts'

type Relay = Awaited<ReturnType<typeof openRelay>>
type ShownEvent = {
  readonly eventId: string
  readonly status: string
  readonly copies: number
  readonly body: object | null
  readonly isBodyRemoved: boolean
  readonly attempts: readonly object[]
}

const dayMs = 24 * 3_600_000
const json = { 'content-type': 'application/json' }
const callback = (id: string): string => JSON.stringify(paidBody(id, 'UHH0AB12CD'))

/** A clock that goes as far ahead as it is told. */
function createClock() {
  let aheadMs = 0
  return {
    now: () => new Date(Date.now() + aheadMs),
    sleep: (durationMs: number): Promise<void> => new Promise(resolve => setTimeout(resolve, durationMs)),
    add(days: number): void {
      aheadMs += days * dayMs
    },
  }
}

/** A relay with an app of which these were delivered, and those died. */
async function openFilled(
  sink: Sink,
  options: Partial<RelayServerOptions>,
  alive: readonly string[],
  dead: readonly string[],
) {
  const clock = createClock()
  const relay = await openRelay({ clock, ...options })
  const app = await relay.createApp(sink.url, { scheduleMs: [] })
  sink.answer((_request, response, { body }) => {
    const isDead = dead.some(id => body.includes(`"${id}"`))
    response.writeHead(isDead ? 404 : 200).end()
  })
  for (const id of [...alive, ...dead]) await relay.post(app.hookUrl, callback(id))
  await sink.have(alive.length + dead.length)
  await relay.app.relay.deliveries.idle()
  sink.answer((_request, response) => void response.writeHead(200).end())
  const idOf = async (id: string): Promise<string> =>
    (await relay.read<ShownEvent>(`/status/${id}?app_id=${app.appId}`)).eventId
  return { relay, app, clock, idOf, sweep: () => relay.app.relay.retention.sweep() }
}

const show = (relay: Relay, eventId: string): Promise<ShownEvent> => relay.read(`/v1/events/${eventId}`)

describe.each(relayStores)('on %s', (_store, openStore) => {
  test('bodies and attempts go first and then the event, and what is dead stays and can be replayed', async () => {
    await using sink = await openSink()
    await using store = await openStore()
    const { relay, app, clock, idOf, sweep } = await openFilled(
      sink,
      store.options,
      ['ws_CO_1'],
      ['ws_CO_2', 'ws_CO_3'],
    )
    await using _relay = relay
    await relay.post(app.hookUrl, 'what is this')
    const [paid, dead, deadToo] = await Promise.all(['ws_CO_1', 'ws_CO_2', 'ws_CO_3'].map(idOf))
    if (paid === undefined || dead === undefined || deadToo === undefined) throw new Error('they are not there')

    expect(await sweep()).toEqual({ delivered: 0, bodies: 0, attempts: 0, quarantine: 0 })
    clock.add(91)
    expect(await sweep()).toEqual({ delivered: 0, bodies: 1, attempts: 1, quarantine: 1 })
    expect(relay.log()).toContain('what had been kept for long enough is gone {"delivered":0,"bodies":1,"attempts":1')
    expect((await relay.read<QuarantinePage>('/v1/quarantine')).bodies).toEqual([])
    const emptied = { status: 'DELIVERED', body: null, isBodyRemoved: true, attempts: [] }
    expect(await show(relay, paid)).toMatchObject(emptied)
    expect(await show(relay, dead)).toMatchObject({ status: 'DEAD', isBodyRemoved: false, attempts: [{ number: 1 }] })

    const refused = await relay.post(`/v1/events/${paid}/replay`, '')
    expect([refused.status, await refused.json()]).toMatchObject([
      409,
      { error: { code: 'MPESA_STK_RELAY_BODY_REMOVED' } },
    ])
    const dry = await relay.post(`/v1/apps/${app.appId}/replay`, '{"status":"DELIVERED","dryRun":true}', json)
    expect(await dry.json()).toEqual({ matched: 0 })
    expect((await relay.post(app.hookUrl, callback('ws_CO_1'))).status).toBe(200)
    await expect.poll(async () => (await show(relay, paid)).copies).toBe(2)
    expect(sink.delivered).toHaveLength(3)
    expect((await relay.post(`/v1/events/${dead}/replay`, '')).status).toBe(200)
    await sink.have(4)
    await relay.app.relay.deliveries.idle()

    clock.add(365)
    expect(await sweep()).toMatchObject({ delivered: 2, bodies: 0 })
    for (const id of [paid, dead]) expect((await relay.get(`/v1/events/${id}`)).status).toBe(404)
    expect(await show(relay, deadToo)).toMatchObject({ status: 'DEAD', body: paidBody('ws_CO_3', 'UHH0AB12CD') })
    const metrics = await (await relay.get('/metrics')).text()
    expect(metrics).toContain('relay_removed_total{what="delivered"} 2')
    expect(metrics).toMatch(/relay_last_sweep_timestamp_seconds 1\.\d+e\+?9|relay_last_sweep_timestamp_seconds \d{10}/)

    // Nobody remembers it: a copy is a callback as good as any.
    await relay.post(app.hookUrl, callback('ws_CO_1'))
    await sink.have(5)
    expect(await idOf('ws_CO_1')).not.toBe(paid)
  })

  test('what is to be kept for ever is', async () => {
    await using sink = await openSink()
    await using store = await openStore()
    const retention = { deliveredDays: null, bodiesDays: null, attemptsDays: null, quarantineDays: null }
    const { relay, app, clock, idOf, sweep } = await openFilled(sink, { ...store.options, retention }, ['ws_CO_1'], [])
    await using _relay = relay
    await relay.post(app.hookUrl, 'what is this')
    clock.add(36_500)
    expect(await sweep()).toEqual({ delivered: 0, bodies: 0, attempts: 0, quarantine: 0 })
    expect(await show(relay, await idOf('ws_CO_1'))).toMatchObject({ isBodyRemoved: false, attempts: [{ number: 1 }] })
    expect((await relay.read<QuarantinePage>('/v1/quarantine')).bodies).toHaveLength(1)
  })

  test('of two relays one sweeps within the hour', async () => {
    await using sink = await openSink()
    await using store = await openStore()
    const { relay } = await openFilled(sink, store.options, ['ws_CO_1'], [])
    await using _relay = relay
    await using other = await openRelay({ storage: relay.storage, dataFolder: relay.folder })
    for (const { app } of [relay, other]) await app.start()
    await Promise.all([relay, other, relay].map(({ app }) => app.relay.retention.sweepInTurn()))
    expect(`${relay.log()}\n${other.log()}`.match(/kept for long enough is gone/g)).toHaveLength(1)
  })
})

describe('a sweep', () => {
  test('gives way while callbacks wait on the disk, ends where the store fails, and goes on the next time', async () => {
    await using sink = await openSink()
    const sqlite = await SqliteRelayAdapter.open(':memory:')
    await sqlite.migrate()
    const { storage, set } = createTroubledStorage(sqlite)
    const { relay, app, clock, idOf, sweep } = await openFilled(sink, { storage, workers: 'manual' }, [], [])
    {
      await using _relay = relay
      await relay.app.start()
      await relay.post(app.hookUrl, callback('ws_CO_1'))
      await sink.have(1)
      await relay.app.relay.deliveries.idle()
      clock.add(91)
      const nothing = { delivered: 0, bodies: 0, attempts: 0, quarantine: 0 }
      set('fails')
      expect(await sweep()).toEqual(nothing)
      expect(relay.log()).toContain('a sweep of what is old ended: the store fails')
      await relay.post(app.hookUrl, callback('ws_CO_2'))
      expect(await sweep()).toEqual(nothing)
      expect(relay.log()).toContain('"because":"callbacks wait on the local disk"')
      set('none')
      await expect.poll(() => relay.app.relay.spool.isEmpty, { timeout: 10_000 }).toBe(true)
      await sweep()
      expect(await show(relay, await idOf('ws_CO_1'))).toMatchObject({ isBodyRemoved: true, attempts: [] })
    }
    await sqlite.close()
  })

  test('that is under way ends its step before the relay has stopped, and begins no other', async () => {
    await using sink = await openSink()
    const sqlite = await SqliteRelayAdapter.open(':memory:')
    await sqlite.migrate()
    let steps = 0
    let goOn = (): void => {}
    let hear = (): void => {}
    const asked = new Promise<void>(resolve => {
      hear = resolve
    })
    const storage: RelayStorage = new Proxy(sqlite, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (typeof value !== 'function') return value
        if (name !== 'retain') return value.bind(target)
        return async (...args: Parameters<RelayStorage['retain']>) => {
          steps++
          hear()
          await new Promise<void>(resolve => {
            goOn = resolve
          })
          return target.retain(...args)
        }
      },
    })
    const { relay, clock, sweep } = await openFilled(sink, { storage }, ['ws_CO_1'], [])
    {
      await using _relay = relay
      clock.add(400)
      const sweeping = sweep()
      await asked
      let isStopped = false
      const stopping = relay.app.stop().then(() => {
        isStopped = true
      })
      await new Promise(resolve => setImmediate(resolve))
      expect(isStopped).toBe(false)
      goOn()
      await stopping
      expect(await sweeping).toMatchObject({ delivered: 1 })
      expect(steps).toBe(1)
    }
    await sqlite.close()
  })
})

const { postgres } = await findServices()
const alive = 400
const dead = 20

type Home = AsyncDisposable & {
  readonly environment: Readonly<Record<string, string>>
  open(): Promise<RelayStorage>
}

const homes: readonly (readonly [string, (folder: string) => Promise<Home>])[] = [
  [
    'SQLite',
    async folder => ({
      environment: {},
      open: () => SqliteRelayAdapter.open(join(folder, 'relay.db')),
      async [Symbol.asyncDispose]() {},
    }),
  ],
  // Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
  ...(postgres === undefined
    ? []
    : [
        [
          'PostgreSQL',
          async () => {
            const schema = await openRelaySchema(postgres.url)
            const environment = { DATABASE_URL: schema.url() }
            return { environment, open: async () => schema.storage, [Symbol.asyncDispose]: schema[Symbol.asyncDispose] }
          },
        ] as const,
      ]),
]

test.each(homes)(
  'kill -9 amid a sweep on %s takes nothing that stays, and no half of what goes',
  async (_store, openHome) => {
    const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-sweep-'))
    await using home = await openHome(folder)
    await using sink = await openSink()
    sink.answer((_request, response, { body }) => void response.writeHead(body.includes('dead') ? 404 : 200).end())
    const environment = { ...home.environment, RELAY_DATA_DIR: folder }
    const relay = await startSweepingRelay(environment)
    const made = await fetch(`${relay.url}/apps`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ targetUrl: sink.url, scheduleMs: [] }),
    })
    const { appId, hookUrl } = (await made.json()) as { appId: string; hookUrl: string }
    const ids = [
      ...Array.from({ length: dead }, (_, number) => `ws_CO_dead_${number}`),
      ...Array.from({ length: alive }, (_, number) => `ws_CO_${number}`),
    ]
    await Promise.all(ids.map(id => fetch(`${relay.url}${hookUrl}`, { method: 'POST', body: callback(id) })))
    await sink.have(ids.length)
    type Events = { readonly events: readonly ShownEvent[] }
    const pending = async (): Promise<number> =>
      ((await (await fetch(`${relay.url}/v1/apps/${appId}/events?status=PENDING`)).json()) as Events).events.length
    await expect.poll(pending, { timeout: 10_000 }).toBe(0)
    relay.sweep()
    while ((await relay.removed()) === 0);
    await relay.kill()

    const storage = await home.open()
    const left = await storage.listEvents(appId, {}, 1_000)
    expect(left.filter(({ status }) => status === 'DEAD')).toHaveLength(dead)
    expect(left.length, 'it was amid it').toBeGreaterThan(dead)
    expect(left.length).toBeLessThan(alive + dead)
    for (const { id } of left) {
      expect(await storage.listAttempts(id, 9)).toHaveLength(1)
      expect((await storage.findEvent(id))?.body?.length).toBeGreaterThan(0)
    }
    await storage.close()

    const again = await startSweepingRelay(environment)
    again.sweep()
    await expect.poll(() => again.hasSwept(), { timeout: 60_000 }).toBe(true)
    await again.kill()
    const after = await home.open()
    const stayed = await after.listEvents(appId, {}, 1_000)
    expect(stayed.map(({ status }) => status)).toEqual(Array(dead).fill('DEAD'))
    await after.close()
    rmSync(folder, { recursive: true, force: true })
  },
  120_000,
)
