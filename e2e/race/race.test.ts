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
  test(`initiate each of ${payments} keys once, and settle each of ${copies} copies of each callback once`, async () => {
    const schema = `race_${process.pid}`
    const pool = new Pool({ connectionString: postgres?.url })
    await pool.query(`CREATE SCHEMA ${schema}`)
    await using simulator = await createSimulator({ seed: 1, scenarios: [{ outcome: 'pending', times: 'always' }] })
    try {
      const team = await Promise.all(
        Array.from({ length: processes }, () => startRacer(postgres?.url ?? '', schema, simulator.url)),
      )
      const keys = Array.from({ length: payments }, (_, index) => `KEY-${index}`)
      const initiated = (await Promise.all(
        team.map(racer => racer.ask({ do: 'initiate', keys })),
      )) as InitiatedPayment[][]
      for (const each of initiated.slice(1)) expect(each).toEqual(initiated[0])
      expect(new Set(initiated[0]?.map(({ paymentId }) => paymentId)).size).toBe(payments)
      expect(simulator.transactions()).toHaveLength(payments)

      const bodies = (initiated[0] ?? []).flatMap(({ checkoutRequestId = '' }, index) =>
        Array.from({ length: copies }, () => paidBody(checkoutRequestId, index)),
      )
      const answers = (await Promise.all(team.map(racer => racer.ask({ do: 'receive', bodies })))) as {
        outcomes: string[]
        heard: string[]
      }[]
      const outcomes = answers.flatMap(answer => answer.outcomes)
      expect(outcomes.filter(outcome => outcome === 'settled')).toHaveLength(payments)
      expect(outcomes.filter(outcome => outcome === 'repeat')).toHaveLength(payments * (processes * copies - 1))
      const heard = answers.flatMap(answer => answer.heard)
      expect(heard).toHaveLength(payments)
      expect(new Set(heard).size).toBe(payments)
      const trail = await pool.query(`SELECT payment_id FROM ${schema}.mpesa_audit WHERE event = 'payment.settled'`)
      expect(trail.rowCount).toBe(payments)
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
