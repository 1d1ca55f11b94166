import { PostgresAdapter } from 'mpesa-stk'
import type { Pool } from 'pg'
import type { Measurement } from '../measurement.ts'
import { poolSize, withSchema } from './postgres-schema.ts'
import { measureSettling } from './settling.ts'

const count = 400

/** On PostgreSQL, one by one and many at once: there the server flushes several commits together. */
export async function measurePostgres(url: string): Promise<Measurement[]> {
  const measurements: Measurement[] = []
  for (const callers of [1, poolSize]) {
    measurements.push(...(await withSchema(url, pool => measureWithCallers(pool, callers))))
  }
  return measurements
}

async function measureWithCallers(pool: Pool, callers: number): Promise<Measurement[]> {
  const { rows } = await pool.query('SHOW fsync')
  if (rows[0]?.fsync !== 'on') throw new Error('fsync is off: what a commit costs could not be told')
  const store = new PostgresAdapter(pool)
  await store.migrate()
  // A row of its own for every caller, as every callback has its payment.
  await pool.query('CREATE TABLE counters (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)')
  await pool.query('INSERT INTO counters SELECT id, 0 FROM generate_series(1, $1::int) id', [count])
  const update = (index: number): Promise<unknown> =>
    pool.query('UPDATE counters SET value = value + 1 WHERE id = $1', [index + 1])
  const place = `PostgreSQL, ${callers} at once`
  const limit = { name: `${place}: one row updated, committed`, update }
  return measureSettling(store, place, limit, { count, callers })
}
