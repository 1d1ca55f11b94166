import { randomBytes } from 'node:crypto'
import { Pool } from 'pg'
import { describe, expect, test } from 'vitest'
import { findServices } from '../../../../../scripts/services/find.ts'
import { PostgresRelayAdapter } from '../../adapters/relay-postgres.ts'
import { sampleEvent } from '../../conformance/relay-samples.ts'
import { countCopies } from './relay-events.ts'

const { postgres } = await findServices()

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)('copies in PostgreSQL', () => {
  test('are counted each, also those of one event that are counted at once', async () => {
    const schema = `copies_${process.pid}_${randomBytes(4).toString('hex')}`
    const pool = new Pool({ connectionString: postgres?.url, max: 1, options: `-c search_path=${schema}` })
    await pool.query(`CREATE SCHEMA ${schema}`)
    const storage = new PostgresRelayAdapter(pool)
    await storage.migrate()
    const event = sampleEvent('app-1')
    await storage.recordEvents([event], { leaseId: 'lease-1', leaseMs: 1_000, at: new Date() })
    const other = sampleEvent('app-2')
    await countCopies(pool, [event, other, { ...event, copies: 3 }, event])
    expect((await storage.findEvent(event.id))?.event.copies).toBe(6)
    await pool.query(`DROP SCHEMA ${schema} CASCADE`)
    await pool.end()
  })
})
