import { MemoryAdapter } from 'mpesa-stk'
import { signBody } from 'mpesa-stk/server'
import { createSimulator, type Simulator } from 'mpesa-stk-simulator'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { forgedSuccess } from './once-forgery.ts'
import { openTestRelay, openTestShop, type TestRelay } from './open-test-shop.ts'
import type { PaymentAnswer } from './payment-answer.ts'

let simulator: Simulator
let relay: TestRelay
beforeAll(async () => {
  ;[simulator, relay] = await Promise.all([createSimulator({ seed: 1 }), openTestRelay()])
})
beforeEach(() => simulator.reset())
afterAll(async () => {
  await simulator.close()
  await relay.close()
})

const checkout = { phoneNumber: '0712 345 678', product: 'shuka', idempotencyKey: 'intent-0001' }
const pay = async (shop: Awaited<ReturnType<typeof openTestShop>>): Promise<PaymentAnswer> =>
  (await (await shop.post(checkout)).json()) as PaymentAnswer

function successOfPush(): string {
  const [push] = simulator.transactions()
  return JSON.stringify(forgedSuccess(push?.checkoutRequestId ?? '', push?.amount ?? 0))
}

test.each<[string, (body: string, secret: string) => Record<string, string>]>([
  ['without a signature', () => ({})],
  ['with an empty signature', () => ({ 'x-mpesa-signature': '' })],
  ["with a stranger's signature", body => ({ 'x-mpesa-signature': signBody(body, 'guessed') })],
  ['with the signature of another body', (body, secret) => ({ 'x-mpesa-signature': signBody(`${body} `, secret) })],
])('a delivery %s is refused, and the store never sees it', async (_what, headersFor) => {
  const store = new MemoryAdapter()
  await using shop = await openTestShop(simulator, relay, { store })
  const { id } = await pay(shop)
  store.recordCallback = () => Promise.reject(new Error('nothing may come this far'))
  const body = successOfPush()
  const headers = headersFor(body, shop.signingSecret)
  const response = await shop.app.request('/mpesa/callback', { method: 'POST', body, headers })
  expect(response.status).toBe(401)
  expect(await response.json()).toMatchObject({ error: { code: 'SHOP_SIGNATURE_INVALID' } })
  const payment = await shop.app.request(`/api/payments/${id}`)
  expect(await payment.json()).toMatchObject({ status: 'PENDING' })
})

test('a signed success settles nothing without the token of its push', async () => {
  await using shop = await openTestShop(simulator, relay)
  const { id } = await pay(shop)
  const body = successOfPush()
  const signature = { 'x-mpesa-signature': signBody(body, shop.signingSecret) }
  for (const token of [{}, { 'x-mpesa-callback-token': 'guessed' }]) {
    const headers = { ...signature, ...token }
    const response = await shop.app.request('/mpesa/callback', { method: 'POST', body, headers })
    expect(response.status).toBe(200)
    expect(await response.json()).toEqual({ ResultCode: 0, ResultDesc: 'Success' })
  }
  const payment = await shop.app.request(`/api/payments/${id}`)
  expect(await payment.json()).toMatchObject({ status: 'PENDING' })
})

test.each(['{"TransID":"UKO1","TransAmount":"10"}', '{}', '[]', 'no JSON at all'])(
  'a signed %s is taken',
  async body => {
    await using shop = await openTestShop(simulator, relay)
    const headers = { 'x-mpesa-signature': signBody(body, shop.signingSecret) }
    const response = await shop.app.request('/mpesa/callback', { method: 'POST', body, headers })
    expect(response.status).toBe(200)
  },
)

test('it answers 500 when the store cannot keep it', async () => {
  const store = new MemoryAdapter()
  store.recordCallback = () => Promise.reject(new Error('the disk is full'))
  await using shop = await openTestShop(simulator, relay, { store })
  const headers = { 'x-mpesa-signature': signBody('{}', shop.signingSecret) }
  const response = await shop.app.request('/mpesa/callback', { method: 'POST', body: '{}', headers })
  expect(response.status).toBe(500)
  expect(await response.text()).not.toContain('disk')
})

test('there is no route for Safaricom itself', async () => {
  await using shop = await openTestShop(simulator, relay)
  const response = await shop.app.request('/mpesa/callback/t/token', { method: 'POST', body: '{}' })
  expect(response.status).toBe(404)
})
