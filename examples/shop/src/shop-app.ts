import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { secureHeaders } from 'hono/secure-headers'
import { type Logger, MpesaStk, type Store } from 'mpesa-stk'
import { answerError } from './error-status.ts'
import type { Orders } from './orders.ts'
import { createPage } from './page/page.ts'
import { createPaymentApi } from './payment-api.ts'

export type ShopParts = {
  /** Where payments live, migrated. */
  readonly store: Store
  /** Of this shop, as Daraja reaches it. */
  readonly url: string
  readonly simulatorUrl: string
  readonly orders: Orders
  readonly logger: Logger
  /** How soon Safaricom is asked about a payment whose callback does not come. Default: the library's. */
  readonly pollIntervalMs?: number | undefined
  /** The time for what is shown. Default: the machine's. */
  readonly now?: () => Date
}

/** Where Daraja posts callbacks. Its token comes behind it: `/mpesa/callback/t/<token>`. */
export const callbackPath = '/mpesa/callback'

const largestCallback = 100_000

/** The whole shop: one `MpesaStk`, what happens when a payment settles, the callback routes, the API and the page. */
export function createShopApp(parts: ShopParts): { readonly app: Hono; readonly mpesa: MpesaStk } {
  const { store, url, simulatorUrl, orders, logger, pollIntervalMs, now = () => new Date() } = parts
  const mpesa = new MpesaStk(
    {
      // The simulator takes any. Yours come from the Daraja portal, through your environment.
      consumerKey: 'demo-consumer-key',
      consumerSecret: 'demo-consumer-secret',
      passKey: 'demo-pass-key',
      shortCode: '174379',
      environment: 'sandbox',
      baseUrl: simulatorUrl,
      callbackUrl: `${url}${callbackPath}`,
      // Safaricom signs nothing. A token of its own behind each push's callback URL tells its callback from a forged one.
      callbackToken: 'path',
      ...(pollIntervalMs !== undefined && { pollIntervalMs }),
    },
    store,
    { logger },
  )

  mpesa.onPaymentSettled(payment => {
    if (payment.status === 'SUCCESS') orders.pack(payment.accountReference)
  })
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

  // With a token and, for whoever tries without, to be refused and kept.
  app.on('POST', [`${callbackPath}/t/:token`, callbackPath], bodyLimit({ maxSize: largestCallback }), async context => {
    // Acked means durable: 200 is said only after the commit. Should the store throw, the 500 of `onError` pretends
    // nothing, and a Daraja that tries again finds the payment as it was.
    const body = new Uint8Array(await context.req.arrayBuffer())
    const { outcome, paymentId } = await mpesa.processCallback(body, { token: context.req.param('token') })
    logger.info({ outcome, paymentId }, 'callback')
    return context.json({ ResultCode: 0, ResultDesc: 'Success' })
  })

  app.route('/api', createPaymentApi({ mpesa, orders, simulatorUrl, now }))
  app.route('/', createPage())
  return { app, mpesa }
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
