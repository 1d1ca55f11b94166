import { Pool } from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { findServices } from '../../../../scripts/services/find.ts'
import { accepted, commit, reserve, sampleCallback, samplePayment, step } from '../conformance/samples.ts'
import type { PaymentRange } from '../core/ports.ts'
import { storeConformance } from '../testing.ts'
import { PostgresAdapter } from './postgres.ts'

const { postgres } = await findServices()
const pools: Pool[] = []
const schemas: string[] = []

afterAll(async () => {
  const [pool] = pools
  for (const schema of schemas) await pool?.query(`DROP SCHEMA ${schema} CASCADE`)
  await Promise.all(pools.map(each => each.end()))
})

/** A pool whose connections see nothing but a fresh schema. */
async function openSchema(name = `stk_${process.pid}_${schemas.length + 1}`): Promise<Pool> {
  const pool = new Pool({ connectionString: postgres?.url, max: 8, options: `-c search_path=${name}` })
  pool.on('error', () => {})
  pools.push(pool)
  if (!schemas.includes(name)) {
    schemas.push(name)
    await pool.query(`CREATE SCHEMA ${name}`)
  }
  return pool
}

async function openMigrated(name?: string): Promise<PostgresAdapter> {
  const store = new PostgresAdapter(await openSchema(name))
  await store.migrate()
  return store
}

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)('PostgresAdapter is a Store', () => {
  const cases = storeConformance({
    open: () => openMigrated(),
    reopen: () => openMigrated(schemas.at(-1)),
  })
  for (const { name, run } of cases) test(name, run)
})

/** As the documented DDL makes it, by hand, before we ever came. */
const documentedTable = `
CREATE TABLE IF NOT EXISTS mpesa_payments (
  id TEXT PRIMARY KEY,
  checkout_request_id TEXT UNIQUE NOT NULL,
  merchant_request_id TEXT NOT NULL,
  phone_number TEXT NOT NULL,
  amount INTEGER NOT NULL,
  account_reference TEXT NOT NULL,
  status TEXT NOT NULL DEFAULT 'PENDING'
    CHECK (status IN ('PENDING','SUCCESS','FAILED','CANCELLED','TIMEOUT','EXPIRED')),
  mpesa_receipt_number TEXT,
  failure_reason TEXT,
  result_code INTEGER,
  initiated_at TIMESTAMPTZ NOT NULL,
  completed_at TIMESTAMPTZ,
  raw_callback JSONB,
  idempotency_key TEXT UNIQUE
);
CREATE INDEX IF NOT EXISTS mpesa_payments_status_initiated ON mpesa_payments(status, initiated_at);`

const insertOld = `INSERT INTO mpesa_payments (id, checkout_request_id, merchant_request_id, phone_number, amount,
  account_reference, status, mpesa_receipt_number, result_code, initiated_at, idempotency_key)
  VALUES ($1, $2, 'm', '254708374149', 500, 'ORDER', 'SUCCESS', $3, 0, '2026-04-03T10:00:00Z', $4)`

describe.skipIf(postgres === undefined)('the PostgreSQL schema', () => {
  test('takes over a table that was made by hand from the documented DDL, without loss', async () => {
    const pool = await openSchema()
    await pool.query(documentedTable)
    await pool.query(insertOld, ['old-1', 'ws_CO_old_1', 'UHH0AB12CD', 'old-key'])
    // Old code never made receipts unique: two rows with one receipt must not stop the upgrade.
    await pool.query(insertOld, ['old-2', 'ws_CO_old_2', 'UHH0AB12CD', null])
    const store = new PostgresAdapter(pool)
    await store.migrate()
    expect(await store.findPayment({ idempotencyKey: 'old-key' })).toMatchObject({
      initiation: { state: 'accepted', phoneNumber: '254708374149', amount: 500 },
      payment: { id: 'old-1', status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD', resultCodeText: '0', version: 1 },
    })
    expect(await store.findPayment({ checkoutRequestId: 'ws_CO_old_2' })).toMatchObject({ payment: { id: 'old-2' } })
  })

  test('counts a key as used that older code writes after the upgrade', async () => {
    const pool = await openSchema()
    const store = new PostgresAdapter(pool)
    await store.migrate()
    await pool.query(insertOld, ['later', 'ws_CO_later', null, 'later-key'])
    expect(await store.findPayment({ idempotencyKey: 'later-key' })).toMatchObject({ payment: { id: 'later' } })
  })

  test('counts what older code settles beside us: no overwriting, no receipt twice, no lost insert', async () => {
    const pool = await openSchema()
    const store = new PostgresAdapter(pool)
    await store.migrate()
    const record = await accepted(store)
    const { paymentId } = record.initiation
    await pool.query(
      "UPDATE mpesa_payments SET status = 'SUCCESS', mpesa_receipt_number = 'UHH0FOREIG' WHERE id = $1",
      [paymentId],
    )
    const late = await store.commitTransition(
      step(record, { payment: record.payment && { ...record.payment, status: 'CANCELLED', version: 2 } }),
    )
    expect(late).toMatchObject({ outcome: 'conflict', record: { payment: { status: 'SUCCESS' } } })
    const other = await accepted(store)
    const taken = await store.commitTransition(
      step(other, { payment: other.payment && { ...other.payment, mpesaReceiptNumber: 'UHH0FOREIG', version: 2 } }),
    )
    expect(taken).toEqual({ outcome: 'taken', field: 'receipt' })
    const { initiation } = await reserve(store)
    await pool.query(insertOld, ['pushed-by-old-code', 'ws_CO_by_old_code', null, initiation.idempotencyKey])
    expect(await store.findPayment({ checkoutRequestId: 'ws_CO_by_old_code' })).toMatchObject({
      initiation: { idempotencyKey: null },
    })
  })

  test('loses a connection in the middle of a step without ending the process', async () => {
    const pool = await openSchema()
    const store = new PostgresAdapter(pool)
    await store.migrate()
    const record = await accepted(store)
    const holder = await pool.connect()
    await holder.query('BEGIN')
    await holder.query('SELECT 1 FROM mpesa_initiations WHERE payment_id = $1 FOR UPDATE', [
      record.initiation.paymentId,
    ])
    const waiting = store.commitTransition(step(record, {}))
    const rejected = expect(waiting).rejects.toThrow()
    const { rows } = await holder.query('SELECT pg_backend_pid() AS pid')
    // From another connection: inside a transaction the server shows the activity of its beginning.
    let ended: number | null = 0
    while (ended === 0) {
      const { rowCount } = await pool.query(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))',
        [rows[0]?.pid],
      )
      ended = rowCount
    }
    await rejected
    await holder.query('ROLLBACK')
    holder.release()
    expect(await store.commitTransition(step(record, {}))).toMatchObject({ outcome: 'committed' })
  })

  test('makes an acceptance wait for a callback that is just being parked, and hands it over', async () => {
    const pool = await openSchema()
    const store = new PostgresAdapter(pool)
    await store.migrate()
    const sent = await commit(store, step(await reserve(store), { state: 'sent' }))
    const payment = samplePayment(sent)
    const callback = sampleCallback({ checkoutRequestId: payment.checkoutRequestId })
    let release = () => {}
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    let isAboutToPark = () => {}
    const aboutToPark = new Promise<void>(resolve => {
      isAboutToPark = resolve
    })
    // Has looked for the payment and found none; stands just before it stores the callback.
    const slow = new PostgresAdapter({
      query: (text, values) => pool.query(text, values),
      async connect() {
        const client = await pool.connect()
        return {
          async query(text, values) {
            if (text.includes('INSERT INTO mpesa_callbacks')) {
              isAboutToPark()
              await held
            }
            return client.query(text, values)
          },
          release: error => client.release(error),
        }
      },
    })
    const parking = slow.parkCallback(callback)
    await aboutToPark
    let isAccepted = false
    const accepting = store.commitTransition(step(sent, { state: 'accepted', payment })).finally(() => {
      isAccepted = true
    })
    let isWaiting = false
    while (!isAccepted && !isWaiting) {
      const { rowCount } = await pool.query("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
      isWaiting = rowCount !== 0
    }
    release()
    expect(await parking).toBeNull()
    const outcome = await accepting
    expect(outcome.outcome === 'committed' && outcome.parked.map(({ digest }) => digest)).toEqual([callback.digest])
  })

  test('holds under a server whose default isolation is stricter', async () => {
    const pool = await openSchema()
    await pool.query("SET default_transaction_isolation = 'repeatable read'")
    await expect(
      Promise.all(Array.from({ length: 6 }, () => new PostgresAdapter(pool).migrate())),
    ).resolves.toHaveLength(6)
  })

  test('is made once by many who migrate at once', async () => {
    const pool = await openSchema()
    await Promise.all(Array.from({ length: 8 }, () => new PostgresAdapter(pool).migrate()))
    const { rows } = await pool.query('SELECT version FROM mpesa_migrations ORDER BY version')
    expect(rows).toEqual(Array.from({ length: 8 }, (_, index) => ({ version: index + 1 })))
  })

  test('pages through payments of one instant with microseconds, as older code wrote them, each once', async () => {
    const pool = await openSchema()
    const store = new PostgresAdapter(pool)
    await store.migrate()
    const ids: string[] = []
    for (let index = 0; index < 5; index++) ids.push((await accepted(store)).initiation.paymentId)
    await pool.query("UPDATE mpesa_payments SET initiated_at = '2026-04-03T10:00:00.123456Z'")
    const from = new Date('2026-04-03T10:00:00.123Z')
    const seen: string[] = []
    let after: PaymentRange['after'] = null
    for (let page = 0; page < ids.length; page++) {
      const payments = await store.listPayments({ shortCode: '174379', from, to: from, after }, 2)
      seen.push(...payments.map(({ id }) => id))
      const last = payments.at(-1)
      if (last === undefined) break
      after = { initiatedAt: last.initiatedAt, paymentId: last.id }
    }
    expect(seen).toEqual(ids.toSorted())
  })

  test('of a newer release is refused', async () => {
    const pool = await openSchema()
    const store = new PostgresAdapter(pool)
    await store.migrate()
    await pool.query("INSERT INTO mpesa_migrations VALUES (99, 'from the future', now())")
    await expect(store.migrate()).rejects.toMatchObject({ code: 'MPESA_STK_SCHEMA_NEWER' })
  })

  test('that is not there yet is told', async () => {
    const store = new PostgresAdapter(await openSchema())
    await expect(store.findPayment({ paymentId: 'x' })).rejects.toMatchObject({ code: 'MPESA_STK_STORE_NOT_MIGRATED' })
  })

  test.each(["UPDATE mpesa_audit SET event = 'x'", 'DELETE FROM mpesa_audit', 'TRUNCATE mpesa_audit'])(
    'refuses %s',
    async statement => {
      const pool = await openSchema()
      await new PostgresAdapter(pool).migrate()
      await pool.query("INSERT INTO mpesa_audit VALUES (DEFAULT, 'p', 1, 'e', now(), 'x', 'x', NULL, NULL, '{}', 'h')")
      await expect(pool.query(statement)).rejects.toThrow(/append-only/)
    },
  )
})
