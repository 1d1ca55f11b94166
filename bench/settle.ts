import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { MpesaStk, SqliteAdapter } from 'mpesa-stk'
import { openSqliteDatabase } from '../packages/mpesa-stk/src/store/sqlite/database.ts'
import { startDaraja } from './instant-daraja.ts'
import type { Measurement } from './measurement.ts'

const payments = 2_000

/**
 * How many callbacks a second are settled on the embedded store, beside what it can do at best in the same run: one row
 * updated and committed. Settling writes the payment, the callback with its bytes and an audit row in one commit.
 */
export async function settle(): Promise<Measurement[]> {
  // In the repository and not in the temp dir, which may be memory and then flushes nothing.
  const data = fileURLToPath(new URL('../.data', import.meta.url))
  mkdirSync(data, { recursive: true })
  const folder = mkdtempSync(join(data, 'bench-'))
  const daraja = await startDaraja()
  try {
    const limit = 'SQLite update of one row, committed'
    return [
      { name: limit, value: await updateRate(join(folder, 'limit.db')), unit: 'per second' },
      {
        name: 'callback settled (payment, evidence, audit)',
        value: await settleRate(join(folder, 'settle.db'), daraja.url),
        unit: 'per second',
        shareOf: limit,
      },
    ]
  } finally {
    daraja.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function updateRate(path: string): Promise<number> {
  const database = await openSqliteDatabase(path)
  try {
    database.exec('CREATE TABLE payments (id INTEGER PRIMARY KEY, status TEXT NOT NULL)')
    database.exec('BEGIN')
    const insert = database.prepare("INSERT INTO payments VALUES (?, 'PENDING')")
    for (let id = 0; id < payments; id++) insert.run(id)
    database.exec('COMMIT')
    const update = database.prepare("UPDATE payments SET status = 'SUCCESS' WHERE id = ? AND status = 'PENDING'")
    const began = performance.now()
    for (let id = 0; id < payments; id++) update.run(id)
    return (payments * 1_000) / (performance.now() - began)
  } finally {
    database.close()
  }
}

async function settleRate(path: string, baseUrl: string): Promise<number> {
  const store = await SqliteAdapter.open(path)
  try {
    await store.migrate()
    const mpesa = new MpesaStk(
      {
        consumerKey: 'key',
        consumerSecret: 'secret',
        shortCode: '174379',
        passKey: 'passkey',
        callbackUrl: 'https://shop.example/callback',
        environment: 'sandbox',
        baseUrl,
      },
      store,
    )
    const bodies: string[] = []
    for (let index = 0; index < payments; index++) {
      const { checkoutRequestId = '' } = await mpesa.initiatePayment({
        phoneNumber: '0708374149',
        amount: 500,
        accountReference: `ORDER-${index}`,
      })
      bodies.push(paidBody(checkoutRequestId, index))
    }
    const began = performance.now()
    for (const body of bodies) {
      const { outcome } = await mpesa.processCallback(body)
      if (outcome !== 'settled') throw new Error(`expected every callback to settle, got ${outcome}`)
    }
    return (payments * 1_000) / (performance.now() - began)
  } finally {
    await store.close()
  }
}

function paidBody(CheckoutRequestID: string, index: number): string {
  const Item = [
    { Name: 'Amount', Value: 500 },
    { Name: 'MpesaReceiptNumber', Value: `UHH${1_000_001 + index}` },
    { Name: 'TransactionDate', Value: 20260817101513 },
    { Name: 'PhoneNumber', Value: 254708374149 },
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
