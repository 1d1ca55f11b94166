import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { Pool } from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { findServices } from '../../../../../scripts/services/find.ts'
import { SqliteRelayAdapter } from '../../adapters/relay-sqlite.ts'
import { createSignal } from '../../workers/signal.ts'
import type { PostgresPool } from './pool.ts'
import { PostgresStreamFanout } from './stream-fanout.ts'

const { postgres } = await findServices()

/** What was told, and waiting for it. */
function createEar() {
  const told: (string | null)[] = []
  const waiting: (() => void)[] = []
  return {
    told,
    hear(appId: string | null): void {
      told.push(appId)
      for (const wake of waiting.splice(0)) wake()
    },
    /** Everybody on this database is heard: only what was asked for counts. */
    async has(wanted: string | null, count = 1): Promise<void> {
      while (told.filter(each => each === wanted).length < count) {
        await new Promise<void>(resolve => waiting.push(resolve))
      }
    },
  }
}

const pools: Pool[] = []
const closers: (() => Promise<void>)[] = []

function openFanout(name: string = randomUUID()) {
  const pool = new Pool({ connectionString: postgres?.url, max: 2, application_name: name })
  pool.on('error', () => undefined)
  pools.push(pool)
  return { name, pool, fanout: new PostgresStreamFanout(pool) }
}

async function openEar(relay = openFanout()) {
  const ear = createEar()
  const end = await relay.fanout.listen(ear.hear)
  closers.push(end)
  await ear.has(null)
  return { ...relay, ...ear, end }
}

afterEach(async () => {
  for (const close of closers.splice(0)) await close()
  for (const pool of pools.splice(0)) await pool.end()
})

/** The backends that listen, of this name. */
const listeners = `FROM pg_stat_activity WHERE application_name = $1 AND query IN ('LISTEN mpesa_stk_streams', 'SELECT 1')`

test('one process has nobody to tell', async () => {
  const storage = await SqliteRelayAdapter.open(':memory:')
  expect(storage.fanout).toBeNull()
  await storage.close()
})

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)('relays on one PostgreSQL', () => {
  test('tell each other which apps have grown', async () => {
    const [one, other] = [openFanout(), await openEar()]
    const [first, second] = [randomUUID(), randomUUID()]
    one.fanout.announce(
      new Map([
        [first, 3],
        [second, 1],
      ]),
    )
    await other.has(first)
    await other.has(second)
    one.fanout.announce(new Map([[first, 4]]))
    await other.has(first, 2)
  })

  test('say at once what came while something was on its way, and that all are to be looked at when they are too many', async () => {
    const { fanout, pool } = openFanout()
    const sent: unknown[] = []
    const query = pool.query.bind(pool)
    const recording: Pick<PostgresPool, 'query'> = {
      query(text, values) {
        sent.push(JSON.parse(String(values?.[1])))
        return query(text, values)
      },
    }
    Object.assign(pool, recording)
    const other = await openEar()
    const apps = Array.from({ length: 5 }, () => randomUUID())
    apps.forEach((appId, index) => {
      fanout.announce(new Map([[appId, index + 1]]))
    })
    fanout.announce(new Map([[apps[1] ?? '', 9]]))
    fanout.announce(new Map([[apps[1] ?? '', 8]]))
    for (const appId of apps) await other.has(appId)
    const [first, ...later] = apps.map((appId, index) => [appId, index === 1 ? 9 : index + 1] as const)
    expect(sent).toEqual([Object.fromEntries([first ?? []]), Object.fromEntries(later)])
    fanout.announce(new Map(Array.from({ length: 500 }, () => [randomUUID(), 1])))
    await other.has(null, 2)
    expect(sent.at(-1)).toBeNull()
  })

  test('listen again when their connection was killed, and look at everything then', async () => {
    const [one, other] = [openFanout(), await openEar()]
    const appId = randomUUID()
    const { rowCount } = await one.pool.query(`SELECT pg_terminate_backend(pid) ${listeners}`, [other.name])
    expect(rowCount).toBe(1)
    await other.has(null, 2)
    one.fanout.announce(new Map([[appId, 1]]))
    await other.has(appId)
  })

  test('end without a connection that still listens, and hear nothing after that', async () => {
    const other = await openEar()
    const removed = once(other.pool, 'remove')
    await other.end()
    await removed
    expect(other.pool.totalCount).toBe(0)
    await other.end()
  })

  test('survive who throws at being told', async () => {
    const one = openFanout()
    const ear = createEar()
    const end = await one.fanout.listen(appId => {
      ear.hear(appId)
      throw new Error('who was told is broken')
    })
    closers.push(end)
    await ear.has(null)
    const [first, second] = [randomUUID(), randomUUID()]
    one.fanout.announce(new Map([[first, 1]]))
    await ear.has(first)
    one.fanout.announce(new Map([[second, 1]]))
    await ear.has(second)
  })
})

describe('a store that is away', () => {
  const away = (): never => {
    throw new Error('connection refused')
  }

  test('is announced to in vain, without anybody hearing of it', async () => {
    let asked = 0
    const fanout = new PostgresStreamFanout({
      connect: async () => away(),
      async query() {
        asked++
        return away()
      },
    })
    fanout.announce(new Map([['app-1', 1]]))
    fanout.announce(new Map([['app-1', 2]]))
    await new Promise(setImmediate)
    expect(asked).toBe(2)
  })

  test('is waited for, and whoever ends meanwhile does not wait', async () => {
    const fanout = new PostgresStreamFanout({ connect: async () => away(), query: async () => away() })
    const ear = createEar()
    const end = await fanout.listen(ear.hear)
    await end()
    expect(ear.told).toEqual([])
  })

  test('whose pool gives a connection only after the end gets it back', async () => {
    let give: (() => void) | undefined
    const returned = createSignal()
    const fanout = new PostgresStreamFanout({
      query: async () => away(),
      connect: () =>
        new Promise(resolve => {
          give = () => resolve({ query: async () => away(), release: returned.happen })
        }),
    })
    const end = await fanout.listen(() => undefined)
    await end()
    give?.()
    await returned.happened
  })

  test('has no notifications, or no connection to spare, and is not listened to', async () => {
    let released = 0
    const client = { query: async () => away(), release: () => void released++ }
    const pool: PostgresPool = { query: async () => away(), connect: async () => client }
    const end = await new PostgresStreamFanout(pool).listen(() => undefined)
    await new Promise(setImmediate)
    expect(released).toBe(1)
    await end()
    const single: PostgresPool = { query: async () => away(), connect: away, options: { max: 1 } }
    const endSingle = await new PostgresStreamFanout(single).listen(() => undefined)
    await endSingle()
  })
})
