import { act, createElement } from 'react'
import { renderToString } from 'react-dom/server'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { connectPayments, type PaymentsClient } from './index.ts'
import { PaymentsProvider, type UsedPayment, type UsedStream, usePayment, usePaymentStream } from './react.ts'
import { shareStream } from './shared-stream.ts'
import { FakeRelay } from './testing/fake-relay.ts'
import { probe, renderNothing } from './testing/render-nothing.ts'

let relay: FakeRelay
let client: PaymentsClient
beforeEach(async () => {
  relay = await FakeRelay.start()
  client = connectPayments({ url: relay.url, getToken: async () => 'good', webSocket: WebSocket, storage: null })
})
afterEach(async () => {
  client.close()
  await relay[Symbol.asyncDispose]()
})

/** Waits while React does what it is told. */
const until = async (holds: () => boolean): Promise<void> =>
  act(async () => {
    await expect.poll(holds, { message: holds.toString() }).toBe(true)
  })

test('a server renders what nobody has read, and connects to nothing', () => {
  const Shows = (): string => {
    const { payment, streamState, connection, isStale } = usePayment('a')
    return [payment.paymentId, payment.status, streamState, connection, isStale].join(' ')
  }
  const Counts = (): string => ` ${usePaymentStream('source').events.length} events`
  const getToken = vi.fn(async () => 'good')
  const tree = createElement(
    PaymentsProvider,
    { url: relay.url, getToken },
    createElement(Shows),
    createElement(Counts),
  )
  expect(renderToString(tree).replace('<!-- -->', '')).toBe('a PENDING replaying idle false 0 events')
  expect(getToken).not.toHaveBeenCalled()
  expect(() => renderToString(createElement(Shows))).toThrow(/no PaymentsProvider/)
})

test('StrictMode, and two components: one socket and one subscription, and both see the payment', async () => {
  const seen: { a?: UsedPayment; b?: UsedPayment } = {}
  const A = probe(
    () => usePayment('a'),
    value => {
      seen.a = value
    },
  )
  const B = probe(
    () => usePayment('a'),
    value => {
      seen.b = value
    },
  )
  const page = await renderNothing(createElement(PaymentsProvider, { client }, createElement(A), createElement(B)))
  await until(() => seen.a?.streamState === 'live')
  relay.publish('payment:a', { Amount: 500 })
  await until(() => seen.a?.payment.status === 'SUCCESS')
  expect(seen.b).toBe(seen.a)
  expect(seen.a).toMatchObject({ connection: 'connected', isStale: false, payment: { amount: 500 } })
  expect(relay.upgrades).toHaveLength(1)
  expect(relay.frames('subscribe')).toHaveLength(1)
  await page.unmount()
  await expect.poll(() => relay.frames('unsubscribe').length).toBe(1)
  await expect.poll(() => client.state).toBe('idle')
})

test('a payment that is shown again a moment later goes on over the same subscription', async () => {
  const leave = shareStream(client, 'payment:a', () => {})
  await expect.poll(() => relay.subscriptions).toBe(1)
  leave()
  const again = shareStream(client, 'payment:a', () => {})
  const other = shareStream(client, 'payment:b', () => {})
  await expect.poll(() => relay.subscriptions).toBe(2)
  other()
  await expect.poll(() => relay.frames('unsubscribe').length).toBe(1)
  expect(relay.frames('subscribe').map(frame => frame['stream'])).toEqual(['payment:a', 'payment:b'])
  again()
})

test('the newest events come first, and no more are kept than a page shows', async () => {
  for (let count = 0; count < 120; count++) relay.publish('source')
  let seen: UsedStream | undefined
  const Till = probe(
    () => usePaymentStream('source'),
    value => {
      seen = value
    },
  )
  const page = await renderNothing(createElement(PaymentsProvider, { client }, createElement(Till)))
  await until(() => seen?.streamState === 'live')
  expect(seen?.events).toHaveLength(100)
  expect(seen?.events[0]?.id).toBe('e1-event-120')
  await page.unmount()
})

test('no payment yet: nothing is asked for', async () => {
  let seen: UsedPayment | undefined
  const Waits = probe(
    () => usePayment(null),
    value => {
      seen = value
    },
  )
  const page = await renderNothing(createElement(PaymentsProvider, { client }, createElement(Waits)))
  expect(seen?.payment.status).toBe('PENDING')
  expect(client.state).toBe('idle')
  await page.unmount()
})
