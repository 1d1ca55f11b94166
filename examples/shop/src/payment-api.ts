import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { type MpesaStk, type PendingReport, PushRefusedError, type RelayLink } from 'mpesa-stk'
import { testNumbers } from 'mpesa-stk-simulator'
import { readCheckout } from './checkout-request.ts'
import type { Orders } from './orders.ts'
import { type PaymentAnswer, toPaymentAnswer } from './payment-answer.ts'
import { refuseForeigners, requireJson } from './same-origin.ts'
import { ShopError } from './shop-error.ts'
import { tellTrail } from './timeline.ts'
import { createTokenRoute } from './token-route.ts'

const largestBody = 10_000

/**
 * What the page calls. Payments are known to a browser by their opaque id; that everybody may list the recent ones is
 * the demo's, a real shop shows them to its staff only.
 */
export function createPaymentApi(parts: {
  readonly mpesa: MpesaStk
  readonly relayLink: RelayLink
  /** Tells the screens that listen, without being waited for. */
  readonly reportPending: (payment: PendingReport) => void
  readonly orders: Orders
  readonly simulatorUrl: string
  readonly now: () => Date
}): Hono {
  const { mpesa, relayLink, reportPending, orders, simulatorUrl, now } = parts
  const api = new Hono()
  api.use(refuseForeigners)
  api.use(async (context, next) => {
    await next()
    context.header('cache-control', 'no-store')
  })

  const lookUp = async (id: string): Promise<PaymentAnswer | null> => {
    const payment = await mpesa.getPayment(id)
    return payment && toPaymentAnswer(payment, orders.find(payment.accountReference), now())
  }
  const findPayment = async (id: string): Promise<PaymentAnswer> => {
    const payment = await lookUp(id)
    if (payment === null) throw new ShopError('SHOP_NOT_FOUND', 'There is no such payment.')
    return payment
  }

  api.post('/payments', requireJson, bodyLimit({ maxSize: largestBody, onError: tooLarge }), async context => {
    const checkout = readCheckout(await context.req.json().catch(notJson))
    orders.place(checkout)
    try {
      // Ends when Daraja has answered the push, not when the customer has paid. Asked twice with one key (a double
      // click, a reload, a retry after a lost connection) it prompts once and answers with the same payment.
      const initiated = await mpesa.initiatePayment({
        phoneNumber: checkout.phoneNumber,
        amount: checkout.amount,
        accountReference: checkout.reference,
        description: checkout.title.en,
        idempotencyKey: checkout.idempotencyKey,
      })
      orders.addPayment(checkout.reference, initiated.paymentId)
      reportPending({ ...initiated, amount: checkout.amount })
      return context.json(await findPayment(initiated.paymentId), 201)
    } catch (error) {
      if (error instanceof PushRefusedError) orders.addPayment(checkout.reference, error.paymentId)
      throw error
    }
  })

  api.get('/payments', async context => {
    // Somebody may have deleted shop.db and kept the orders.
    const payments = await Promise.all(orders.recentPaymentIds().map(lookUp))
    return context.json({ payments: payments.filter(payment => payment !== null) })
  })
  api.get('/payments/:id', async context => context.json(await findPayment(context.req.param('id'))))
  api.get('/payments/:id/history', async context => {
    const { id } = await findPayment(context.req.param('id'))
    return context.json({ timeline: tellTrail(await mpesa.history({ paymentId: id })) })
  })

  api.post(
    '/tokens',
    requireJson,
    bodyLimit({ maxSize: largestBody, onError: tooLarge }),
    createTokenRoute(mpesa, relayLink),
  )

  api.get('/simulator', context => context.json({ url: simulatorUrl, testNumbers: testNumbers.map(nameAndNumber) }))
  api.all('*', () => {
    throw new ShopError('SHOP_NOT_FOUND', 'The shop has no such route.')
  })
  return api
}

const nameAndNumber = ({ msisdn, about }: { readonly msisdn: string; readonly about: string }) => ({ msisdn, about })

function tooLarge(): never {
  throw new ShopError('SHOP_BODY_TOO_LARGE', `The body has over ${largestBody} bytes.`)
}

function notJson(): never {
  throw new ShopError('SHOP_REQUEST_INVALID', 'The body is not JSON.')
}
