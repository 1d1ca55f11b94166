// A program as programs of other people are written from the published description of this library: its imports, names,
// options and calls, to the letter. It must go on working. Ours are only the app, `baseUrl` and the export at the end.
// biome-ignore-all lint/style/noNonNullAssertion: it is how such programs read their environment

import { MpesaStk, PostgresAdapter } from 'mpesa-stk'
import { Pool } from 'pg'
import { app } from './app.ts'

const pool = new Pool({ connectionString: process.env.DATABASE_URL })
const adapter = new PostgresAdapter(pool)

await adapter.migrate()

const mpesa = new MpesaStk(
  {
    consumerKey: process.env.MPESA_CONSUMER_KEY!,
    consumerSecret: process.env.MPESA_CONSUMER_SECRET!,
    shortCode: process.env.MPESA_SHORTCODE!,
    passKey: process.env.MPESA_PASSKEY!,
    callbackUrl: process.env.MPESA_CALLBACK_URL!,
    environment: 'sandbox',
    baseUrl: process.env.MPESA_BASE_URL!,
  },
  adapter,
)

mpesa.onPaymentSettled(async payment => {
  console.log(payment.id, payment.status, payment.mpesaReceiptNumber)
})

const payment = await mpesa.initiatePayment({
  phoneNumber: '0712345678',
  amount: 500,
  accountReference: 'ORDER-123',
  description: 'Payment for order ORDER-123',
  idempotencyKey: 'ORDER-123',
})

// The other way round is better: stored first, acknowledged then.
app.post('/mpesa/callback', async (req, res) => {
  res.json({ ResultCode: 0, ResultDesc: 'Success' })
  await mpesa.processCallback(req.body)
})

const reconciliation = await mpesa.reconcile(
  new Date(Date.now() - 24 * 60 * 60 * 1000),
  new Date(Date.now() - 5 * 60 * 1000),
)

export { adapter, mpesa, payment, pool, reconciliation }
