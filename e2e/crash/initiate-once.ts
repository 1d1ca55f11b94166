import { MpesaStk, SqliteAdapter } from 'mpesa-stk'

// The process that gets killed: one payment with a key, on a SQLite file. Prints what it came to, if it gets that far.
const [path = '', baseUrl = '', callbackUrl = ''] = process.argv.slice(2)
const store = await SqliteAdapter.open(path)
await store.migrate()
const mpesa = new MpesaStk(
  {
    consumerKey: 'key',
    consumerSecret: 'secret',
    shortCode: '174379',
    passKey: 'passkey',
    callbackUrl,
    environment: 'sandbox',
    callbackToken: 'path',
    timeoutMs: 10_000,
    baseUrl,
  },
  store,
)
const payment = await mpesa.initiatePayment({
  phoneNumber: '0712345678',
  amount: 500,
  accountReference: 'ORDER-123',
  idempotencyKey: 'ORDER-123',
})
console.log(JSON.stringify(payment))
