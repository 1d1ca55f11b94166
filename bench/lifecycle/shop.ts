import { MpesaStk, type Store } from 'mpesa-stk'

/** The library as a shop would open it. Nothing is started, so what is measured is what is called. */
export function openShop(store: Store, baseUrl: string): MpesaStk {
  return new MpesaStk(
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
}

let receipts = 1_000_000

/** What Safaricom sends when a customer paid, with a receipt that no other has. */
export function paidBody(CheckoutRequestID: string): string {
  const Item = [
    { Name: 'Amount', Value: 500 },
    { Name: 'MpesaReceiptNumber', Value: `UHH${++receipts}` },
    { Name: 'TransactionDate', Value: 20260817101513 },
    { Name: 'PhoneNumber', Value: 254708374149 },
  ]
  const stkCallback = {
    MerchantRequestID: 'm',
    CheckoutRequestID,
    ResultCode: 0,
    ResultDesc: 'The service request is processed successfully.',
    CallbackMetadata: { Item },
  }
  return JSON.stringify({ Body: { stkCallback } })
}
