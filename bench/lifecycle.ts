import { findServices } from '../scripts/services/find.ts'
import { measurePostgres } from './lifecycle/postgres.ts'
import { measureSqlite } from './lifecycle/sqlite.ts'
import type { Measurement } from './measurement.ts'

/**
 * How many callbacks a second are settled (the payment, its callback with the bytes, the audit entry, the call that is due,
 * all in one commit), beside what the same store can do at best in the same run: one row updated and committed.
 */
export async function lifecycle(): Promise<Measurement[]> {
  const { postgres } = await findServices()
  const measurements = await measureSqlite()
  if (postgres === undefined) {
    console.error('PostgreSQL is not there and was left out: npm run services -- start')
    return measurements
  }
  return [...measurements, ...(await measurePostgres(postgres.url))]
}
