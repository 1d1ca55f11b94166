import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { InitiatedPayment } from 'mpesa-stk'
import { createSimulator } from 'mpesa-stk-simulator'
import { Pool } from 'pg'
import { afterEach, describe, expect, test } from 'vitest'
import { findServices } from '../../scripts/services/find.ts'
import type { Order } from './racer.ts'

const { postgres } = await findServices()
const processes = 4
const payments = 200
const copies = 4

type Racer = { ask(order: Order): Promise<unknown>; readonly child: ChildProcessByStdio<Writable, Readable, null> }

const racers: Racer[] = []
afterEach(() => {
  for (const { child } of racers.splice(0)) child.kill('SIGKILL')
})

async function startRacer(...args: readonly string[]): Promise<Racer> {
  const child = spawn(
    process.execPath,
    ['--conditions=@mpesa-stk/source', '--import', 'tsx', fileURLToPath(new URL('racer.ts', import.meta.url)), ...args],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  )
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const racer: Racer = {
    child,
    async ask(order) {
      child.stdin.write(`${JSON.stringify(order)}\n`)
      return JSON.parse((await lines.next()).value)
    },
  }
  racers.push(racer)
  expect((await lines.next()).value).toBe('"ready"')
  return racer
}

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)(`${processes} processes on one PostgreSQL`, () => {
  test(`initiate each of ${payments} keys once, and settle each once while polls and ${copies} copies of each callback race`, async () => {
    const schema = `race_${process.pid}`
    const pool = new Pool({ connectionString: postgres?.url })
    await pool.query(`CREATE SCHEMA ${schema}`)
    // Half of them are paid as soon as a query asks, so that the poll may win; the other half wait for our callbacks.
    await using simulator = await createSimulator({
      seed: 1,
      queryRate: false,
      scenarios: [
        { outcome: 'paid', callbackLost: true, times: payments / 2 },
        { outcome: 'pending', times: 'always' },
      ],
    })
    try {
      const team = await Promise.all(
        Array.from({ length: processes }, () => startRacer(postgres?.url ?? '', schema, simulator.url)),
      )
      const keys = Array.from({ length: payments }, (_, index) => `KEY-${index}`)
      const initiated = (await Promise.all(
        team.map(racer => racer.ask({ do: 'initiate', keys })),
      )) as InitiatedPayment[][]
      const ids = initiated.map(each => each.map(({ paymentId, checkoutRequestId }) => [paymentId, checkoutRequestId]))
      for (const each of ids.slice(1)) expect(each).toEqual(ids[0])
      expect(new Set(initiated[0]?.map(({ paymentId }) => paymentId)).size).toBe(payments)
      expect(simulator.transactions()).toHaveLength(payments)
      const queries = () => simulator.requests().filter(({ path }) => path.includes('stkpushquery')).length

      const bodies = (initiated[0] ?? []).flatMap(({ checkoutRequestId = '' }, index) =>
        Array.from({ length: copies }, () => paidBody(checkoutRequestId, index)),
      )
      // `settled` is also said of a receipt that completes what a poll had settled: once a payment either way.
      const outcomes = (await Promise.all(team.map(racer => racer.ask({ do: 'receive', bodies })))).flat()
      expect(outcomes.filter(outcome => outcome === 'settled')).toHaveLength(payments)
      expect(outcomes.filter(outcome => outcome === 'repeat')).toHaveLength(payments * (processes * copies - 1))
      const count = async (condition: string): Promise<number | null> =>
        (await pool.query(`SELECT 1 FROM ${schema}.${condition}`)).rowCount
      await expect.poll(() => count("mpesa_due_work WHERE kind = 'settled'"), { timeout: 20_000 }).toBe(0)
      const heard = (await Promise.all(team.map(racer => racer.ask({ do: 'listen' })))).flat() as {
        paymentId: string
        cause: string
      }[]
      const settled = heard.filter(({ cause }) => cause === 'payment.settled')
      expect(settled).toHaveLength(payments)
      expect(new Set(settled.map(({ paymentId }) => paymentId)).size).toBe(payments)
      expect(await count("mpesa_audit WHERE event = 'payment.settled'")).toBe(payments)
      expect(await count("mpesa_payments WHERE status = 'SUCCESS' AND mpesa_receipt_number IS NOT NULL")).toBe(payments)
      const completed = await count("mpesa_audit WHERE event = 'payment.receipt-added'")
      expect(heard).toHaveLength(payments + (completed ?? 0))
      expect(await count("mpesa_audit WHERE event = 'payment.settled' AND cause = 'poll'")).toBe(completed)
      expect(queries(), 'polls must have run').toBeGreaterThan(0)
    } finally {
      for (const { child } of racers.splice(0)) child.kill('SIGKILL')
      await pool.query(`DROP SCHEMA ${schema} CASCADE`)
      await pool.end()
    }
  }, 60_000)
})

function paidBody(CheckoutRequestID: string, index: number): string {
  const Item = [
    { Name: 'Amount', Value: 500 },
    { Name: 'MpesaReceiptNumber', Value: `UHH${1_000_001 + index}` },
  ]
  const stkCallback = {
    MerchantRequestID: 'm',
    CheckoutRequestID,
    ResultCode: 0,
    ResultDesc: 'ok',
    CallbackMetadata: { Item },
  }
  return JSON.stringify({ Body: { stkCallback } })
}
