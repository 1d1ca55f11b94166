import { createRequire } from 'node:module'

// `mpesa-node` as its README shows it: numbers instead of text, a token for every call.
const Mpesa = createRequire(import.meta.url)('mpesa-node')

const mpesa = new Mpesa({
  consumerKey: 'key',
  consumerSecret: 'secret',
  environment: 'sandbox',
  lipaNaMpesaShortCode: '174379',
  lipaNaMpesaShortPass: 'passkey',
})
const push = await mpesa.lipaNaMpesaOnline(254708374149, 100, process.env['CALLBACK_URL'], '9ja')
const query = await mpesa.lipaNaMpesaQuery(push.data.CheckoutRequestID)
console.log(JSON.stringify({ push: push.data, query: query.data }))
