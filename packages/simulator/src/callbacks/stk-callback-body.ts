import { formatTimestamp } from '../nairobi-time.ts'
import type { LiveTransaction } from '../transaction.ts'

/**
 * The JSON text of an STK callback. Written by hand, because `JSON.stringify` cannot keep `1.00` as Safaricom sends it,
 * and receivers that sign or compare bytes break on exactly that.
 */
export function stkCallbackBody(transaction: LiveTransaction): string {
  const { scenario, resultCode = '', resultDesc = '' } = transaction
  const numeric = /^(0|[1-9]\d*)$/.test(resultCode) && scenario.resultCodeAs !== 'string'
  const members = [
    `"MerchantRequestID":${JSON.stringify(transaction.merchantRequestId)}`,
    `"CheckoutRequestID":${JSON.stringify(transaction.checkoutRequestId)}`,
    `"ResultCode":${numeric ? resultCode : JSON.stringify(resultCode)}`,
    `"ResultDesc":${JSON.stringify(resultDesc)}`,
  ]
  // Metadata only on success. [documented]
  if (resultCode === '0') members.push(`"CallbackMetadata":{"Item":[${metadataItems(transaction).join(',')}]}`)
  return `{"Body":{"stkCallback":{${members.join(',')}}}}`
}

function metadataItems(transaction: LiveTransaction): string[] {
  const { scenario, amount, msisdn } = transaction
  const amountLiteral = scenario.amountAs === 'integer' ? String(amount) : amount.toFixed(2)
  const items = [
    `{"Name":"Amount","Value":${amountLiteral}}`,
    `{"Name":"MpesaReceiptNumber","Value":${JSON.stringify(transaction.receipt ?? '')}}`,
    '{"Name":"Balance"}', // [observed] usually there, without a Value
    `{"Name":"TransactionDate","Value":${formatTimestamp(transaction.settledAtMs ?? transaction.acceptedAtMs)}}`,
  ]
  if (scenario.phoneAs === 'masked') items.push(`{"Name":"PhoneNumber","Value":"${maskPhone(msisdn)}"}`)
  else if (scenario.phoneAs !== 'absent') items.push(`{"Name":"PhoneNumber","Value":${msisdn}}`)
  return items
}

/** `254708***149`: how a masked STK callback is reported to look from 2026. [unverified] */
function maskPhone(msisdn: string): string {
  return `${msisdn.slice(0, 6)}***${msisdn.slice(-3)}`
}
