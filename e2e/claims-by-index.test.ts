import { PostgresAdapter } from 'mpesa-stk'
import { PostgresRelayAdapter } from 'mpesa-stk/server'
import type { Pool } from 'pg'
import { describe, expect, test } from 'vitest'
import { findServices } from '../scripts/services/find.ts'
import { openRelaySchema } from './relay/relay-schema.ts'

const { postgres } = await findServices()

type Statement = { readonly text: string; readonly values: unknown[] }

/** The pool, and the statements that pass through it. */
function record(pool: Pool): { readonly pool: Pool; readonly statements: Statement[] } {
  const statements: Statement[] = []
  const recording = Object.create(pool) as Pool
  recording.query = ((text: string, values: unknown[] = []) => {
    statements.push({ text, values })
    return pool.query(text, values)
  }) as Pool['query']
  return { pool: recording, statements }
}

/** What it searches an index for, where it may choose. */
async function indexConditions(pool: Pool, { text, values }: Statement): Promise<readonly string[]> {
  const client = await pool.connect()
  try {
    await client.query('SET enable_seqscan = off')
    await client.query('SET enable_bitmapscan = off')
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, values)
    return rows.map(row => row['QUERY PLAN'].trim()).filter(line => line.startsWith('Index Cond'))
  } finally {
    client.release(true)
  }
}

const lease = { leaseId: 'a-lease', leaseMs: 1_000, at: new Date() }

// Of a million rows that were due later, claims once read every one: by `clock_timestamp()` no index can be searched.
// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)('what is due is found by the index, whatever is due later', () => {
  test('by the relay', async () => {
    await using schema = await openRelaySchema(postgres?.url ?? '')
    await schema.storage.migrate()
    const { pool, statements } = record(schema.pool)
    await new PostgresRelayAdapter(pool).claimDueEvents(lease, { perApp: 10, total: 10 }, [])
    const [claim] = statements as [Statement]
    expect(await indexConditions(schema.pool, claim)).toContainEqual(expect.stringContaining('due_at <='))
  })

  test('by the library', async () => {
    await using schema = await openRelaySchema(postgres?.url ?? '')
    const { pool, statements } = record(schema.pool)
    const store = new PostgresAdapter(pool)
    await store.migrate()
    statements.length = 0
    await store.claimDue({ ...lease, kinds: ['settled'], limit: 10 })
    const [claim] = statements as [Statement]
    expect(await indexConditions(schema.pool, claim)).toContainEqual(expect.stringContaining('due_at <='))
  })
})
