import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findServices } from '../../scripts/services/find.ts'
import { paidBody } from '../callback-bodies.ts'
import { openCutOff } from './cut-off.ts'
import { openOwnPostgres } from './own-postgres.ts'
import { openSink, type Sink } from './relay-floor.ts'
import { findFreePort, startRelay } from './relay-process.ts'
import { openRelaySchema } from './relay-schema.ts'

const { postgres } = await findServices()
const atOnce = 16

/** A database, and how it is taken away and given back. */
type Database = AsyncDisposable & {
  /** As it is always reached. */
  readonly url: string
  /** As the relay reaches it. */
  readonly port: number
  away(): Promise<unknown>
  back(): Promise<void>
}

/** The way to it is cut: connections break, and new ones are refused. */
async function openBehindCutOff(): Promise<Database> {
  if (postgres === undefined) throw new Error('no PostgreSQL')
  const { hostname, port } = new URL(postgres.url)
  const way = await openCutOff({ host: hostname, port: Number(port) })
  const { cut, mend } = way
  return { url: postgres.url, port: way.port, away: cut, back: mend, [Symbol.asyncDispose]: cut }
}

/** It is stopped, and started again after twenty seconds. */
async function openToBeStopped(): Promise<Database> {
  const own = await openOwnPostgres()
  const { url, stop, start } = own
  return {
    url,
    port: Number(new URL(url).port),
    away: stop,
    async back() {
      await new Promise(resolve => setTimeout(resolve, 20_000))
      await start()
    },
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  }
}

async function openHome(database: Database) {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-outage-'))
  const schema = await openRelaySchema(database.url)
  // Its idle connections break with the server, and that is no news.
  schema.pool.on('error', () => {})
  const relayPort = String(await findFreePort())
  return {
    schema,
    start: () =>
      startRelay({
        DATABASE_URL: schema.url(database.port),
        PORT: relayPort,
        RELAY_DATA_DIR: folder,
        LOG_LEVEL: 'silent',
      }),
    spoolFiles: () => readdirSync(join(folder, 'spool')),
    async [Symbol.asyncDispose]() {
      await schema[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function createApp(url: string, sink: Sink): Promise<{ readonly appId: string; readonly hookUrl: string }> {
  const response = await fetch(`${url}/apps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ targetUrl: sink.url }),
  })
  return (await response.json()) as { appId: string; hookUrl: string }
}

async function post(url: string, id: string): Promise<number> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(paidBody(id, 'UHH0AB12CD')) })
  await response.arrayBuffer()
  return response.status
}

const idOf = (body: string): string => /ws_CO_\d+/.exec(body)?.[0] ?? ''

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)('a database that is away', () => {
  test.each<[string, () => Promise<Database>]>([
    ['because the way to it is cut', openBehindCutOff],
    ['because it was stopped for 20 s', openToBeStopped],
  ])(
    '%s costs no callback its acknowledgement, its place in the store or its delivery',
    async (_why, open) => {
      await using database = await open()
      await using home = await openHome(database)
      await using sink = await openSink()
      const relay = await home.start()
      const { appId, hookUrl } = await createApp(relay.url, sink)
      const statuses = new Set<number>()
      let next = 0
      let isOver = false
      async function postOnAndOn(): Promise<void> {
        while (!isOver) statuses.add(await post(`${relay.url}${hookUrl}`, `ws_CO_${next++}`))
      }
      const load = Array.from({ length: atOnce }, postOnAndOn)
      const posted = (more: number): Promise<void> => {
        const until = next + more
        return expect.poll(() => next, { timeout: 60_000, interval: 50 }).toBeGreaterThanOrEqual(until)
      }
      await posted(500)
      await database.away()
      await posted(1_000)
      expect(home.spoolFiles().length, 'they wait on the disk').toBeGreaterThan(0)
      await database.back()
      await posted(500)
      isOver = true
      await Promise.all(load)
      expect([...statuses]).toEqual([200])
      await expect.poll(home.spoolFiles, { timeout: 60_000 }).toEqual([])
      // What was leased when the way was cut is due again when its lease is over, for which no test waits.
      await home.schema.pool.query('UPDATE relay_delivery_events SET lease_until = clock_timestamp()')
      const missing = (): number => next - new Set(sink.delivered.map(({ body }) => idOf(body))).size
      await expect.poll(missing, { timeout: 60_000, interval: 250 }).toBe(0)
      const events = await home.schema.storage.listEvents(appId, {}, next + 10)
      expect(events).toHaveLength(next)
      expect(await relay.stop()).toBe(0)
    },
    180_000,
  )

  test('when the relay starts is no reason not to: whatever comes for whatever app waits, and is judged afterwards', async () => {
    await using database = await openBehindCutOff()
    await using home = await openHome(database)
    await using sink = await openSink()
    const before = await home.start()
    const { appId, hookUrl } = await createApp(before.url, sink)
    await before.stop()
    await database.away()
    const relay = await home.start()
    expect(await post(`${relay.url}${hookUrl}`, 'ws_CO_1')).toBe(200)
    expect(await post(`${relay.url}/hooks/nobody`, 'ws_CO_2')).toBe(200)
    const ready = await fetch(`${relay.url}/readyz`)
    expect(await ready.json()).toMatchObject({ status: 'ready', spool: 'in use' })
    await relay.kill()
    const again = await home.start()
    expect(await post(`${again.url}${hookUrl}`, 'ws_CO_3')).toBe(200)
    await database.back()
    await sink.have(2)
    expect(sink.delivered.map(({ body }) => idOf(body)).toSorted()).toEqual(['ws_CO_1', 'ws_CO_3'])
    expect(await home.schema.storage.listEvents(appId, {}, 10)).toHaveLength(2)
    const [odd] = await home.schema.storage.listQuarantine(null, 10)
    expect(odd).toMatchObject({ reason: 'unknown-app', detail: 'no app nobody' })
    expect(await again.stop()).toBe(0)
  }, 60_000)
})
