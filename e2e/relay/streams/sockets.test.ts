import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { paidBody } from '../../callback-bodies.ts'
import { statusOf, talk } from '../raw-socket.ts'
import { relayStores } from '../relay-stores.ts'
import { type Frame, SocketClient } from './socket-client.ts'
import { checkoutIdOf, openStreams, receiptOf } from './stream-floor.ts'

test('whoever says nothing is asked to leave after ten seconds', { timeout: 20_000 }, async () => {
  await using floor = await openStreams()
  await using silent = floor.connect()
  await using old = new SocketClient(floor.relay.url, { isOld: true, query: `source_id=${floor.sourceId}` })
  expect(await silent.until('error')).toMatchObject({ code: 'auth_timeout', retry: 'now' })
  expect(await silent.closed).toBe(4401)
  expect(await old.closed).toBe(4401)
})

test.each([
  ['no JSON', 'hello?', 4400],
  ['an unknown type', '{"type":"steal"}', 4400],
  ['a subscription before it says who it is', '{"type":"subscribe","id":1,"stream":"source"}', 4400],
  ['over 4 KiB', JSON.stringify({ type: 'auth', token: 'x'.repeat(4_096) }), 1009],
])('whoever sends %s is refused', async (_what, frame, code) => {
  await using floor = await openStreams()
  await using client = floor.connect()
  await client.until('hello')
  client.send(frame)
  expect(await client.closed).toBe(code)
})

describe.each(relayStores)('the old protocol on %s', (_name, openStore) => {
  test('lets in who has the stream secret, replays, and goes on live', async () => {
    await using store = await openStore()
    await using floor = await openStreams(store.options, { publicStreams: true })
    const { relay, sourceId, streamSecret } = floor
    await floor.pay(1)
    await using page = new SocketClient(relay.url, {
      isOld: true,
      query: `source_id=${sourceId}`,
      headers: { origin: 'https://old.example' },
    })
    expect(await page.next()).toEqual({ type: 'auth_required' })
    page.send({ type: 'auth', secret: streamSecret })
    expect(await page.next()).toEqual({ type: 'auth_success' })
    const replayed = await page.next()
    expect(replayed).toMatchObject({
      type: 'replay',
      data: {
        type: 'mpesa_callback',
        ResultCode: '0',
        MerchantRequestID: expect.any(String),
        MpesaReceiptNumber: receiptOf(1),
      },
    })
    page.send({ type: 'ping' })
    expect(await page.next()).toEqual({ type: 'pong' })
    await floor.pay(2)
    expect(await page.next()).toMatchObject({ type: 'event', data: { MpesaReceiptNumber: receiptOf(2) } })
    await floor.post(`/v1/apps/${floor.appId}/stream/clear`, {})
    expect(await page.next()).toEqual({ type: 'cleared' })
    // Nowhere, and so not at the end of an id either.
    expect(JSON.stringify(page.frames)).not.toContain('712345678')
    await fetch(`${relay.url}/apps/${floor.appId}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${floor.signingSecret}` },
    })
    expect(await page.next()).toEqual({ type: 'destroyed' })
    expect(await page.closed).toBe(1000)
  })
})

const secrets = (floor: { sourceId: string; streamSecret: string; signingSecret: string }, name: string): string =>
  ({ stream: floor.streamSecret, signing: floor.signingSecret })[name] ?? 'wrong'

test.each([
  ['a wrong secret', { publicStreams: true }, 'wrong', undefined, 'secret_invalid', 4401],
  [
    'the stream secret of an app that has no public streams',
    {},
    'stream',
    'https://a.example',
    'secret_not_for_pages',
    4403,
  ],
  [
    'the signing secret from a page',
    { publicStreams: true },
    'signing',
    'https://a.example',
    'secret_not_for_pages',
    4403,
  ],
  [
    'the stream secret from another origin',
    { publicStreams: true, allowedOrigins: ['https://b.example'] },
    'stream',
    'https://a.example',
    'origin_refused',
    4403,
  ],
] as const)('%s is refused for good, by either protocol', async (_what, more, name, origin, code, close) => {
  await using floor = await openStreams({}, more)
  const headers = origin === undefined ? {} : { origin }
  await using old = new SocketClient(floor.relay.url, { isOld: true, query: `source_id=${floor.sourceId}`, headers })
  await old.until('auth_required')
  old.send({ type: 'auth', secret: secrets(floor, name) })
  expect(await old.until('error')).toMatchObject({ code, error: expect.any(String) })
  expect(await old.closed).toBe(1000)
  await using page = new SocketClient(floor.relay.url, { headers })
  await page.until('hello')
  page.send({ type: 'auth', sourceId: floor.sourceId, secret: secrets(floor, name) })
  expect(await page.until('error')).toMatchObject({ code, retry: 'never' })
  expect(await page.closed).toBe(close)
})

test('a server reads with the signing secret, ids and, when it asks, numbers', async () => {
  await using floor = await openStreams()
  const { relay, sourceId, signingSecret: secret } = floor
  const Item = [
    { Name: 'Amount', Value: 500 },
    { Name: 'MpesaReceiptNumber', Value: receiptOf(1) },
    { Name: 'PhoneNumber', Value: 254712345678 },
  ]
  const stk = { MerchantRequestID: 'm', CheckoutRequestID: 'ws_CO_1', ResultCode: 0, ResultDesc: 'ok' }
  await relay.post(floor.hookUrl, JSON.stringify({ Body: { stkCallback: { ...stk, CallbackMetadata: { Item } } } }))
  for (const [query, phone] of [
    ['', undefined],
    ['phone=1', '254712345678'],
  ] as const) {
    await using server = new SocketClient(relay.url, { query })
    expect(await server.authenticate({ sourceId, secret })).toMatchObject({ ttlMs: null, heartbeatMs: 25_000 })
    await server.subscribe('source')
    const { event } = await server.until('event')
    expect([event?.CheckoutRequestID, event?.['PhoneNumber']]).toEqual(['ws_CO_1', phone])
  }
})

/** Enough of them that few events fill what systems buffer. */
const ids = Array.from({ length: 50 }, (_, index) => index)
const idsOf = (frames: readonly Frame[], id: number): readonly (string | undefined)[] =>
  frames.filter(frame => frame.type === 'event' && frame.id === id).map(({ event }) => event?.id)

test('a reader that stalls is closed resumably, and has lost nothing when it comes again', {
  timeout: 60_000,
}, async () => {
  await using floor = await openStreams()
  await using page = await floor.open()
  for (const id of ids) page.send({ type: 'subscribe', id, stream: 'source' })
  for (const _ of ids) await page.until('live')
  page.socket.pause()
  let sent = 0
  const isEnded = async (): Promise<boolean> =>
    (await (await floor.relay.get('/metrics')).text()).includes('relay_stream_ends_total{code="too_slow"} 1')
  while (!(await isEnded())) await Promise.all(Array.from({ length: 20 }, () => floor.pay(sent++)))
  page.socket.resume()
  expect(await page.closed).toBe(1013)
  expect(page.frames.at(-1)).toMatchObject({ type: 'error', code: 'too_slow', retry: 'now' })
  const seen = idsOf(page.frames, 49)
  const last = page.frames.filter(frame => frame.type === 'event' && frame.id === 49).at(-1)
  await using again = await floor.open()
  await again.subscribe('source', { from: last?.cursor })
  const rest = await again.events(sent - seen.length)
  expect(new Set([...seen, ...rest.map(({ event }) => event?.id)]).size).toBe(sent)
  expect(await again.until('live')).toMatchObject({ cursor: rest.at(-1)?.cursor })
})

test('a replay waits for a reader that stalls, and goes on when it reads', { timeout: 60_000 }, async () => {
  await using floor = await openStreams()
  const count = 300
  const numbers = Array.from({ length: count }, (_, index) => index)
  while (numbers.length > 0) await Promise.all(numbers.splice(0, 50).map(number => floor.pay(number)))
  await using page = await floor.open()
  page.socket.pause()
  for (const id of ids) page.send({ type: 'subscribe', id, stream: 'source' })
  /** All that was sent, once it is no more than before. */
  const sentSoFar = async (): Promise<number> =>
    Number((await (await floor.relay.get('/metrics')).text()).match(/stream_events_total (\d+)/)?.[1])
  await expect.poll(sentSoFar).toBeGreaterThan(count)
  page.socket.resume()
  for (const _ of ids) await page.until('live')
  const first = idsOf(page.frames, 0)
  expect(new Set(first).size).toBe(count)
  for (const id of ids) expect(idsOf(page.frames, id)).toEqual(first)
})

test('who acknowledges has at most a thousand events on the way, on each connection by itself', {
  timeout: 60_000,
}, async () => {
  await using floor = await openStreams()
  const wish = { streams: ['source'], actions: ['read', 'ack'] }
  await using page = await floor.open(wish)
  await using other = await floor.open(wish)
  for (const each of [page, other]) {
    await each.subscribe('source')
    await each.until('live')
  }
  await floor.pay(0)
  const [first] = await page.events(1)
  page.send({ type: 'ack', id: 1, cursor: first?.cursor })
  const pages = Array.from({ length: 1_200 }, (_, index) => index + 1)
  while (pages.length > 0) await Promise.all(pages.splice(0, 100).map(number => floor.pay(number)))
  const others = await other.events(1_201)
  const window = await page.events(1_000)
  page.send({ type: 'ping', t: 'is there more?' })
  expect(await page.next()).toEqual({ type: 'pong', t: 'is there more?' })
  // Again, and of the other connection: nothing happens, and what is behind what was sent is refused.
  page.send({ type: 'ack', id: 1, cursor: first?.cursor })
  page.send({ type: 'ack', id: 1, cursor: others.at(-1)?.cursor })
  expect(await page.next()).toMatchObject({ type: 'error', code: 'ack_invalid', id: 1 })
  page.send({ type: 'ack', id: 1, cursor: 'another-log.1' })
  expect(await page.next()).toMatchObject({ type: 'error', code: 'ack_invalid', id: 1 })
  page.send({ type: 'ack', id: 1, cursor: window.at(-1)?.cursor })
  const rest = await page.events(200)
  const ids = [...window, ...rest].map(({ event }) => event?.id)
  expect(ids).toEqual(others.slice(1).map(({ event }) => event?.id))
})

test('a token that may only read may not acknowledge', async () => {
  await using floor = await openStreams()
  await floor.pay(1)
  await using page = await floor.open()
  await page.subscribe('source')
  const { cursor } = await page.until('live')
  page.send({ type: 'ack', id: 1, cursor })
  expect(await page.next()).toMatchObject({ type: 'error', code: 'ack_invalid' })
})

test('one token has ten connections, and a connection fifty subscriptions', async () => {
  await using floor = await openStreams()
  const { token } = await floor.mint()
  const pages: SocketClient[] = []
  for (let count = 0; count < 10; count++) {
    const page = new SocketClient(floor.relay.url)
    pages.push(page)
    await page.authenticate({ token })
  }
  await using eleventh = new SocketClient(floor.relay.url)
  await eleventh.until('hello')
  eleventh.send({ type: 'auth', token })
  expect(await eleventh.until('error')).toMatchObject({ code: 'too_many', retry: 'later', retryAfterMs: 10_000 })
  expect(await eleventh.closed).toBe(4429)
  const [page] = pages
  for (let id = 0; id <= 50; id++) page?.send({ type: 'subscribe', id, stream: 'source', from: 'now' })
  expect(await page?.until('error')).toMatchObject({ code: 'too_many', id: 50 })
  for (const each of pages) await each[Symbol.asyncDispose]()
  await using next = new SocketClient(floor.relay.url)
  await next.authenticate({ token })
})

test('one address has a thousand connections that have not said who they are', async () => {
  await using floor = await openStreams()
  const silent = Array.from({ length: 1_000 }, () => floor.connect())
  await Promise.all(silent.map(each => each.until('hello')))
  const refused = new WebSocket(`${floor.relay.url.replace('http', 'ws')}/ws`, ['mpesa-stk.v1'])
  const [error] = (await once(refused, 'error')) as [Error]
  expect(error.message).toContain('429')
  const { token } = await floor.mint()
  silent[0]?.send({ type: 'auth', token })
  await silent[0]?.until('ready')
  await using next = floor.connect()
  expect(await next.next()).toEqual({ type: 'hello', version: 1 })
  for (const each of silent) await each[Symbol.asyncDispose]()
})

test('an upgrade elsewhere, or of what is no client of ours, is answered', async () => {
  await using floor = await openStreams()
  const ask = (path: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const headers = {
        connection: 'upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      }
      request(`${floor.relay.url}${path}`, { headers }, response => resolve(response.resume().statusCode))
        .on('error', reject)
        .end()
    })
  expect(await ask('/elsewhere')).toBe(404)
  expect(await ask('/ws')).toBe(400)
})

test('a request that asks for another upgrade is answered as if it had not, body and all', async () => {
  await using floor = await openStreams()
  const body = JSON.stringify(paidBody(checkoutIdOf(1), receiptOf(1))) + ' '.repeat(100_000)
  // As Java's client posts to a plain address.
  const head = [
    `POST ${floor.hookUrl} HTTP/1.1`,
    'Connection: Upgrade, HTTP2-Settings',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Host: relay',
    'HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
    'Upgrade: h2c',
    'Content-Type: application/json',
  ].join('\r\n')
  const answer = await talk(floor.relay.url, `${head}\r\n\r\n${body}`, /Success"\}/)
  expect(statusOf(answer)).toBe(200)
  await using client = await floor.open()
  client.send({ type: 'subscribe', id: 1, stream: 'source' })
  expect((await client.until('event')).event?.MpesaReceiptNumber).toBe(receiptOf(1))
})

test('a connection that is cut within the handshake leaves its places', async () => {
  await using floor = await openStreams()
  const { hostname, port } = new URL(floor.relay.url)
  for (let count = 0; count < 1_100; count++) {
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.write('GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n')
    socket.write(
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: mpesa-stk.v1\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n',
    )
    await once(socket, 'data')
    socket.destroy()
  }
  await using page = floor.connect()
  expect(await page.next()).toMatchObject({ type: 'hello' })
})
