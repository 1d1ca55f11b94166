/** What the merchant asked for, after normalising. */
export interface StkPush {
  readonly shortCode: string
  readonly transactionType: string
  readonly amount: number
  readonly partyA: string
  readonly partyB: string
  readonly msisdn: string
  readonly callbackUrl: string
  readonly accountReference: string
  readonly transactionDesc: string
}

/** Documented limit of the text on the handset: beyond it the prompt cannot be sent (1025). */
export const longestPrompt = 182

export function promptText(push: StkPush): string {
  const payee = push.transactionType === 'CustomerBuyGoodsOnline' ? push.partyB : push.shortCode
  const account = push.transactionType === 'CustomerBuyGoodsOnline' ? '' : ` Account no. ${push.accountReference}`
  return `Do you want to pay KES ${push.amount} to ${payee}${account}? Enter M-PESA PIN`
}
