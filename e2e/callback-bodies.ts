/** Bodies as Safaricom posts them, for tests that post on its behalf or as a stranger. */

export function paidBody(CheckoutRequestID: string, receipt: string, amount = 500): object {
  const Item = [
    { Name: 'Amount', Value: amount },
    { Name: 'MpesaReceiptNumber', Value: receipt },
  ]
  const result = { ResultCode: 0, ResultDesc: 'The service request is processed successfully.' }
  return { Body: { stkCallback: { MerchantRequestID: 'm', CheckoutRequestID, ...result, CallbackMetadata: { Item } } } }
}

export function failedBody(CheckoutRequestID: string, ResultCode: number): object {
  const stkCallback = { MerchantRequestID: 'm', CheckoutRequestID, ResultCode, ResultDesc: 'It did not work.' }
  return { Body: { stkCallback } }
}
