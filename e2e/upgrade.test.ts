import { PostgresAdapter, SqliteAdapter, type Store } from 'mpesa-stk'
import { Pool } from 'pg'
import { describe, expect, test } from 'vitest'
import { sql as postgresPayments } from '../packages/mpesa-stk/src/store/migrations/postgres/0001-payments.ts'
import { sql as postgresTokens } from '../packages/mpesa-stk/src/store/migrations/postgres/0002-access-tokens.ts'
import { sql as postgresWork } from '../packages/mpesa-stk/src/store/migrations/postgres/0003-due-work.ts'
import { sql as sqlitePayments } from '../packages/mpesa-stk/src/store/migrations/sqlite/0001-payments.ts'
import { sql as sqliteTokens } from '../packages/mpesa-stk/src/store/migrations/sqlite/0002-access-tokens.ts'
import { sql as sqliteWork } from '../packages/mpesa-stk/src/store/migrations/sqlite/0003-due-work.ts'
import { openSqliteDatabase } from '../packages/mpesa-stk/src/store/sqlite/database.ts'
import { findServices } from '../scripts/services/find.ts'
import { createManualClock, openShopFloor } from './shop-floor.ts'

const { postgres } = await findServices()

type Old = {
  readonly store: Store
  run(sql: string): Promise<void>
  count(from: string): Promise<number>
  /** A time, and bytes, as this database keeps them. */
  at(iso: string): string
  readonly bytes: string
}

async function oldSqlite(): Promise<Old> {
  const database = await openSqliteDatabase(':memory:')
  database.exec('CREATE TABLE mpesa_migrations (version INTEGER PRIMARY KEY, name TEXT, applied_at INTEGER) STRICT')
  for (const sql of [sqlitePayments, sqliteTokens, sqliteWork]) database.exec(sql)
  return {
    store: new SqliteAdapter(database),
    run: async sql => void database.exec(sql),
    count: async from => database.prepare(`SELECT 1 FROM ${from}`).all().length,
    at: iso => String(Date.parse(iso)),
    bytes: "x'7b7d'",
  }
}

async function oldPostgres(connectionString: string): Promise<Old> {
  const schema = `upgrade_${process.pid}`
  const pool = new Pool({ connectionString, options: `-c search_path=${schema}` })
  await pool.query(`CREATE SCHEMA ${schema}`)
  await pool.query('CREATE TABLE mpesa_migrations (version INTEGER PRIMARY KEY, name TEXT, applied_at TIMESTAMPTZ)')
  for (const sql of [postgresPayments, postgresTokens, postgresWork]) await pool.query(sql)
  const store = new PostgresAdapter(pool)
  store.close = async () => {
    await pool.query(`DROP SCHEMA ${schema} CASCADE`)
    await pool.end()
  }
  return {
    store,
    run: async sql => void (await pool.query(sql)),
    count: async from => (await pool.query(`SELECT 1 FROM ${from}`)).rows.length,
    at: iso => `'${iso}'`,
    bytes: "'{}'",
  }
}

const stores: readonly (readonly [string, () => Promise<Old>])[] = [
  ['SQLite', oldSqlite],
  // Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
  ...(postgres === undefined ? [] : [['PostgreSQL', () => oldPostgres(postgres.url)] as const]),
]

describe.each(stores)('a %s store of schema 3', (_name, open) => {
  test('is upgraded in place without loss: chained trails, callbacks, due work, and a poll for what is pending', async () => {
    await using floor = await openShopFloor()
    const { store, run, count, at, bytes } = await open()
    const began = new Date(Math.floor(Date.now() / 1000) * 1000 - 3_600_000 + 123)
    const time = at(began.toISOString())
    const threeDaysAgo = at(new Date(began.getTime() - 3 * 24 * 3_600_000).toISOString())
    await run(`INSERT INTO mpesa_migrations VALUES (1, 'a', ${time}), (2, 'b', ${time}), (3, 'c', ${time})`)
    for (const [id, status, initiated, shortCode] of [
      ['paid', 'SUCCESS', time, '174379'],
      ['open', 'PENDING', time, '174379'],
      ['adopted', 'PENDING', time, ''],
      ['stale', 'PENDING', threeDaysAgo, '174379'],
    ]) {
      await run(`INSERT INTO mpesa_initiations (payment_id, idempotency_key, state, phone_number, amount, account_reference,
          description, short_code, transaction_type, party_b, reserved_at)
        VALUES ('${id}', 'key-${id}', 'accepted', '254712345678', 500, 'REF', 'd', '${shortCode}', 'CustomerPayBillOnline', '174379', ${time})`)
      await run(`INSERT INTO mpesa_payments (id, checkout_request_id, merchant_request_id, phone_number, amount,
          account_reference, status, initiated_at, idempotency_key, version)
        VALUES ('${id}', 'ws_CO_${id}', 'm-${id}', '254712345678', 500, 'REF', '${status}', ${initiated}, 'key-${id}', 2)`)
      for (const sequence of [1, 2, 3]) {
        await run(`INSERT INTO mpesa_audit VALUES ('${id}', ${sequence}, '${id}-${sequence}', ${time}, 'initiation.sent', 'initiate',
          'reserved', 'sent', '{"token":true,"n":${sequence}}')`)
      }
    }
    await run(`INSERT INTO mpesa_callbacks (digest, payment_id, disposition, body, copies, received_at, last_received_at)
      VALUES ('d', 'paid', 'applied', ${bytes}, 1, ${time}, ${time}), ('e', '', 'parked', ${bytes}, 2, ${time}, ${time})`)
    await run(
      `INSERT INTO mpesa_due_work VALUES ('w', 'settled', 'paid', 'payment.settled', 3, ${time}, 0, NULL, NULL, NULL)`,
    )

    await store.migrate()
    await store.migrate()
    const clock = createManualClock()
    const mpesa = floor.open(store, {}, clock)
    expect(await mpesa.verifyAuditTrail()).toMatchObject({ isIntact: true, payments: 4, entries: 12 })
    const history = await mpesa.history({ phoneNumber: '0712345678' })
    expect(history.map(({ paymentId, sequence }) => `${paymentId} ${sequence}`)).toEqual([
      ...['adopted 1', 'adopted 2', 'adopted 3'],
      ...['open 1', 'open 2', 'open 3'],
      ...['paid 1', 'paid 2', 'paid 3'],
      ...['stale 1', 'stale 2', 'stale 3'],
    ])
    expect(history[7]).toMatchObject({ id: 'paid-2', evidence: { token: true, n: 2 }, before: 'reserved' })
    expect(history[7]?.at).toEqual(began)
    expect(await count("mpesa_callbacks WHERE disposition IN ('applied', 'parked')")).toBe(2)
    expect(await count("mpesa_due_work WHERE id = 'poll:open' AND kind = 'poll:174379'")).toBe(1)
    expect(await count("mpesa_due_work WHERE id = 'poll:adopted' AND kind = 'poll:'")).toBe(1)
    expect(await count("mpesa_due_work WHERE id IN ('poll:paid', 'poll:stale')")).toBe(0)
    await mpesa.runDueWork()
    expect(
      floor.settled.map(({ id }) => id),
      'what was due is done',
    ).toContain('paid')
    await expect(run("UPDATE mpesa_audit SET event = 'x'")).rejects.toThrow(/append-only/)
    await expect(run('DELETE FROM mpesa_audit')).rejects.toThrow(/append-only/)
    await store.close()
  })
})

test.each(['position', 'entry_id', '(payment_id, sequence)'])(
  'SQLite lets nobody replace a line of the chained trail by its %s',
  async by => {
    const database = await openSqliteDatabase(':memory:')
    const store = new SqliteAdapter(database)
    await store.migrate()
    const row = { position: 1, entry_id: "'e'", payment_id: "'p'", sequence: 1 }
    const insert = (values: typeof row): void =>
      void database.exec(
        `INSERT OR REPLACE INTO mpesa_audit VALUES (${values.position}, ${values.payment_id}, ${values.sequence}, ${values.entry_id}, 0, 'x', 'x', NULL, NULL, '{}', 'h')`,
      )
    insert(row)
    const other = { position: 2, entry_id: "'f'", payment_id: "'q'", sequence: 2 }
    const same =
      by === 'position'
        ? { position: row.position }
        : by === 'entry_id'
          ? { entry_id: row.entry_id }
          : { payment_id: row.payment_id, sequence: row.sequence }
    expect(() => insert({ ...other, ...same })).toThrow(/append-only/)
    await store.close()
  },
)
