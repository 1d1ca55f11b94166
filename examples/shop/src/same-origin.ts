import { isIP } from 'node:net'
import type { MiddlewareHandler } from 'hono'
import { ShopError } from './shop-error.ts'

/**
 * Keeps other web sites out of the API: else any page that a visitor has open could make phones ring. A page elsewhere
 * is given away by its `Origin`; a page whose own name was pointed at this machine (DNS rebinding) by its `Host`, which
 * is a name. We are called by address or as localhost.
 */
export const refuseForeigners: MiddlewareHandler = async (context, next) => {
  const host = context.req.header('host') ?? new URL(context.req.url).host
  const origin = context.req.header('origin')
  const isForeign =
    !isAddressOrLocalhost(host) ||
    (origin !== undefined && origin !== `http://${host}`) ||
    context.req.header('sec-fetch-site') === 'cross-site'
  if (isForeign) throw new ShopError('SHOP_FOREIGN_ORIGIN', 'The shop answers only to its own page.')
  await next()
}

/** A form or an image of another site can post, but not this type: the browser would ask us first, and we say no. */
export const requireJson: MiddlewareHandler = async (context, next) => {
  const type = context.req.header('content-type')?.split(';')[0]?.trim().toLowerCase()
  if (type !== 'application/json')
    throw new ShopError('SHOP_NOT_JSON', 'Send JSON with "content-type: application/json".')
  await next()
}

function isAddressOrLocalhost(host: string): boolean {
  if (!URL.canParse(`http://${host}`)) return false
  const { hostname } = new URL(`http://${host}`)
  return hostname === 'localhost' || isIP(hostname.replace(/^\[|\]$/g, '')) !== 0
}
