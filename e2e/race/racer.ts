import { createInterface } from 'node:readline'
import { MpesaStk, PostgresAdapter } from 'mpesa-stk'
import { Pool } from 'pg'

// One of several processes on one database. Does what it is told, a JSON line at a time, and answers with one.
export type Order =
  | { readonly do: 'initiate'; readonly keys: readonly string[] }
  | { readonly do: 'receive'; readonly bodies: readonly string[] }
  | { readonly do: 'listen' }

const [connectionString, schema, baseUrl] = process.argv.slice(2)
const pool = new Pool({ connectionString, max: 5, options: `-c search_path=${schema}` })
const store = new PostgresAdapter(pool)
await store.migrate()
const mpesa = new MpesaStk(
  {
    consumerKey: 'key',
    consumerSecret: 'secret',
    shortCode: '174379',
    passKey: 'passkey',
    callbackUrl: 'https://shop.example/payments/callback',
    environment: 'sandbox',
    baseUrl: baseUrl ?? '',
    // Often, and for longer than the test takes: polls run all the time, and never give up.
    pollIntervalMs: 100,
    maxPollAttempts: 1_000,
    queriesPerMinute: 6_000,
  },
  store,
  { logger: { info() {}, warn() {}, error() {} } },
)
const heard: { readonly paymentId: string; readonly cause: string }[] = []
mpesa.onPaymentSettled(({ id }, { cause }) => {
  heard.push({ paymentId: id, cause })
})
await mpesa.start()

async function carryOut(order: Order): Promise<unknown> {
  if (order.do === 'initiate') {
    return Promise.all(
      order.keys.map((idempotencyKey, index) =>
        mpesa.initiatePayment({
          phoneNumber: `07${String(12_000_000 + index)}`,
          amount: 500,
          accountReference: `ORDER-${index}`,
          idempotencyKey,
        }),
      ),
    )
  }
  if (order.do === 'receive') {
    return Promise.all(order.bodies.map(async body => (await mpesa.processCallback(body)).outcome))
  }
  await mpesa.idle()
  return heard
}

process.stdout.write('"ready"\n')
for await (const line of createInterface({ input: process.stdin })) {
  const answer = await carryOut(JSON.parse(line) as Order)
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
await mpesa.stop()
await pool.end()
