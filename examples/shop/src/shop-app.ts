import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { connectRelay, type Logger, MpesaStk, type PendingReport, type Store } from 'mpesa-stk'
import { verifySignature } from 'mpesa-stk/server'
import { answerError } from './error-status.ts'
import type { Orders } from './orders.ts'
import { createPages } from './page/page.ts'
import { createPaymentApi } from './payment-api.ts'
import { ShopError } from './shop-error.ts'

export type ShopParts = {
  /** Where payments live, migrated. */
  readonly store: Store
  /** Where Safaricom posts callbacks: the shop's hook at the relay. */
  readonly callbackUrl: string
  /** The relay, and the shop's app there. */
  readonly relayUrl: string
  readonly appId: string
  /** With which the relay signs what it delivers, and the shop what it reports. */
  readonly signingSecret: string
  readonly simulatorUrl: string
  readonly orders: Orders
  readonly logger: Logger
  /** How soon Safaricom is asked about a payment whose callback does not come. Default: the library's. */
  readonly pollIntervalMs?: number | undefined
  /** The time for what is shown. Default: the machine's. */
  readonly now?: () => Date
}

/** Where the relay delivers callbacks. */
export const callbackPath = '/mpesa/callback'

/** The relay takes bodies of 256 KiB, and writes them anew: what it has taken must not be refused for being longer. */
const largestDelivery = 2 * 1024 * 1024

export type ShopApp = {
  readonly app: Hono
  readonly mpesa: MpesaStk
  /** Resolves when no handler runs, and the relay has heard of every payment. */
  idle(): Promise<void>
}

/** The whole shop: one `MpesaStk`, what happens when a payment settles, the callback route, the API and the pages. */
export function createShopApp(parts: ShopParts): ShopApp {
  const { store, callbackUrl, relayUrl, appId, signingSecret, simulatorUrl, orders, logger, pollIntervalMs } = parts
  const { now = () => new Date() } = parts
  const mpesa = new MpesaStk(
    {
      // The simulator takes any. Yours come from the Daraja portal, through your environment.
      consumerKey: 'demo-consumer-key',
      consumerSecret: 'demo-consumer-secret',
      passKey: 'demo-pass-key',
      shortCode: '174379',
      environment: 'sandbox',
      baseUrl: simulatorUrl,
      callbackUrl,
      // Safaricom signs nothing. A token of its own behind each push's callback URL tells its callback from a forged one.
      callbackToken: 'path',
      ...(pollIntervalMs !== undefined && { pollIntervalMs }),
    },
    store,
    { logger },
  )

  const relayLink = connectRelay({ url: relayUrl, appId, signingSecret, logger })

  // In this order: a screen that is told of a paid order may say that it is packed. When one of them throws, both are called
  // again, so what is packed stays as it is.
  mpesa.onPaymentSettled(({ status, accountReference }) => {
    if (status === 'SUCCESS' && orders.find(accountReference)?.timesPacked === 0) orders.pack(accountReference)
  })
  mpesa.onPaymentSettled(relayLink.reportSettled)

  // The customer is not made to wait until a screen was told; who closes the shop waits for it.
  let reported: Promise<void> = Promise.resolve()
  const reportPending = (payment: PendingReport): void => {
    reported = Promise.all([reported, relayLink.reportPending(payment)]).then(() => {})
  }
  mpesa.onDiscrepancy(({ paymentId, reason, cause }) => {
    logger.warn({ paymentId, reason, cause }, 'two accounts of a payment differ: somebody has to look')
  })

  const app = new Hono()
  app.use(secureHeaders({ contentSecurityPolicy, strictTransportSecurity: false, referrerPolicy: 'no-referrer' }))
  app.onError((error, context) => {
    const { status, body } = answerError(error)
    if (status === 500) logger.error({ path: context.req.routePath, cause: error }, 'a request failed')
    return context.json(body, status)
  })

  // For the relay alone, which signs what it delivers. Whoever else posts here is refused.
  app.post(callbackPath, bodyLimit({ maxSize: largestDelivery }), async context => {
    const body = await context.req.text()
    if (!verifySignature(body, signingSecret, context.req.header('x-mpesa-signature')))
      throw new ShopError('SHOP_SIGNATURE_INVALID', 'Only the relay posts here, with its X-Mpesa-Signature.')
    // Acked means durable: 200 is said only after the commit. Should the store throw, the 500 of `onError` pretends
    // nothing, and the relay delivers it again.
    const token = context.req.header('x-mpesa-callback-token')
    const { outcome, paymentId } = await mpesa.processCallback(body, { token })
    logger.info({ outcome, paymentId }, 'callback')
    return context.json({ ResultCode: 0, ResultDesc: 'Success' })
  })

  app.route('/api', createPaymentApi({ mpesa, relayLink, reportPending, orders, simulatorUrl, now }))
  app.route('/', createPages())
  return {
    app,
    mpesa,
    async idle() {
      await reported
      await mpesa.idle()
    },
  }
}

// Nothing on the page comes from anywhere else, and nothing may be made to.
const contentSecurityPolicy = {
  defaultSrc: ["'none'"],
  scriptSrc: ["'self'"],
  styleSrc: ["'self'"],
  connectSrc: ["'self'"],
  imgSrc: ['data:'],
  baseUri: ["'none'"],
  formAction: ["'none'"],
  frameAncestors: ["'none'"],
}
