import { createHmac, timingSafeEqual } from 'node:crypto'

/** The documented signature of a delivery: `sha256=` and the hex HMAC of the body, keyed with the secret's own characters. */
export function signBody(body: string | Uint8Array, secret: string): string {
  return `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`
}

/**
 * Whether a delivery was signed with your secret. Compares in constant time; anything that is no signature is not one. For a
 * day after `signingSecret` was rotated a delivery carries two signatures, of which yours must be one.
 *
 * @param body the raw body, or `JSON.stringify(req.body)` of it parsed
 * @param secret the `signingSecret` that `POST /apps` returned
 * @param signature the header `X-Mpesa-Signature`
 */
export function verifySignature(body: string | Uint8Array, secret: string, signature: unknown): boolean {
  if (typeof signature !== 'string') return false
  const expected = Buffer.from(signBody(body, secret))
  const given = signature.split(',', maxSignatures).map(each => Buffer.from(each.trim()))
  return given.some(each => each.length === expected.length && timingSafeEqual(expected, each))
}

const maxSignatures = 4

/** The signing secret as libraries of Standard Webhooks take it. */
export function standardWebhooksSecret(secret: string): string {
  return `whsec_${Buffer.from(secret).toString('base64')}`
}

/** The header `webhook-signature` of Standard Webhooks: it covers id, time and body. */
export function signStandardWebhook(message: {
  readonly eventId: string
  readonly timestamp: number
  readonly body: string
  readonly secret: string
}): string {
  const { eventId, timestamp, body, secret } = message
  return `v1,${createHmac('sha256', secret).update(`${eventId}.${timestamp}.${body}`).digest('base64')}`
}
