import {
  type InitiatedPayment,
  MemoryAdapter,
  type MpesaStk,
  PostgresAdapter,
  SqliteAdapter,
  type Store,
} from 'mpesa-stk'
import { Pool } from 'pg'
import { describe, expect, test } from 'vitest'
import { findServices } from '../../scripts/services/find.ts'
import { interceptStore } from '../intercept-store.ts'
import { createManualClock, openShopFloor } from '../shop-floor.ts'

const { postgres } = await findServices()
let lastSchema = 0

/** `endLeases` is for a store that goes by its own time, which no test can put forward. */
type Opened = { readonly store: Store; endLeases(): Promise<unknown> }

async function openSqlite(): Promise<Opened> {
  const store = await SqliteAdapter.open(':memory:')
  await store.migrate()
  return { store, endLeases: async () => {} }
}

async function openPostgres(connectionString: string): Promise<Opened> {
  const schema = `fault_${process.pid}_${++lastSchema}`
  const pool = new Pool({ connectionString, max: 4, options: `-c search_path=${schema}` })
  await pool.query(`CREATE SCHEMA ${schema}`)
  const store = new PostgresAdapter(pool)
  await store.migrate()
  store.close = async () => {
    await pool.query(`DROP SCHEMA ${schema} CASCADE`)
    await pool.end()
  }
  const due = 'due_at = least(due_at, clock_timestamp()), lease_until = clock_timestamp()'
  return { store, endLeases: () => pool.query(`UPDATE mpesa_due_work SET ${due}`) }
}

const stores: readonly (readonly [string, () => Promise<Opened>])[] = [
  ['memory', async () => ({ store: new MemoryAdapter(), endLeases: async () => {} })],
  ['SQLite', openSqlite],
  // Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
  ...(postgres === undefined ? [] : [['PostgreSQL', () => openPostgres(postgres.url)] as const]),
]

/** How the store fails at its nth operation: `takes` tells whether the operation takes effect all the same. */
const faults = [
  ['once, before it took effect', { takes: false, times: 1 }],
  ['once, after it took effect: the acknowledgement is lost', { takes: true, times: 1 }],
  ['for longer than anybody tries again', { takes: false, times: 8 }],
] as const

type Fault = (typeof faults)[number][1]

/** More operations than a payment has: an end for a loop that would not end. */
const mostOperations = 100
const order = { phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' }
const hour = 3_600_000

describe.each(stores)('a %s store', (_name, openStore) => {
  test.each(faults)(
    'that fails at its nth operation, for every n, %s, loses and doubles nothing',
    async (_how, fault) => {
      let isReached = true
      let operation = 0
      while (isReached) {
        operation++
        expect(operation).toBeLessThan(mostOperations)
        isReached = await payWithFault(openStore, operation, fault)
      }
      expect(operation, 'a payment has a good many operations').toBeGreaterThan(9)
    },
    120_000,
  )
})

/** False when the payment had fewer operations than that: nothing failed. */
async function payWithFault(openStore: () => Promise<Opened>, failing: number, fault: Fault): Promise<boolean> {
  await using floor = await openShopFloor({
    callbackRetryDelaysMs: [1],
    scenarios: [{ outcome: 'paid', callbackRetryPolicy: 'three', times: 'always' }],
  })
  const { store, endLeases } = await openStore()
  let operations = 0
  const faulty = interceptStore(store, async (_name, pass) => {
    operations++
    const fails = operations >= failing && operations < failing + fault.times
    if (!fails) return pass()
    if (fault.takes) await pass()
    throw new Error('the store failed')
  })
  const where = `operation ${failing}`
  const clock = createManualClock()
  const mpesa = floor.open(faulty, { callbackToken: 'path' }, clock)
  const first = await initiate(mpesa)
  await floor.idle()
  // Whoever was left waiting gets his turn: leases, retries, and the time for a push to be answered run out.
  const isReached = operations >= failing
  for (let round = 0; round < 4; round++) {
    clock.advance(hour)
    await endLeases()
    await mpesa.runDueWork().catch(() => undefined)
    await floor.idle()
  }
  const again = await initiate(mpesa)
  await floor.idle()
  await mpesa.runDueWork()
  await mpesa.idle()

  const pushed = floor.simulator.requests().filter(({ path }) => path.endsWith('/processrequest')).length
  expect(pushed, `${where}: one prompt`).toBeLessThanOrEqual(1)
  const { paymentId } = again
  expect(first.paymentId, `${where}: one payment for a key`).toBe(paymentId)
  const payment = await mpesa.getPayment(paymentId)
  const trail = await mpesa.history({ paymentId })
  const settlements = trail.filter(({ event }) => event === 'payment.settled')
  if (pushed === 0 || payment?.status === 'UNKNOWN') {
    // It failed between the right to push and the push, or no callback got through: nobody guesses.
    expect(payment, where).toMatchObject({ status: 'UNKNOWN' })
    expect(await mpesa.unresolved(), where).toMatchObject([{ paymentId }])
    expect(settlements).toEqual([])
  } else {
    expect(payment, where).toMatchObject({ status: 'SUCCESS' })
    expect(settlements, `${where}: settled once`).toHaveLength(1)
    expect(
      floor.settled.map(({ id, status }) => [id, status]),
      `${where}: heard of`,
    ).toContainEqual([paymentId, 'SUCCESS'])
  }
  expect(await mpesa.verifyAuditTrail(), where).toMatchObject({ isIntact: true })
  await store.close()
  return isReached
}

/** As a shop does: told of a failure, it asks again with the same key. */
async function initiate(mpesa: MpesaStk): Promise<InitiatedPayment> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await mpesa.initiatePayment(order)
    } catch (error) {
      if (attempt >= 5) throw error
    }
  }
}
