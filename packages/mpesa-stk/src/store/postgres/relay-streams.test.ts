import { randomBytes } from 'node:crypto'
import { Pool } from 'pg'
import { describe, expect, test } from 'vitest'
import { readsOf } from '../../../../../e2e/plan-reads.ts'
import { findServices } from '../../../../../scripts/services/find.ts'
import { PostgresRelayAdapter } from '../../adapters/relay-postgres.ts'
import { lease, sampleEvent } from '../../conformance/relay-samples.ts'
import { sampleReport } from '../../conformance/relay-stream-samples.ts'
import type { StreamView } from '../../core/stream/stream-storage.ts'
import { type PostgresPool, sqlState } from './pool.ts'
import { findStreamFloor, readStream } from './relay-streams.ts'

const { postgres } = await findServices()

async function openSchema() {
  const schema = `streams_${process.pid}_${randomBytes(4).toString('hex')}`
  const open = (max: number, name = 'admin'): Pool =>
    new Pool({
      connectionString: postgres?.url,
      max,
      options: `-c search_path=${schema}`,
      application_name: `${schema} ${name}`,
    })
  const pool = open(1)
  await pool.query(`CREATE SCHEMA ${schema}`)
  await new PostgresRelayAdapter(pool).migrate()
  return {
    schema,
    pool,
    open,
    async [Symbol.asyncDispose]() {
      await pool.query(`DROP SCHEMA ${schema} CASCADE`)
      await pool.end()
    },
  }
}

/** Of few it is quicker to read all than a thousand here and there, and for the floor the server does. */
const [few, many] = [20_000, 200_000]
const limit = 100

const reads: readonly (readonly [string, StreamView | null, number])[] = [
  ['of all payments', { kind: 'source' }, limit],
  ['of a payment', { kind: 'payment', paymentId: 'pay_9000' }, limit],
  ['of a push', { kind: 'push', businessKey: 'ws_CO_9000' }, limit],
  ['of nobody’s payment', { kind: 'payment', paymentId: 'pay_none' }, limit],
  ['for the floor', null, 1_000],
]

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)('streams in PostgreSQL', () => {
  test('are read along an index, whatever else there is, also of tables that were never analysed', async () => {
    await using schema = await openSchema()
    const { pool } = schema
    // Each push was reported, called back, and reported again.
    const fill = (from: number, to: number) =>
      pool.query(
        `INSERT INTO relay_delivery_events (id, app_id, kind, business_key, result, checkout_request_id, body, copies, received_at,
         status, attempt_count, failures, due_at, delivered_at, log_position)
       SELECT '0190000' || substr(lpad(to_hex(n), 5, '0'), 1, 1) || '-' || substr(lpad(to_hex(n), 5, '0'), 2) || '-7000-8000-' || lpad(n::text, 12, '0'), 'app-1',
         CASE n % 3 WHEN 1 THEN 'stk' ELSE 'lifecycle' END, CASE n % 3 WHEN 1 THEN 'ws_CO_' ELSE 'pay_' END || n / 3,
         'r' || n % 3, 'ws_CO_' || n / 3, '\\x7b7d', 1, now() + n * interval '1 ms', 'DELIVERED', 0, 0, now(), now(), n
       FROM generate_series($1::int, $2::int) n`,
        [from, to],
      )
    const states: readonly (readonly [string, number, () => Promise<unknown>])[] = [
      ['few', few, () => fill(1, few)],
      ['many', many, () => fill(few + 1, many)],
      ['many, analysed', many, () => pool.query('ANALYZE relay_delivery_events')],
    ]
    for (const [state, rows, prepare] of states) {
      await prepare()
      for (const [what, view, most] of reads.filter(([, view]) => view !== null || rows === many)) {
        for (const after of [0, rows / 2]) {
          const statements: { text: string; values: unknown[] }[] = []
          const on: Pick<PostgresPool, 'query'> = {
            query(text, values = []) {
              statements.push({ text, values })
              return pool.query(text, values)
            },
          }
          if (view === null) await findStreamFloor(on, 'app-1', new Date(0x019000000000 + after))
          else await readStream(on, 'app-1', { view, after, until: rows, limit })
          expect(statements.length, what).toBeGreaterThan(0)
          for (const { text, values } of statements) {
            const { rows: plans } = await pool.query(`EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, values)
            const scans = readsOf(plans[0]?.['QUERY PLAN'][0].Plan)
            expect(scans.length, what).toBeGreaterThan(0)
            const isWide = ([, read]: readonly [string, number]): boolean => read > most
            expect(scans.filter(isWide), `${what}, ${state}, after ${after}`).toEqual([])
          }
        }
      }
    }
  })

  test('have every position once, whoever records what and is killed at it', async () => {
    await using schema = await openSchema()
    const appId = 'app-1'
    const admin = schema.open(2)
    const pools = Array.from({ length: 4 }, () => schema.open(1, 'relay'))
    for (const pool of [admin, ...pools]) pool.on('error', () => undefined)
    await new PostgresRelayAdapter(admin).recordEvents([sampleEvent(appId)], lease())
    const holder = await admin.connect()
    await holder.query('BEGIN')
    await holder.query('SELECT FROM relay_logs FOR UPDATE')
    const failures: unknown[] = []
    const busy = `application_name = '${schema.schema} relay' AND state = 'active'`
    const kill = (which: string) =>
      admin.query(`SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE ${which} LIMIT 1) one`)
    const clients = pools.map(async (pool, who) => {
      const storage = new PostgresRelayAdapter(pool)
      for (let count = 0; count < 40; count++) {
        const reports = [sampleReport(`pay_${count}`), sampleReport(`pay_${who}_${count}`)]
        const work = (
          count % 2 === who % 2
            ? storage.reportPayments(appId, reports, `epoch-${who}`)
            : storage.recordEvents([sampleEvent(appId), sampleEvent(appId)], lease())
        ).catch(error => failures.push(sqlState(error)))
        if (count % 10 === 5) await kill(busy)
        await work
      }
    })
    // Two recorders and two reporters wait for the log; one of them dies at it.
    const waiting = `${busy} AND wait_event_type = 'Lock'`
    for (let count = 0; count < 4; ) {
      const { rows: found } = await admin.query<{ count: number }>(
        `SELECT count(*)::int AS count FROM pg_stat_activity WHERE ${waiting}`,
      )
      count = found[0]?.count ?? 0
    }
    await kill(waiting)
    await holder.query('COMMIT')
    holder.release()
    await Promise.all(clients)
    const { rows: found } = await admin.query<{ position: string; head: string }>(
      `SELECT log_position AS position, (SELECT head FROM relay_logs) AS head FROM relay_delivery_events
       ORDER BY log_position`,
    )
    for (const pool of [admin, ...pools]) await pool.end()
    expect(failures.length).toBeGreaterThan(0)
    // Who dies takes nobody with him: no two were ever given one position.
    expect(failures).not.toContain('23505')
    expect(found.length).toBeGreaterThan(50)
    expect(found.map(({ position }) => Number(position))).toEqual(found.map((_, index) => index + 1))
    expect(Number(found[0]?.head)).toBe(found.length)
  })
})
