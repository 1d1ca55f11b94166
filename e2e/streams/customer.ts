import { paidBody } from '../callback-bodies.ts'

/** Somebody who pays: what nobody but the merchant's server may learn of him. */
export type Customer = { readonly msisdn: string }

export const wanjiku: Customer = { msisdn: '254712345678' }

/** As Safaricom makes it: a time, and then the customer's number. */
export function checkoutRequestIdOf({ msisdn }: Customer, time = '24112026101502337'): string {
  return `ws_CO_${time}${msisdn.slice(3)}`
}

/** Safaricom's callback of a paid push, with the number of who paid. */
export function paidByCustomer(pay: {
  readonly checkoutRequestId: string
  readonly receipt?: string
  readonly amount?: number
  readonly customer?: Customer
}): object {
  const { checkoutRequestId, receipt = 'UHH0AB12CD', amount = 500, customer = wanjiku } = pay
  const body = paidBody(checkoutRequestId, receipt, amount) as {
    Body: { stkCallback: { CallbackMetadata: { Item: object[] } } }
  }
  body.Body.stkCallback.CallbackMetadata.Item.push(
    { Name: 'TransactionDate', Value: 20261124101513 },
    { Name: 'PhoneNumber', Value: Number(customer.msisdn) },
  )
  return body
}

const pieceLength = 9

/** Every piece of nine digits of a customer's number: who has one has the number, but for what all numbers share. */
function numberPieces({ msisdn }: Customer): readonly string[] {
  const pieces = [`0${msisdn.slice(3)}`, msisdn].flatMap(number =>
    Array.from({ length: number.length - pieceLength + 1 }, (_, start) => number.slice(start, start + pieceLength)),
  )
  return [...new Set(pieces)]
}

/** Which of a customer's secrets is anywhere in what somebody was sent: as it is, in base64, in hex, or backwards. */
export function findCustomer(
  heard: Iterable<string>,
  customer: Customer,
  checkoutRequestIds: readonly string[],
): readonly string[] {
  const secrets = [...numberPieces(customer), ...checkoutRequestIds]
  const found = new Set<string>()
  for (const text of heard) {
    for (const form of formsOf(text)) {
      for (const secret of secrets) if (form.includes(secret)) found.add(`${secret} in ${text.slice(0, 80)}`)
    }
  }
  return [...found]
}

function* formsOf(text: string): Generator<string> {
  yield text
  // What is grouped, or has separators between its digits.
  yield text.replaceAll(/(?<=\d)[\s().-]+(?=\d)/g, '')
  for (const [word] of text.matchAll(/[\w+/-]{12,}={0,2}/g)) {
    // What is encoded may begin anywhere in a word, and one that is decoded may hold another.
    for (const start of [0, 1, 2, 3]) {
      const decoded = Buffer.from(word.slice(start), 'base64url').toString('latin1')
      yield decoded
      for (const [inner] of decoded.matchAll(/[\w+/-]{12,}={0,2}/g))
        yield Buffer.from(inner, 'base64url').toString('latin1')
    }
    if (/^(?:[\da-f]{2})+$/i.test(word)) yield Buffer.from(word, 'hex').toString('latin1')
  }
  yield text.split('').reverse().join('')
}
