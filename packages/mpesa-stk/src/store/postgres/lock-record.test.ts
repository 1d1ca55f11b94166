import { Pool, type PoolClient } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findServices } from '../../../../../scripts/services/find.ts'
import { PostgresAdapter } from '../../adapters/postgres.ts'
import { accepted, commit, reserve, sampleEntry, samplePayment, step } from '../../conformance/samples.ts'
import type { Transition } from '../../core/ports.ts'
import { commitTransition } from './transition.ts'

const { postgres } = await findServices()
const schema = `lock_record_${process.pid}`
const pool = new Pool({ connectionString: postgres?.url, max: 4, options: `-c search_path=${schema}` })
const store = new PostgresAdapter(pool)

/** Resolves once somebody waits for a lock that `holder` has. */
async function untilSomebodyWaits(holder: PoolClient): Promise<void> {
  const { rows } = await holder.query('SELECT pg_backend_pid() AS pid')
  const waiting = 'SELECT 1 FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))'
  // From another connection: inside a transaction the server shows the activity of its beginning.
  while ((await pool.query(waiting, [rows[0]?.pid])).rowCount === 0);
}

/** What `late` comes to when it waits for the lock that `first` has, and `first` commits. */
async function behind(first: (client: PoolClient) => Promise<unknown>, late: Transition): Promise<unknown> {
  const holder = await pool.connect()
  try {
    await holder.query('BEGIN')
    await first(holder)
    const waiting = store.commitTransition(late)
    await untilSomebodyWaits(holder)
    await holder.query('COMMIT')
    return await waiting
  } finally {
    holder.release()
  }
}

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)('a step that waited for another sees all that it made:', () => {
  beforeAll(async () => {
    await pool.query(`CREATE SCHEMA ${schema}`)
    await store.migrate()
  })
  afterAll(async () => {
    await pool.query(`DROP SCHEMA ${schema} CASCADE`)
    await pool.end()
  })

  test('the payment that came into being', async () => {
    const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
    const payment = samplePayment(sent)
    const acceptance = step(sent, { state: 'accepted', payment })
    const late = await behind(client => commitTransition(client, acceptance), step(sent, { state: 'unknown' }))
    expect(late).toEqual({ outcome: 'conflict', record: { initiation: acceptance.initiation, payment } })
  })

  test('the payment as it changed', async () => {
    const record = await accepted(store)
    const payment = record.payment && { ...record.payment, status: 'CANCELLED' as const, version: 2 }
    const settlement = step(record, { payment })
    const late = await behind(client => commitTransition(client, settlement), step(record, {}))
    expect(late).toEqual({ outcome: 'conflict', record: { ...record, payment } })
  })

  test('the payment that older code settled, which locks nothing else', async () => {
    const record = await accepted(store)
    const { paymentId } = record.initiation
    const settle = "UPDATE mpesa_payments SET status = 'SUCCESS', mpesa_receipt_number = 'UHH0OLDER1' WHERE id = $1"
    const late = await behind(client => client.query(settle, [paymentId]), step(record, {}))
    expect(late).toMatchObject({ outcome: 'conflict', record: { payment: { status: 'SUCCESS', version: 2 } } })
  })

  test('its entry, when it was the same step, sent again because its acknowledgement was lost', async () => {
    const record = await accepted(store)
    const note = { ...step(record, {}), entry: sampleEntry(record.initiation.paymentId, 'reconcile.mismatch') }
    const again = await behind(client => commitTransition(client, note), note)
    expect(again).toEqual({ outcome: 'committed', record, parked: [] })
    const trail = await store.readTrail({ paymentId: record.initiation.paymentId }, 1)
    expect(trail.filter(({ id }) => id === note.entry.id)).toHaveLength(1)
  })
})
