import { Pool } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findServices } from '../../../../../scripts/services/find.ts'
import { PostgresAdapter } from '../../adapters/postgres.ts'
import { accepted, sampleCallback, sampleTime, step } from '../../conformance/samples.ts'
import type { NewWork } from '../../core/due/due-work.ts'

const { postgres } = await findServices()
const schema = `transition_${process.pid}`
const pool = new Pool({ connectionString: postgres?.url, max: 1, options: `-c search_path=${schema}` })
const store = new PostgresAdapter(pool)

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)('a step in PostgreSQL', () => {
  beforeAll(async () => {
    await pool.query(`CREATE SCHEMA ${schema}`)
    await store.migrate()
  })
  afterAll(async () => {
    await pool.query(`DROP SCHEMA ${schema} CASCADE`)
    await pool.end()
  })

  test('that brings work and makes the same work needless leaves none, though it writes all in one statement', async () => {
    const record = await accepted(store)
    const { paymentId } = record.initiation
    const work: NewWork = { id: 'both', kind: 'settled', paymentId, cause: 'payment.settled', delayMs: 0 }
    await store.addWork([work])
    const outcome = await store.commitTransition({ ...step(record, {}), work: [work], endsWork: [work.id] })
    expect(outcome).toMatchObject({ outcome: 'committed' })
    const claim = { kinds: ['settled'], at: sampleTime, leaseMs: 1_000, leaseId: 'lease', limit: 1 } as const
    expect(await store.claimDue(claim)).toEqual([])
  })

  test('takes five round trips, whatever it writes: begin, two locks, all writes, commit', async () => {
    const record = await accepted(store)
    const statements: string[] = []
    const counting = new PostgresAdapter({
      query: (text, values) => pool.query(text, values),
      async connect() {
        const client = await pool.connect()
        return {
          query(text, values) {
            statements.push(text)
            return client.query(text, values)
          },
          release: error => client.release(error),
        }
      },
    })
    const payment = record.payment && {
      ...record.payment,
      status: 'SUCCESS' as const,
      mpesaReceiptNumber: 'UHH0TRIPS1',
    }
    const { paymentId } = record.initiation
    const outcome = await counting.commitTransition({
      ...step(record, { payment: payment && { ...payment, version: 2 } }),
      callback: sampleCallback(),
      work: [{ id: 'brought', kind: 'settled', paymentId, cause: 'payment.settled', delayMs: 0 }],
      endsWork: ['needless'],
    })
    expect(outcome).toMatchObject({ outcome: 'committed' })
    expect(statements).toHaveLength(5)
  })
})
