import { expect, test } from 'vitest'
import { PlainClient } from './plain-client.ts'
import { openStreamRelay } from './stream-floor.ts'

test('whoever follows a payment from now on, of which something was said before, hears how it ends', async () => {
  await using relay = await openStreamRelay()
  const app = await relay.createApp()
  await app.link.reportPending({ paymentId: 'pay_1', checkoutRequestId: 'ws_CO_1', amount: 5 })
  const { token } = await app.link.mintToken({ streams: ['payment:pay_1'] })
  using client = await PlainClient.open(relay.url, { token })
  client.send({ type: 'subscribe', id: 1, stream: 'payment:pay_1', from: 'now' })
  await client.until(({ type }) => type === 'live' || type === 'ended')
  await relay.pay(app, { checkoutRequestId: 'ws_CO_1' })
  await client.until(({ type }) => type === 'event' || type === 'ended')
  expect(client.frames.map(({ type }) => type)).toEqual(['hello', 'ready', 'subscribed', 'live', 'event'])
})
