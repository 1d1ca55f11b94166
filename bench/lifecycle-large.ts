import { PostgresAdapter } from 'mpesa-stk'
import type { Pool } from 'pg'
import { findServices } from '../scripts/services/find.ts'
import { startDaraja } from './instant-daraja.ts'
import { fill } from './lifecycle/fill.ts'
import { compareWithEmpty } from './lifecycle/full-and-empty.ts'
import { measureLookUps } from './lifecycle/look-ups.ts'
import { withSchema } from './lifecycle/postgres-schema.ts'
import { openShop } from './lifecycle/shop.ts'
import type { Measurement } from './measurement.ts'

/** What a million settled payments with five million audit entries cost whoever comes after them. */
export async function lifecycleLarge(): Promise<Measurement[]> {
  const { postgres } = await findServices()
  if (postgres === undefined) throw new Error('PostgreSQL is not there: npm run services -- start')
  const { url } = postgres
  return withSchema(url, pool => withSchema(url, emptyPool => measure(pool, emptyPool)))
}

async function measure(pool: Pool, emptyPool: Pool): Promise<Measurement[]> {
  const daraja = await startDaraja()
  try {
    const [full, empty] = [new PostgresAdapter(pool), new PostgresAdapter(emptyPool)]
    await Promise.all([full.migrate(), empty.migrate()])
    await fill(pool, line => console.error(line))
    const mpesa = openShop(full, daraja.url)
    return [...(await measureLookUps(mpesa)), ...(await compareWithEmpty(full, empty, daraja.url))]
  } finally {
    daraja.close()
  }
}
