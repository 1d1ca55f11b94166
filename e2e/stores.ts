import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, MemoryAdapter, PostgresAdapter, SqliteAdapter, type Store } from 'mpesa-stk'
import { Pool } from 'pg'
import { afterAll } from 'vitest'
import { findServices } from '../scripts/services/find.ts'
import { createManualClock } from './shop-floor.ts'

const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-e2e-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A path for a SQLite file of one's own, which goes with the test file. */
export function newSqlitePath(): string {
  return join(folder, `payments-${randomBytes(4).toString('hex')}.db`)
}

export async function openSqlite(path = newSqlitePath()): Promise<SqliteAdapter> {
  const store = await SqliteAdapter.open(path)
  await store.migrate()
  return store
}

const { postgres } = await findServices()

/** A store in a schema of its own, which goes with it. */
async function openPostgres(connectionString: string): Promise<{ readonly store: Store; readonly pool: Pool }> {
  const schema = `e2e_${process.pid}_${randomBytes(4).toString('hex')}`
  const pool = new Pool({ connectionString, options: `-c search_path=${schema}` })
  await pool.query(`CREATE SCHEMA ${schema}`)
  const store = new PostgresAdapter(pool)
  await store.migrate()
  store.close = async () => {
    await pool.query(`DROP SCHEMA ${schema} CASCADE`)
    await pool.end()
  }
  return { store, pool }
}

/** Every real store, fresh and migrated. */
export const stores: readonly (readonly [string, () => Promise<Store>])[] = [
  ['memory', async () => new MemoryAdapter()],
  ['SQLite', () => openSqlite()],
  // Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
  ...(postgres === undefined ? [] : [['PostgreSQL', async () => (await openPostgres(postgres.url)).store] as const]),
]

/** A store with a clock that moves only when told, and what is due in the store comes due by it. */
export type StoreInTime = AsyncDisposable & {
  readonly store: Store
  readonly clock: Clock
  advance(ms: number): Promise<void>
}

function inTime(store: Store): StoreInTime {
  const clock = createManualClock()
  return {
    store,
    clock,
    advance: async ms => clock.advance(ms),
    [Symbol.asyncDispose]: () => store.close(),
  }
}

export async function openMemoryInTime(): Promise<StoreInTime> {
  return inTime(new MemoryAdapter())
}

/**
 * PostgreSQL goes by its own time, which nobody can move: what is to come is brought nearer instead. What is due already is
 * left alone: a claim skips rows that are locked, so a step of time would hide it from whoever claims at that moment.
 */
async function openPostgresInTime(connectionString: string): Promise<StoreInTime> {
  const { store, pool } = await openPostgres(connectionString)
  const manual = createManualClock()
  async function advance(ms: number): Promise<void> {
    manual.advance(ms)
    await pool.query(
      `UPDATE mpesa_due_work SET due_at = due_at - $1 * interval '1 millisecond',
         lease_until = lease_until - $1 * interval '1 millisecond'
       WHERE due_at > clock_timestamp() OR lease_until > clock_timestamp()`,
      [ms],
    )
  }
  return {
    store,
    clock: { now: manual.now, sleep: advance },
    advance,
    [Symbol.asyncDispose]: () => store.close(),
  }
}

/** The same stores, each in a time of its own. */
export const storesInTime: readonly (readonly [string, () => Promise<StoreInTime>])[] = [
  ['memory', openMemoryInTime],
  ['SQLite', async () => inTime(await openSqlite())],
  // Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
  ...(postgres === undefined ? [] : [['PostgreSQL', () => openPostgresInTime(postgres.url)] as const]),
]
