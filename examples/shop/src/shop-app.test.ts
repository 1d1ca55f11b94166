import type { Hono } from 'hono'
import { MemoryAdapter } from 'mpesa-stk'
import { createSimulator, type Simulator } from 'mpesa-stk-simulator'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openTestRelay, openTestShop, quiet, type TestRelay } from './open-test-shop.ts'
import { createOrders } from './orders.ts'
import { posWords } from './page/pos/pos-words.ts'
import { words } from './page/words.ts'
import type { PaymentAnswer } from './payment-answer.ts'
import { createShopApp } from './shop-app.ts'

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
const read = async (response: Response): Promise<PaymentAnswer> => (await response.json()) as PaymentAnswer

describe('paying', () => {
  test('prices the product itself, waits for the customer, and is settled and packed once', async () => {
    await using shop = await openTestShop(simulator, relay)
    const response = await shop.post(checkout)
    expect(response.status).toBe(201)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const pending = await read(response)
    expect(pending).toMatchObject({ status: 'PENDING', amount: 1500, phone: '2547*****678', receipt: null })
    await simulator.waitForTransaction(({ state }) => state === 'prompting')
    simulator.respond('254712345678', 'approve')
    await shop.settled()
    const paid = await read(await shop.app.request(`/api/payments/${pending.id}`))
    expect(paid).toMatchObject({
      status: 'SUCCESS',
      receipt: simulator.transactions()[0]?.receipt,
      isPacked: true,
      explanation: null,
    })
    expect(shop.orders.find(paid.reference)?.timesPacked).toBe(1)
  })

  test('twice at once with one key is one push and one payment', async () => {
    await using shop = await openTestShop(simulator, relay)
    const both = await Promise.all([shop.post(checkout), shop.post(checkout)])
    const [first, second] = await Promise.all(both.map(read))
    expect(second?.id).toBe(first?.id)
    expect(simulator.transactions()).toHaveLength(1)
    const { payments } = (await (await shop.app.request('/api/payments')).json()) as { payments: PaymentAnswer[] }
    expect(payments.map(({ id }) => id)).toEqual([first?.id])
  })

  test('that fails is explained in both languages', async () => {
    await using shop = await openTestShop(simulator, relay)
    const { id } = await read(await shop.post({ ...checkout, phoneNumber: '254700001032' }))
    await shop.settled()
    const { status, explanation } = await read(await shop.app.request(`/api/payments/${id}`))
    expect(status).toBe('CANCELLED')
    expect(explanation?.customer.en).toMatch(/try again/)
    expect(explanation?.customer.sw).toMatch(/jaribu tena/)
  })

  test('that Daraja refuses says so, is listed, and leaves the key free', async () => {
    await using shop = await openTestShop(simulator, relay)
    simulator.addScenario({ ackError: '429' })
    const refused = await shop.post(checkout)
    expect(refused.status).toBe(502)
    const { error } = (await refused.json()) as { error: { paymentId: string } }
    expect(error).toMatchObject({ code: 'MPESA_STK_PUSH_REFUSED', customer: { en: expect.any(String) } })
    expect(await read(await shop.app.request(`/api/payments/${error.paymentId}`))).toMatchObject({ status: 'REFUSED' })
    const again = await shop.post(checkout)
    expect(again.status).toBe(201)
    expect((await read(again)).id).not.toBe(error.paymentId)
  })

  test('that nobody reports is overdue after a while, until it is over', async () => {
    let aheadMs = 0
    await using shop = await openTestShop(simulator, relay, { now: () => new Date(Date.now() + aheadMs) })
    const { id, isOverdue } = await read(await shop.post(checkout))
    const look = async () => read(await shop.app.request(`/api/payments/${id}`))
    expect(isOverdue).toBe(false)
    aheadMs = 60_000
    expect(await look()).toMatchObject({ status: 'PENDING', isOverdue: false })
    aheadMs = 90_000
    expect(await look()).toMatchObject({ status: 'PENDING', isOverdue: true })
    await simulator.waitForTransaction(({ state }) => state === 'prompting')
    simulator.respond('254712345678', 'approve')
    await shop.settled()
    expect(await look()).toMatchObject({ status: 'SUCCESS', isOverdue: false })
  })

  test('is not asked for when the order cannot be written down', async () => {
    const write = () => {
      throw new Error('the disk is full')
    }
    const orders = createOrders({ past: [], unreadable: 0, write }, quiet)
    const addresses = { callbackUrl: 'http://127.0.0.1:1', relayUrl: relay.url, simulatorUrl: simulator.url }
    const parts = { ...addresses, store: new MemoryAdapter(), appId: 'app', signingSecret: 'secret' }
    const { app } = createShopApp({ ...parts, orders, logger: quiet })
    const headers = { 'content-type': 'application/json' }
    const response = await app.request('/api/payments', { method: 'POST', headers, body: JSON.stringify(checkout) })
    expect(response.status).toBe(500)
    expect(simulator.transactions()).toEqual([])
  })

  test('has a history in words', async () => {
    await using shop = await openTestShop(simulator, relay)
    const { id } = await read(await shop.post({ ...checkout, phoneNumber: '254700001032' }))
    await shop.settled()
    const { timeline } = (await (await shop.app.request(`/api/payments/${id}/history`)).json()) as {
      timeline: { step: string }[]
    }
    expect(timeline.map(({ step }) => step)).toEqual([
      'Intent stored',
      'Push sent',
      'Push accepted',
      'Settled CANCELLED',
    ])
  })
})

describe('a payment request is refused', () => {
  test.each<[string, unknown, number, string]>([
    ['no JSON', '{', 400, 'SHOP_REQUEST_INVALID'],
    ['a list', [], 400, 'SHOP_REQUEST_INVALID'],
    ['a price from the browser', { ...checkout, price: 1 }, 400, 'SHOP_REQUEST_INVALID'],
    ['product and amount', { ...checkout, amount: 5 }, 400, 'SHOP_REQUEST_INVALID'],
    ['no such product', { ...checkout, product: 'gold' }, 400, 'SHOP_REQUEST_INVALID'],
    ['no key', { ...checkout, idempotencyKey: '' }, 400, 'SHOP_REQUEST_INVALID'],
    [
      'a key that is too long',
      { ...checkout, idempotencyKey: 'k'.repeat(256) },
      400,
      'MPESA_STK_IDEMPOTENCY_KEY_INVALID',
    ],
    ['a landline', { ...checkout, phoneNumber: '020 222 2222' }, 422, 'MPESA_STK_PHONE_INVALID'],
    ['half a shilling', { ...checkout, product: undefined, amount: 0.5 }, 422, 'MPESA_STK_AMOUNT_INVALID'],
    ['a large body', { ...checkout, phoneNumber: '0'.repeat(20_000) }, 413, 'SHOP_BODY_TOO_LARGE'],
  ])('for %s', async (_what, body, status, code) => {
    await using shop = await openTestShop(simulator, relay)
    const response = await shop.post(body)
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ error: { code } })
    expect(simulator.transactions()).toEqual([])
  })

  test('for a key that paid for something else', async () => {
    await using shop = await openTestShop(simulator, relay)
    await shop.post(checkout)
    const response = await shop.post({ ...checkout, product: 'chai' })
    expect(response.status).toBe(409)
    expect(await response.text()).not.toContain('712345678')
  })

  test.each<[string, Record<string, string>, number]>([
    ['another origin', { origin: 'https://evil.example' }, 403],
    ['a page in a sandbox', { origin: 'null' }, 403],
    ['another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a name that was pointed at us', { host: 'evil.example', origin: 'http://evil.example' }, 403],
    ['a form', { 'content-type': 'text/plain' }, 415],
  ])('from %s', async (_who, headers, status) => {
    await using shop = await openTestShop(simulator, relay)
    expect((await shop.post(checkout, headers)).status).toBe(status)
    expect(simulator.transactions()).toEqual([])
  })

  test('but not from its own page', async () => {
    await using shop = await openTestShop(simulator, relay)
    const headers = { host: '127.0.0.1:3000', origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'same-origin' }
    expect((await shop.post(checkout, headers)).status).toBe(201)
  })
})

describe('a token for a page', () => {
  type Token = { readonly token: string; readonly streams: readonly string[] }
  const mint = (app: Hono, body: unknown, headers: Record<string, string> = {}) =>
    app.request('/api/tokens', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  /** What the stream of a token's choice says so far. */
  const poll = (stream: string, token: string) =>
    fetch(`${relay.url}/v1/streams/${stream}/events?from=start`, { headers: { authorization: `Bearer ${token}` } })

  test('opens the stream of its payment, to the end, and no other', async () => {
    await using shop = await openTestShop(simulator, relay)
    const { id } = await read(await shop.post({ ...checkout, phoneNumber: '254700009001' }))
    await shop.settled()
    const response = await mint(shop.app, { stream: `payment:${id}` })
    expect(response.status).toBe(201)
    expect(response.headers.get('cache-control')).toBe('no-store')
    const { token, streams } = (await response.json()) as Token
    expect(streams).toEqual([`payment:${id}`])
    const told = await (await poll(`payment:${id}`, token)).text()
    expect(JSON.parse(told)).toMatchObject({
      frames: expect.arrayContaining([
        {
          type: 'event',
          cursor: expect.any(String),
          event: expect.objectContaining({ type: 'payment.settled', status: 'SUCCESS' }),
        },
      ]),
    })
    expect(told).not.toMatch(/ws_CO_|254700009001/)
    for (const other of ['source', 'payment:another']) expect((await poll(other, token)).status).toBe(403)
  })

  test('of the till opens every payment', async () => {
    await using shop = await openTestShop(simulator, relay)
    const { id } = await read(await shop.post(checkout))
    await shop.settled()
    const { token } = (await (await mint(shop.app, { stream: 'source' })).json()) as Token
    expect(await (await poll('source', token)).text()).toContain(id)
  })

  test.each<[string, unknown, Record<string, string>, number]>([
    ['another site asks', { stream: 'source' }, { origin: 'https://evil.example' }, 403],
    ['a name that was pointed at us asks', { stream: 'source' }, { host: 'evil.example' }, 403],
    ['a form asks', { stream: 'source' }, { 'content-type': 'text/plain' }, 415],
    ['nobody has that payment', { stream: 'payment:nobody' }, {}, 404],
    ['it is no stream', { stream: 'everything' }, {}, 404],
    ['it is no text', { stream: ['source'] }, {}, 400],
    ['it is nothing', null, {}, 400],
  ])('is not given when %s', async (_why, body, headers, status) => {
    await using shop = await openTestShop(simulator, relay)
    const response = await mint(shop.app, body, headers)
    expect(response.status).toBe(status)
    expect(await response.text()).not.toContain('"token"')
  })

  test('cannot be had while the relay is away, and paying does not wait for it', async () => {
    await using shop = await openTestShop(simulator, relay, { relayUrl: 'http://127.0.0.1:1' })
    const response = await shop.post(checkout)
    expect(response.status).toBe(201)
    expect((await mint(shop.app, { stream: `payment:${(await read(response)).id}` })).status).toBe(503)
  })
})

describe('the page', () => {
  test('and everything that it loads comes from the shop, with nothing inline', async () => {
    await using shop = await openTestShop(simulator, relay)
    const response = await shop.app.request('/')
    const html = await response.text()
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(response.headers.get('content-security-policy')).not.toContain('unsafe')
    expect(html).not.toMatch(/<style|<script(?![^>]* src=)| style=| on\w+="/)
    const [style] = html.match(/\/shop\/[\w.]+css/) ?? []
    const [script] = html.match(/\/shop\/[\w.]+js/) ?? []
    for (const path of [
      style,
      script,
      '/shop/base.css',
      '/shop/language.js',
      '/shop/elements.js',
      '/shop/watch.js',
      '/shop/payment.js',
      '/shop/counter.js',
    ]) {
      expect((await shop.app.request(path ?? '')).status).toBe(200)
    }
  })

  test.each([
    ['/', words.sw],
    ['/pos', posWords.sw],
  ])('%s has a place for every sentence that it names', async (path, sentences) => {
    await using shop = await openTestShop(simulator, relay)
    const html = await (await shop.app.request(path)).text()
    const named = [...html.matchAll(/data-word="([\w-]+)"/g)].map(([, word]) => word)
    expect(named.length).toBeGreaterThan(10)
    expect(named.filter(word => !Object.hasOwn(sentences, word ?? ''))).toEqual([])
  })

  test('of the till, and every module that it loads, comes from the shop as well', async () => {
    await using shop = await openTestShop(simulator, relay)
    const html = await (await shop.app.request('/pos')).text()
    expect(html).not.toMatch(/<style|<script(?![^>]* src=)| style=| on\w+="/)
    const asked = new Set<string>()
    const follow = async (path: string): Promise<void> => {
      if (asked.has(path)) return
      asked.add(path)
      const response = await shop.app.request(path)
      expect([path, response.status]).toEqual([path, 200])
      const imported = [...(await response.text()).matchAll(/(?:from|import)\s*\(?\s*["'](\.?\/[^"']+)["']/g)]
      for (const [, name = ''] of imported) await follow(new URL(name, `http://shop${path}`).pathname)
    }
    for (const [, path = ''] of html.matchAll(/(?:src|href)="(\/[\w/]+\.(?:js|css))"/g)) await follow(path)
    // The ways around a blocked WebSocket are a module of their own.
    expect([...asked].filter(path => path.startsWith('/live/')).length).toBeGreaterThan(1)
  })

  test('knows no payment that is not there', async () => {
    await using shop = await openTestShop(simulator, relay)
    for (const path of [
      '/api/payments/nobody',
      '/api/payments/nobody/history',
      '/api/elsewhere',
      '/live/elsewhere.js',
    ]) {
      const response = await shop.app.request(path)
      expect(response.status).toBe(404)
      if (path.startsWith('/api/')) expect(response.headers.get('cache-control')).toBe('no-store')
    }
  })
})
