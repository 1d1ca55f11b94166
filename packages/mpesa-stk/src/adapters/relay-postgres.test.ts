import { randomBytes } from 'node:crypto'
import { Pool } from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { findServices } from '../../../../scripts/services/find.ts'
import { relayStorageConformance } from '../conformance/relay-conformance.ts'
import { PostgresRelayAdapter } from './relay-postgres.ts'

const { postgres } = await findServices()

async function openSchema() {
  const schema = `relay_${process.pid}_${randomBytes(4).toString('hex')}`
  const pool = new Pool({ connectionString: postgres?.url, max: 8, options: `-c search_path=${schema}` })
  await pool.query(`CREATE SCHEMA ${schema}`)
  return {
    pool,
    async [Symbol.asyncDispose]() {
      await pool.query(`DROP SCHEMA ${schema} CASCADE`)
      await pool.end()
    },
  }
}

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)('PostgresRelayAdapter is a RelayStorage', () => {
  const schemas: Awaited<ReturnType<typeof openSchema>>[] = []
  afterEach(async () => {
    for (const schema of schemas.splice(0)) await schema[Symbol.asyncDispose]()
  })

  async function open(): Promise<PostgresRelayAdapter> {
    const schema = await openSchema()
    schemas.push(schema)
    const storage = new PostgresRelayAdapter(schema.pool)
    await Promise.all([storage.migrate(), storage.migrate()])
    return storage
  }

  for (const { name, run } of relayStorageConformance({ open })) test(name, run)

  test('whose tables are not there is told so', async () => {
    await using schema = await openSchema()
    const storage = new PostgresRelayAdapter(schema.pool)
    const told = { code: 'MPESA_STK_STORE_NOT_MIGRATED' }
    await expect(storage.findApp('x')).rejects.toMatchObject(told)
    const lease = { leaseId: 'x', leaseMs: 0, at: new Date() }
    await expect(storage.recordEvents([], lease)).rejects.toMatchObject(told)
  })
})
