import { createRequire } from 'node:module'

// `mpesa-api` as its README shows it. It sends a trailing space in TransactionType when none is given.
const { Mpesa } = createRequire(import.meta.url)('mpesa-api')

const mpesa = new Mpesa({ clientKey: 'key', clientSecret: 'secret', securityCredential: 'unused' }, 'sandbox')
const push = await mpesa.lipaNaMpesaOnline({
  BusinessShortCode: 174379,
  Amount: 1000,
  PartyA: '254708374149',
  PartyB: '174379',
  PhoneNumber: '254708374149',
  CallBackURL: process.env['CALLBACK_URL'],
  AccountReference: 'Account Reference',
  passKey: 'passkey',
})
const query = await mpesa.lipaNaMpesaQuery({
  BusinessShortCode: 174379,
  passKey: 'passkey',
  CheckoutRequestID: push.CheckoutRequestID,
})
console.log(JSON.stringify({ push, query }))
