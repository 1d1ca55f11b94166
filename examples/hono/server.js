import { once } from 'node:events'
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { HTTPException } from 'hono/http-exception'
import { credentialsFromEnvironment, MpesaStk, MpesaStkError, PushRefusedError, SqliteAdapter } from 'mpesa-stk'

const env = process.env

// One file, owned by this process. For several processes: PostgresAdapter, as in the Express example.
const store = await SqliteAdapter.open('payments.db')
await store.migrate()

const mpesa = new MpesaStk(
  {
    // MPESA_CONSUMER_KEY, MPESA_CONSUMER_SECRET, MPESA_PASSKEY; read again when Safaricom refuses them.
    credentials: credentialsFromEnvironment(env),
    auditKey: env.MPESA_AUDIT_KEY, // does not rotate with them: keep it for as long as you keep the payments
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

const app = new Hono()
app.use(bodyLimit({ maxSize: 256 * 1024 }))

app.post('/checkout', async context => {
  // Take the amount from your own order: what a browser sends, a customer can change.
  const { order, phone, amount } = (await context.req.json().catch(() => null)) ?? {}
  const { paymentId } = await mpesa.initiatePayment({
    phoneNumber: phone,
    amount,
    accountReference: order,
    idempotencyKey: await keyOfTry(order),
  })
  return context.json(tell(await mpesa.getPayment(paymentId)))
})

app.get('/payments/:id', async context => {
  const payment = await mpesa.getPayment(context.req.param('id'))
  return payment ? context.json(tell(payment)) : context.json({ message: 'There is no such payment.' }, 404)
})

app.on('POST', ['/payments/callback', '/payments/callback/t/:token'], async context => {
  // Stored before it is acknowledged. When this throws, the answer is a 500 and Safaricom has not been told a lie.
  const body = new Uint8Array(await context.req.arrayBuffer())
  await mpesa.processCallback(body, { token: context.req.param('token') })
  return context.json({ ResultCode: 0, ResultDesc: 'Success' })
})

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

app.onError((error, context) => {
  if (error instanceof HTTPException) return error.getResponse()
  if (error instanceof PushRefusedError) {
    console.error(`push refused (${error.darajaCode}): ${error.explanation.operator}`)
    return context.json({ message: error.explanation.customer.en }, 502) // nobody was prompted
  }
  const status = error instanceof MpesaStkError ? (statusOfCode[error.code] ?? 500) : 500
  if (status === 500) console.error('a request failed:', error.code ?? error.name) // other messages may quote a phone number
  return context.json({ message: status === 500 ? 'That did not work. Please try again.' : error.message }, status)
})

await mpesa.start() // asks Safaricom when a callback does not come, and takes up what a crash left behind

const where = { port: Number(env.PORT ?? 3000), hostname: env.HOST ?? '127.0.0.1' }
const server = serve({ fetch: app.fetch, ...where }, ({ address, port }) => {
  console.log(`ready http://${address}:${port}`)
})

await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
await new Promise(resolve => server.close(resolve)) // answers what is under way
await mpesa.stop() // waits for polls and handlers
await store.close()
