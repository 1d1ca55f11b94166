import { type AuditCheckpoint, type MpesaStk, PostgresAdapter, SqliteAdapter, type Store } from 'mpesa-stk'
import { Pool } from 'pg'
import { describe, expect, test } from 'vitest'
import { openSqliteDatabase } from '../packages/mpesa-stk/src/store/sqlite/database.ts'
import { findServices } from '../scripts/services/find.ts'
import { openShopFloor } from './shop-floor.ts'

const { postgres } = await findServices()
let lastSchema = 0

/** A store, and somebody who may do anything to its database. */
type Owned = { readonly store: Store; run(sql: string): Promise<void>; rows(sql: string): Promise<readonly unknown[]> }

async function ownSqlite(): Promise<Owned> {
  const database = await openSqliteDatabase(':memory:')
  return {
    store: new SqliteAdapter(database),
    run: async sql => void database.exec(sql),
    rows: async sql => database.prepare(sql).all(),
  }
}

async function ownPostgres(connectionString: string): Promise<Owned> {
  const schema = `audit_${process.pid}_${++lastSchema}`
  const pool = new Pool({ connectionString, options: `-c search_path=${schema}` })
  await pool.query(`CREATE SCHEMA ${schema}`)
  const store = new PostgresAdapter(pool)
  store.close = async () => {
    await pool.query(`DROP SCHEMA ${schema} CASCADE`)
    await pool.end()
  }
  return { store, run: async sql => void (await pool.query(sql)), rows: async sql => (await pool.query(sql)).rows }
}

const dropTriggers = {
  SQLite: `DROP TRIGGER mpesa_audit_no_update; DROP TRIGGER mpesa_audit_no_delete; DROP TRIGGER mpesa_audit_no_replace;`,
  PostgreSQL: 'ALTER TABLE mpesa_audit DISABLE TRIGGER ALL',
} as const

const stores: readonly (readonly [keyof typeof dropTriggers, () => Promise<Owned>])[] = [
  ['SQLite', ownSqlite],
  // Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
  ...(postgres === undefined ? [] : [['PostgreSQL', () => ownPostgres(postgres.url)] as const]),
]

const order = { amount: 500, accountReference: 'ORDER-123' }

async function payTwice(owned: Owned, floor: Awaited<ReturnType<typeof openShopFloor>>): Promise<MpesaStk> {
  await owned.store.migrate()
  const mpesa = floor.open(owned.store)
  for (const phoneNumber of ['0708374149', '0700000000']) await mpesa.initiatePayment({ ...order, phoneNumber })
  await floor.idle()
  return mpesa
}

describe.each(stores)('the audit trail in %s', (name, open) => {
  test('holds no phone number, reference, receipt or CheckoutRequestID, and is intact', async () => {
    await using floor = await openShopFloor()
    const owned = await open()
    const mpesa = await payTwice(owned, floor)
    const text = JSON.stringify(await owned.rows('SELECT * FROM mpesa_audit'))
    const [transaction] = floor.simulator.transactions()
    for (const personal of ['254708374149', '708374149', 'ORDER-123', 'ws_CO_', transaction?.receipt ?? 'no receipt']) {
      expect(text).not.toContain(personal)
    }
    expect(await mpesa.verifyAuditTrail()).toEqual({
      isIntact: true,
      payments: 2,
      entries: 8,
      checkpoints: 0,
      problems: [],
    })
    await owned.store.close()
  })

  const last = `sequence = 4 AND payment_id = (SELECT min(payment_id) FROM mpesa_audit)`
  const mendHead = `UPDATE mpesa_initiations SET audit_count = 3,
    audit_head = (SELECT hash FROM mpesa_audit a WHERE a.payment_id = mpesa_initiations.payment_id AND sequence = 3)
    WHERE payment_id = (SELECT min(payment_id) FROM mpesa_audit)`

  test.each<[string, readonly string[], string | null, string]>([
    ['changes an entry', [`UPDATE mpesa_audit SET after = 'FAILED' WHERE ${last}`], 'changed', 'changed'],
    ['cuts a tail', [`DELETE FROM mpesa_audit WHERE ${last}`], 'cut', 'cut'],
    ['cuts a tail and mends the head', [`DELETE FROM mpesa_audit WHERE ${last}`, mendHead], null, 'checkpoint-differs'],
    ['deletes an intent', ['DELETE FROM mpesa_payments', 'DELETE FROM mpesa_initiations'], 'orphans', 'orphans'],
    ['deletes the checkpoints', ['DELETE FROM mpesa_audit_checkpoints'], null, 'checkpoint-missing'],
    [
      'writes the checkpoint anew',
      [`UPDATE mpesa_audit_checkpoints SET seal = '${'0'.repeat(64)}'`],
      'checkpoint-forged',
      'checkpoint-forged',
    ],
  ])('tells on somebody with every right who %s', async (_what, crime, byItself, withCheckpoint) => {
    await using floor = await openShopFloor()
    const owned = await open()
    const mpesa = await payTwice(owned, floor)
    const kept: AuditCheckpoint = await mpesa.checkpointAuditTrail()
    expect(await mpesa.verifyAuditTrail({ checkpoints: [kept] })).toMatchObject({ isIntact: true, checkpoints: 1 })
    await owned.run(dropTriggers[name])
    for (const sql of crime) await owned.run(sql)
    const found = async (checkpoints: readonly AuditCheckpoint[]): Promise<readonly string[]> =>
      (await mpesa.verifyAuditTrail({ checkpoints })).problems.map(({ problem }) => problem)
    expect(await found([kept])).toContain(withCheckpoint)
    // Without the checkpoint, inside or out, only what is done by halves is found.
    await owned.run(byItself === 'checkpoint-forged' ? 'SELECT 1' : 'DELETE FROM mpesa_audit_checkpoints')
    expect(await found([])).toEqual(byItself === null ? [] : expect.arrayContaining([byItself]))
    await owned.store.close()
  })

  test('is sealed by checkpoints that follow each other', async () => {
    await using floor = await openShopFloor()
    const owned = await open()
    const mpesa = await payTwice(owned, floor)
    const first = await mpesa.checkpointAuditTrail()
    await mpesa.initiatePayment({ ...order, phoneNumber: '0708374149' })
    await floor.idle()
    const second = await mpesa.checkpointAuditTrail()
    expect([first.number, first.entries, second.number, second.entries]).toEqual([1, 8, 2, 4])
    expect(await mpesa.verifyAuditTrail({ checkpoints: [first, second] })).toMatchObject({
      isIntact: true,
      checkpoints: 2,
    })
    const stranger = floor.open(owned.store, { auditKey: 'a key that nobody sealed with' })
    expect((await stranger.verifyAuditTrail()).problems).toMatchObject([{ problem: 'checkpoint-forged' }, {}])
    await owned.store.close()
  })
})

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
test.skipIf(postgres === undefined)(
  'a checkpoint in PostgreSQL waits for an entry that was written and is not committed yet',
  async () => {
    await using floor = await openShopFloor()
    const owned = await ownPostgres(postgres?.url ?? '')
    const mpesa = await payTwice(owned, floor)
    const [{ schema } = { schema: '' }] = (await owned.rows('SELECT current_schema() AS schema')) as {
      schema: string
    }[]
    const pool = new Pool({ connectionString: postgres?.url, options: `-c search_path=${schema}` })
    const writer = await pool.connect()
    await writer.query('BEGIN')
    await writer.query(
      "INSERT INTO mpesa_audit (payment_id, sequence, entry_id, at, event, cause, evidence, hash) VALUES ('late', 1, 'late', now(), 'x', 'x', '{}', 'h')",
    )
    let isTaken = false
    const taking = mpesa.checkpointAuditTrail().finally(() => {
      isTaken = true
    })
    let isWaiting = false
    while (!isWaiting && !isTaken) {
      const { rowCount } = await pool.query("SELECT 1 FROM pg_locks WHERE mode = 'ShareLock' AND NOT granted")
      isWaiting = rowCount !== 0
    }
    expect(isTaken, 'it must not seal what it cannot see').toBe(false)
    await writer.query('COMMIT')
    writer.release()
    expect((await taking).entries).toBe(9)
    await pool.end()
    await owned.store.close()
  },
)
