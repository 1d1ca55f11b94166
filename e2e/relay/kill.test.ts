import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PostgresRelayAdapter, type RelayStorage, SqliteRelayAdapter } from 'mpesa-stk/server'
import { Pool } from 'pg'
import { describe, expect, test } from 'vitest'
import { findServices } from '../../scripts/services/find.ts'
import { paidBody } from '../callback-bodies.ts'
import { openSink } from './relay-floor.ts'
import { findFreePort, type RelayProcess, startRelay } from './relay-process.ts'

const callbacks = 20_000
const kills = 10
const atOnce = 32
/** Every so many callbacks one is posted twice. */
const twiceEvery = 7

const { postgres } = await findServices()

type Home = {
  readonly environment: Readonly<Record<string, string>>
  /** What a dead relay still holds ends with time, for which no test waits. */
  endLeases(): Promise<void>
  open(): Promise<RelayStorage>
  drop(): Promise<void>
}

function sqliteHome(folder: string): Home {
  return {
    environment: {},
    async endLeases() {},
    open: () => SqliteRelayAdapter.open(join(folder, 'relay.db')),
    async drop() {},
  }
}

async function postgresHome(url: string): Promise<Home> {
  const schema = `kill_${process.pid}`
  const pool = new Pool({ connectionString: url, options: `-c search_path=${schema}` })
  await pool.query(`CREATE SCHEMA ${schema}`)
  const address = new URL(url)
  address.searchParams.set('options', `-c search_path=${schema}`)
  return {
    environment: { DATABASE_URL: address.href },
    endLeases: async () => void (await pool.query('UPDATE relay_delivery_events SET lease_until = clock_timestamp()')),
    open: async () => new PostgresRelayAdapter(pool),
    async drop() {
      await pool.query(`DROP SCHEMA ${schema} CASCADE`)
      await pool.end()
    },
  }
}

const homes: readonly (readonly [string, (folder: string) => Promise<Home>])[] = [
  ['SQLite', async folder => sqliteHome(folder)],
  // Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
  ...(postgres === undefined ? [] : [['PostgreSQL', () => postgresHome(postgres.url)] as const]),
]

describe.each(homes)('on %s', (_name, openHome) => {
  test(`${callbacks} callbacks at full speed and ${kills} times kill -9: what was acknowledged is stored once and delivered`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-kill-'))
    const home = await openHome(folder)
    await using sink = await openSink()
    const port = String(await findFreePort())
    const begin = (): Promise<RelayProcess> =>
      startRelay({ ...home.environment, PORT: port, RELAY_DATA_DIR: folder, LOG_LEVEL: 'error' })
    let relay = await begin()
    const created = await fetch(`${relay.url}/apps`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ targetUrl: sink.url, scheduleMs: Array(50).fill(200) }),
    })
    const { appId, hookUrl } = (await created.json()) as { appId: string; hookUrl: string }

    const acknowledged = new Set<string>()
    let next = 0
    const moments = new Map<number, () => void>()
    let restarting: Promise<void> = Promise.resolve()
    async function post(id: string): Promise<void> {
      try {
        const response = await fetch(`${relay.url}${hookUrl}`, {
          method: 'POST',
          body: JSON.stringify(paidBody(id, 'UHH0AB12CD')),
        })
        await response.arrayBuffer()
        if (response.status === 200) acknowledged.add(id)
      } catch {
        // It was killed: nobody promised anything.
        await restarting
      }
    }
    async function postOnAndOn(): Promise<void> {
      for (let number = next++; number < callbacks; number = next++) {
        moments.get(number)?.()
        const id = `ws_CO_${number}`
        const copies = number % twiceEvery === 0 ? 2 : 1
        await Promise.all(Array.from({ length: copies }, () => post(id)))
      }
    }
    async function killNowAndThen(): Promise<void> {
      for (let kill = 1; kill <= kills; kill++) {
        // At a moment that is nobody's choice.
        const at = Math.floor((callbacks * (kill - Math.random() / 2)) / (kills + 1))
        if (at > next) await new Promise<void>(resolve => moments.set(at, resolve))
        restarting = relay.kill().then(async () => {
          relay = await begin()
        })
        await restarting
      }
    }
    await Promise.all([killNowAndThen(), ...Array.from({ length: atOnce }, postOnAndOn)])
    await home.endLeases()

    const delivered = (): Set<string> => new Set(sink.delivered.map(({ body }) => /ws_CO_\d+/.exec(body)?.[0] ?? ''))
    const missing = (): number => {
      const there = delivered()
      return [...acknowledged].filter(id => !there.has(id)).length
    }
    await expect.poll(missing, { timeout: 120_000, interval: 500 }).toBe(0)
    expect(await relay.stop()).toBe(0)

    const storage = await home.open()
    const ids: string[] = []
    const statuses = new Set<string>()
    for (let before: string | undefined; ; ) {
      const page = await storage.listEvents(appId, before === undefined ? {} : { before }, 5_000)
      for (const event of page) {
        ids.push(event.checkoutRequestId ?? '')
        statuses.add(event.status)
      }
      before = page.at(-1)?.id
      if (before === undefined) break
    }
    const stored = new Set(ids)
    expect(stored.size, 'stored once').toBe(ids.length)
    expect([...acknowledged].filter(id => !stored.has(id))).toEqual([])
    expect(statuses).not.toContain('DEAD')
    expect(acknowledged.size).toBeGreaterThan(callbacks / 2)
    const eventIds = new Map<string, string>()
    for (const { headers, body } of sink.delivered) {
      const id = /ws_CO_\d+/.exec(body)?.[0] ?? ''
      const eventId = headers['x-mpesa-event-id'] ?? ''
      expect(eventIds.get(id) ?? eventId, 'the same event id on every attempt').toBe(eventId)
      eventIds.set(id, eventId)
    }
    console.log(
      `${acknowledged.size} of ${callbacks} acknowledged, ${ids.length} stored, ${sink.delivered.length} deliveries of them`,
    )
    await storage.close()
    await home.drop()
    rmSync(folder, { recursive: true, force: true })
  }, 300_000)
})
