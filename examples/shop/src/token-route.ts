import type { Handler } from 'hono'
import type { MpesaStk, RelayLink } from 'mpesa-stk'
import { ShopError } from './shop-error.ts'

/**
 * Mints what a page shows the relay to hear of payments: `POST /api/tokens` with `{ stream }`. The page holds no secret, and
 * the token is good for ten minutes and this one stream.
 *
 * `payment:<id>`: for whoever knows the opaque id, who may look at that payment anyway. `source`, every payment of the shop:
 * for staff. In this demo staff is whoever opened the shop's own page, as with the list of recent payments
 * (`same-origin.ts`). **A real shop asks here who is logged in.**
 */
export function createTokenRoute(mpesa: MpesaStk, relayLink: RelayLink): Handler {
  return async context => {
    const body: unknown = await context.req.json().catch(() => null)
    const { stream } = (body ?? {}) as { readonly stream?: unknown }
    if (typeof stream !== 'string') throw new ShopError('SHOP_REQUEST_INVALID', '"stream" must be text.')
    if (stream === 'source') {
      return context.json(await relayLink.mintToken({ streams: [stream], subject: 'till' }), 201)
    }
    const [, paymentId] = /^payment:([\w-]{1,64})$/.exec(stream) ?? []
    if (paymentId === undefined || (await mpesa.getPayment(paymentId)) === null)
      throw new ShopError('SHOP_NOT_FOUND', 'There is no such payment.')
    return context.json(await relayLink.mintToken({ streams: [stream] }), 201)
  }
}
