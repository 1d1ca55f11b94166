import type { AppSecrets, RelayApp } from './relay-app.ts'
import type { EventKind, LeasedEvent } from './relay-event.ts'
import { signBody, signStandardWebhook } from './sign.ts'

/** One request to a merchant, ready to be sent. */
export type OutboundRequest = {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

const utf8 = new TextDecoder()

/**
 * The request that delivers an event. The body is `JSON.stringify` of what Safaricom sent, because documented receivers
 * verify the signature over `JSON.stringify(req.body)`, and Safaricom writes numbers like `1.00`.
 */
export function prepareDelivery(
  event: Pick<LeasedEvent, 'id' | 'body' | 'callbackToken' | 'contradicts'>,
  app: Pick<RelayApp, 'targetUrl'>,
  secrets: AppSecrets,
  at: Date,
  kind: EventKind | 'c2b-validation',
): OutboundRequest {
  const body = JSON.stringify(JSON.parse(utf8.decode(event.body)))
  const timestamp = Math.floor(at.getTime() / 1_000)
  const keys = signingKeys(secrets, at)
  const signed = keys.map(secret => signStandardWebhook({ eventId: event.id, timestamp, body, secret }))
  return {
    url: app.targetUrl,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'mpesa-stk-relay',
      'x-mpesa-signature': keys.map(secret => signBody(body, secret)).join(','),
      'x-mpesa-event-id': event.id,
      'x-mpesa-kind': kind,
      'x-mpesa-timestamp': String(timestamp),
      ...(event.callbackToken !== null && { 'x-mpesa-callback-token': event.callbackToken }),
      ...(event.contradicts !== null && { 'x-mpesa-contradicts': event.contradicts }),
      'webhook-id': event.id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signed.join(' '),
    },
    body,
  }
}

/** The new one first; for a while after a rotation also the one before. */
function signingKeys({ signingSecret, previous }: AppSecrets, at: Date): readonly string[] {
  return previous !== null && previous.untilMs > at.getTime()
    ? [signingSecret, previous.signingSecret]
    : [signingSecret]
}
