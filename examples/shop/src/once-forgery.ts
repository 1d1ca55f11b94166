/** A success that Safaricom never sent, as somebody writes it who knows the payment but not its token. */
export function forgedSuccess(CheckoutRequestID: string, amount: number): object {
  const Item = [
    { Name: 'Amount', Value: amount },
    { Name: 'MpesaReceiptNumber', Value: 'FORGED0001' },
    { Name: 'TransactionDate', Value: 20260817101513 },
  ]
  const stkCallback = {
    MerchantRequestID: 'forged',
    CheckoutRequestID,
    ResultCode: 0,
    ResultDesc: 'The service request is processed successfully.',
    CallbackMetadata: { Item },
  }
  return { Body: { stkCallback } }
}
