import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { MemoryAdapter, MpesaStk } from 'mpesa-stk'
import { createSimulator, type ScenarioInput, type Simulator } from 'mpesa-stk-simulator'
import { Pool } from 'pg'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { findServices } from '../scripts/services/find.ts'
import { documentedTable, expectDocumentedTable } from './document-003/documented-table.ts'
import { createManualClock, credentials } from './shop-floor.ts'

// A published description of this library is what people have copied from. Its program and its table go on working.

const { postgres } = await findServices()
let lastSchema = 0

/** The program, run as it is printed against the simulator and a real database. */
type PrintedShop = typeof import('./document-003/shop.ts') & {
  readonly schema: string
  readonly simulator: Simulator
  /** What its settled-handler printed first. */
  readonly printed: Promise<readonly unknown[]>
}

/** @param prepare what was in the database before */
async function runPrinted(prepare: (pool: Pool) => Promise<void>, scenario: ScenarioInput): Promise<PrintedShop> {
  const schema = `document_003_${process.pid}_${++lastSchema}`
  const url = new URL(postgres?.url ?? '')
  url.searchParams.set('options', `-c search_path=${schema}`)
  const owner = new Pool({ connectionString: url.href })
  await owner.query(`CREATE SCHEMA ${schema}`)
  onTestFinished(async () => {
    await owner.query(`DROP SCHEMA ${schema} CASCADE`)
    await owner.end()
  })
  await prepare(owner)
  const simulator = await createSimulator({ seed: 1, queryRate: false, scenarios: [scenario] })
  onTestFinished(() => simulator.close())

  vi.resetModules()
  const { app } = await import('./document-003/app.ts')
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  vi.stubEnv('DATABASE_URL', url.href)
  vi.stubEnv('MPESA_CONSUMER_KEY', credentials.consumerKey)
  vi.stubEnv('MPESA_CONSUMER_SECRET', credentials.consumerSecret)
  vi.stubEnv('MPESA_PASSKEY', credentials.passKey)
  vi.stubEnv('MPESA_SHORTCODE', '174379')
  vi.stubEnv('MPESA_CALLBACK_URL', `http://127.0.0.1:${port}/mpesa/callback`)
  vi.stubEnv('MPESA_BASE_URL', simulator.url)
  const printed = new Promise<readonly unknown[]>(resolve => {
    vi.spyOn(console, 'log').mockImplementation((...words) => resolve(words))
  })
  const shop = await import('./document-003/shop.ts')
  onTestFinished(async () => {
    await simulator.close()
    await new Promise(resolve => server.close(resolve))
    await shop.mpesa.idle()
    await shop.pool.end()
  })
  return { ...shop, schema, simulator, printed }
}

/** Runs `work` while nobody else can move the payment. */
async function whileHeld(pool: Pool, paymentId: string, work: () => Promise<void>): Promise<void> {
  const holder = await pool.connect()
  try {
    await holder.query('BEGIN')
    await holder.query('SELECT 1 FROM mpesa_initiations WHERE payment_id = $1 FOR UPDATE', [paymentId])
    await work()
  } finally {
    await holder.query('COMMIT')
    holder.release()
  }
}

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

const initiated = {
  paymentId: expect.any(String),
  checkoutRequestId: expect.stringMatching(/^ws_CO_/),
  merchantRequestId: expect.any(String),
  status: 'PENDING',
}

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)('the published program', { timeout: 60_000 }, () => {
  test('runs on its table made by hand, settles by its route, and finds what Safaricom has no record of', async () => {
    const shop = await runPrinted(async pool => {
      await pool.query(documentedTable)
      // Paid, says the old code; the simulator has never heard of it.
      await pool.query(`INSERT INTO mpesa_payments (id, checkout_request_id, merchant_request_id, phone_number, amount,
        account_reference, status, mpesa_receipt_number, result_code, initiated_at, idempotency_key) VALUES
        ('old', 'ws_CO_old', 'm', '254712345678', 1500, 'ORDER-1', 'SUCCESS', 'UHH0AB12CD', 0, now() - interval '1 hour', 'ORDER-1')`)
    }, {})
    const { mpesa, payment, simulator, pool } = shop
    expect(payment).toEqual(initiated)
    expect(shop.reconciliation).toEqual({
      checked: 1,
      matched: 0,
      skipped: 0,
      mismatches: [
        {
          paymentId: 'old',
          checkoutRequestId: 'ws_CO_old',
          storedStatus: 'SUCCESS',
          mpesaStatus: 'NO_RECORD',
          amount: 1500,
        },
      ],
    })
    await shop.adapter.migrate()
    await expectDocumentedTable(pool, shop.schema)

    const processing = vi.spyOn(mpesa, 'processCallback')
    await whileHeld(pool, payment.paymentId, async () => {
      simulator.respond('0712345678', 'approve')
      const { callbackAttempts } = await simulator.waitForTransaction(each => each.callbackAttempts.length === 1)
      const answer = { status: 'acknowledged', responseBody: '{"ResultCode":0,"ResultDesc":"Success"}' }
      expect(callbackAttempts).toMatchObject([answer])
      expect(await mpesa.getPayment(payment.paymentId)).toMatchObject({ status: 'PENDING' })
    })
    const [paid] = simulator.transactions()
    expect(await shop.printed).toEqual([payment.paymentId, 'SUCCESS', paid?.receipt])
    const settled = { paymentId: payment.paymentId, status: 'SUCCESS', receipt: paid?.receipt }
    expect(await processing.mock.results[0]?.value).toMatchObject({ ...settled, isDuplicate: false })
    const [[body] = []] = processing.mock.calls
    expect(await mpesa.processCallback(body)).toMatchObject({ ...settled, isDuplicate: true })
    expect(await mpesa.pollPaymentStatus(paid?.checkoutRequestId ?? '')).toBe('SUCCESS')
    expect((await pool.query('SELECT * FROM mpesa_payments WHERE id = $1', [payment.paymentId])).rows).toMatchObject([
      {
        checkout_request_id: paid?.checkoutRequestId,
        merchant_request_id: paid?.merchantRequestId,
        phone_number: '254712345678',
        amount: 500,
        account_reference: 'ORDER-123',
        status: 'SUCCESS',
        mpesa_receipt_number: paid?.receipt,
        result_code: 0,
        raw_callback: body,
        idempotency_key: 'ORDER-123',
      },
    ])
  })

  test('runs on an empty database, and pollPaymentStatus settles what no callback comes for', async () => {
    const shop = await runPrinted(async () => {}, { outcome: 'paid', callbackLost: true })
    const { mpesa, payment } = shop
    await expectDocumentedTable(shop.pool, shop.schema)
    expect(payment).toEqual(initiated)
    expect(shop.reconciliation).toEqual({ checked: 0, matched: 0, skipped: 0, mismatches: [] })
    expect(await mpesa.pollPaymentStatus(payment.checkoutRequestId ?? '')).toBe('SUCCESS')
    expect(await shop.printed).toEqual([payment.paymentId, 'SUCCESS', null])
    const again = {
      phoneNumber: '0712345678',
      amount: 500,
      accountReference: 'ORDER-123',
      idempotencyKey: 'ORDER-123',
    }
    expect(await mpesa.initiatePayment(again)).toEqual({ ...payment, status: 'SUCCESS' })
    expect(shop.simulator.transactions()).toHaveLength(1)
  })
})

test('waits 75,000 ms for Daraja, and after ten queries without an end the payment is TIMEOUT', async () => {
  await using simulator = await createSimulator({ seed: 1, queryRate: false, scenarios: [{ outcome: 'pending' }] })
  const deadlines = vi.spyOn(AbortSignal, 'timeout')
  const mpesa = new MpesaStk(
    {
      ...credentials,
      shortCode: '174379',
      callbackUrl: 'https://shop.example/mpesa/callback',
      environment: 'sandbox',
      baseUrl: simulator.url,
    },
    new MemoryAdapter(),
    { clock: createManualClock() },
  )
  const order = { phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123' }
  const { checkoutRequestId = '' } = await mpesa.initiatePayment(order)
  expect(deadlines).toHaveBeenCalledWith(75_000)
  expect(await mpesa.pollPaymentStatus(checkoutRequestId)).toBe('TIMEOUT')
  expect(simulator.requests().filter(({ path }) => path.includes('stkpushquery'))).toHaveLength(10)
})
