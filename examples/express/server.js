import { once } from 'node:events'
import express from 'express'
import { MpesaStk, MpesaStkError, PostgresAdapter, PushRefusedError, SqliteAdapter } from 'mpesa-stk'
import pg from 'pg'

const env = process.env

// A file on this machine, or PostgreSQL when several processes share the payments.
const pool = env.DATABASE_URL ? new pg.Pool({ connectionString: env.DATABASE_URL }) : null
pool?.on('error', () => console.error('an idle database connection was lost; the pool opens another'))
const store = pool ? new PostgresAdapter(pool) : await SqliteAdapter.open('payments.db')
await store.migrate()

const mpesa = new MpesaStk(
  {
    consumerKey: env.MPESA_CONSUMER_KEY,
    consumerSecret: env.MPESA_CONSUMER_SECRET,
    passKey: env.MPESA_PASSKEY,
    shortCode: env.MPESA_SHORTCODE,
    callbackUrl: env.MPESA_CALLBACK_URL,
    callbackToken: 'path', // Safaricom signs nothing: an unguessable address for each payment tells its callback from a forged one
    environment: env.MPESA_ENVIRONMENT ?? 'sandbox',
    baseUrl: env.MPESA_BASE_URL, // the simulator; not set for Safaricom
  },
  store,
)

// May be called again for the same payment, e.g. when its receipt comes late: do here what can be done twice.
mpesa.onPaymentSettled(payment => {
  const { accountReference: order, status, mpesaReceiptNumber } = payment
  if (status === 'SUCCESS') console.log(`paid ${order}, receipt ${mpesaReceiptNumber ?? 'not known yet'}`)
  else console.log(`not paid ${order}: ${status}`)
})
mpesa.onDiscrepancy(({ paymentId, cause, reason }) => {
  console.error(`look at payment ${paymentId}: ${cause} says something else (${reason}); nothing was changed`)
})

const app = express()

app.post('/checkout', express.json(), async (request, response) => {
  // Take the amount from your own order: what a browser sends, a customer can change.
  const { order, phone, amount } = request.body ?? {}
  const { paymentId } = await mpesa.initiatePayment({
    phoneNumber: phone,
    amount,
    accountReference: order,
    idempotencyKey: await keyOfTry(order),
  })
  response.json(tell(await mpesa.getPayment(paymentId)))
})

app.get('/payments/:id', async (request, response) => {
  const payment = await mpesa.getPayment(request.params.id)
  if (payment) response.json(tell(payment))
  else response.status(404).json({ message: 'There is no such payment.' })
})

app.post(
  ['/payments/callback', '/payments/callback/t/:token'],
  express.raw({ type: () => true, limit: '256kb' }),
  async (request, response) => {
    // Stored before it is acknowledged. When this throws, the answer is a 500 and Safaricom has not been told a lie.
    await mpesa.processCallback(request.body ?? '', { token: request.params.token })
    response.json({ ResultCode: 0, ResultDesc: 'Success' })
  },
)

/**
 * One key prompts once, however often it is used. A try that surely took no money may be followed by another; while a try
 * is open or unknown, its order has no new key.
 */
async function keyOfTry(order) {
  const trail = await mpesa.history({ accountReference: `${order}` })
  const standing = new Map(trail.map(({ paymentId, after }) => [paymentId, after]))
  const failed = [...standing.values()].filter(state => ['CANCELLED', 'FAILED', 'EXPIRED'].includes(state))
  return `${order}/${failed.length + 1}`
}

const sentences = {
  SENDING: 'Your phone is being asked.',
  PENDING: 'Look at your phone and type your M-PESA PIN.',
  SUCCESS: 'Paid. Asante!',
  UNKNOWN: 'We do not know yet whether you were asked to pay. Please do not pay again.',
  TIMEOUT: 'We do not know yet whether you paid. Please do not pay again.',
}

/** What the customer's browser may know: not the phone number, and no CheckoutRequestID, which ends with it. */
function tell({ id, status, mpesaReceiptNumber, explanation }) {
  const message = sentences[status] ?? explanation?.customer.en
  return { paymentId: id, status, receipt: mpesaReceiptNumber ?? null, message }
}

const statusOfCode = {
  MPESA_STK_PHONE_INVALID: 422,
  MPESA_STK_AMOUNT_INVALID: 422,
  MPESA_STK_ACCOUNT_REFERENCE_INVALID: 422,
  MPESA_STK_IDEMPOTENCY_KEY_REUSED: 409,
}

// Express knows an error handler by its four parameters.
app.use((error, _request, response, _next) => {
  if (error instanceof PushRefusedError) {
    console.error(`push refused (${error.darajaCode}): ${error.explanation.operator}`)
    return response.status(502).json({ message: error.explanation.customer.en }) // nobody was prompted
  }
  const status = error instanceof MpesaStkError ? (statusOfCode[error.code] ?? 500) : (error.status ?? 500)
  if (status >= 500) console.error('a request failed:', error.code ?? error.name) // other messages may quote a phone number
  const message =
    error instanceof MpesaStkError && status < 500 ? error.message : 'That did not work. Please try again.'
  response.status(status).json({ message })
})

await mpesa.start() // asks Safaricom when a callback does not come, and takes up what a crash left behind

const server = app.listen(Number(env.PORT ?? 3000), env.HOST ?? '127.0.0.1', error => {
  if (error) throw error
  const { address, port } = server.address()
  console.log(`ready http://${address}:${port}`)
})

await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
await new Promise(resolve => server.close(resolve)) // answers what is under way
await mpesa.stop() // waits for polls and handlers
await store.close()
await pool?.end()
