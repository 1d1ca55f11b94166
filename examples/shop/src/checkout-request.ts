import { createHash } from 'node:crypto'
import { findProduct } from './products.ts'
import { ShopError } from './shop-error.ts'

/** What somebody wants to pay for, after checking. */
export type Checkout = {
  readonly phoneNumber: string
  readonly amount: number
  readonly title: { readonly en: string; readonly sw: string }
  /** The order number, which the customer reads in the prompt. */
  readonly reference: string
  readonly idempotencyKey: string
}

const fields = ['phoneNumber', 'idempotencyKey', 'product', 'amount']

/**
 * Reads the JSON of `POST /api/payments`: `phoneNumber`, `idempotencyKey`, and a `product` or an `amount`. Phone number
 * and amount are the library's to judge; here it is only made sure that they are what they claim to be.
 */
export function readCheckout(body: unknown): Checkout {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('The body must be a JSON object.')
  const unknown = Object.keys(body).filter(name => !fields.includes(name))
  if (unknown.length > 0) throw invalid(`There is no field ${unknown.join(', ')}; there are ${fields.join(', ')}.`)
  const { phoneNumber, idempotencyKey, product: productId, amount } = body as Record<string, unknown>
  if (typeof phoneNumber !== 'string') throw invalid('"phoneNumber" must be text.')
  if (typeof idempotencyKey !== 'string' || idempotencyKey.length < 8)
    throw invalid('"idempotencyKey" must be text of at least 8 characters, one per intent to pay.')
  if ((productId === undefined) === (amount === undefined)) throw invalid('Give either "product" or "amount".')
  // The same intent asked again must be the same order, so its number comes from the key.
  const reference = `DUKA-${createHash('sha256').update(idempotencyKey).digest('hex').slice(0, 6).toUpperCase()}`
  if (productId === undefined) {
    if (typeof amount !== 'number') throw invalid('"amount" must be a number of shillings.')
    return { phoneNumber, amount, title: { en: 'Other amount', sw: 'Kiasi kingine' }, reference, idempotencyKey }
  }
  // A browser names the product, never its price.
  const product = typeof productId === 'string' ? findProduct(productId) : null
  if (product === null) throw invalid('There is no such product.')
  const { price, en, sw } = product
  return { phoneNumber, amount: price, title: { en, sw }, reference, idempotencyKey }
}

function invalid(message: string): ShopError {
  return new ShopError('SHOP_REQUEST_INVALID', message)
}
