import { randomBytes } from 'node:crypto'
import { Pool } from 'pg'
import { describe, expect, test } from 'vitest'
import { readsOf } from '../../../../../e2e/plan-reads.ts'
import { findServices } from '../../../../../scripts/services/find.ts'
import { PostgresRelayAdapter } from '../../adapters/relay-postgres.ts'
import { retentionKinds } from '../../core/deliver/retention.ts'
import { firstIdOf } from '../../core/time-ordered-id.ts'
import { walks } from './relay-retention.ts'

const { postgres } = await findServices()
const rows = 20_000
const limit = 100

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)('a step of a sweep in PostgreSQL', () => {
  test('reads no more than its limit, whatever stands in front, also of tables that were never analysed', async () => {
    const schema = `retain_${process.pid}_${randomBytes(4).toString('hex')}`
    const pool = new Pool({ connectionString: postgres?.url, max: 1, options: `-c search_path=${schema}` })
    await pool.query(`CREATE SCHEMA ${schema}`)
    await new PostgresRelayAdapter(pool).migrate()
    // The first half is dead.
    await pool.query(
      `INSERT INTO relay_delivery_events
         SELECT '01900000-' || lpad(to_hex(n), 4, '0') || '-7000-8000-' || lpad(n::text, 12, '0'), 'app-' || n % 9, 'stk', n, 'r', NULL,
           '\\x00', NULL, NULL, 1, now(), CASE WHEN n <= $1 / 2 THEN 'DEAD' ELSE 'DELIVERED' END, 1, 0, now(), NULL, NULL,
           now() - interval '9 days', NULL, NULL, n FROM generate_series(1, $1::int) n`,
      [rows],
    )
    await pool.query(
      `INSERT INTO relay_delivery_attempts SELECT id, 1, delivered_at, 5, 200, NULL, '' FROM relay_delivery_events ORDER BY id`,
    )
    await pool.query(
      `INSERT INTO relay_quarantine SELECT id, app_id, app_id, 'unrecognised', '', 1, NULL, delivered_at, '\\x00' FROM relay_delivery_events ORDER BY id`,
    )
    const { rows: middle } = await pool.query('SELECT id FROM relay_delivery_events ORDER BY id OFFSET $1 LIMIT 1', [
      rows * 0.75,
    ])
    for (const kind of retentionKinds) {
      for (const after of ['', String(middle[0]?.id)]) {
        const values = [after, firstIdOf(new Date()), new Date(), limit]
        const { rows: plans } = await pool.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${walks[kind]}`, values)
        const reads = readsOf(plans[0]?.['QUERY PLAN'][0].Plan)
        expect(reads.length, kind).toBeGreaterThan(1)
        expect(
          reads.filter(([, read]) => read > limit),
          `${kind} after ${after}`,
        ).toEqual([])
      }
    }
    await pool.query(`DROP SCHEMA ${schema} CASCADE`)
    await pool.end()
  })
})
