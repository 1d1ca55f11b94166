import { createHmac } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { relayStores } from '../relay-stores.ts'
import { merchant, openStreams } from './stream-floor.ts'
import { transports } from './transports.ts'

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const claimsOf = (token: string): object => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

/** A clock that a test moves. */
function movable() {
  let aheadMs = 0
  return {
    clock: { now: () => new Date(Date.now() + aheadMs), sleep: async () => {} },
    forward(ms: number): void {
      aheadMs += ms
    },
  }
}

describe.each(transports)('by %s', (_name, open) => {
  test('a forged, a changed and another app’s token are refused', async () => {
    await using floor = await openStreams()
    const { relay, streamSecret, sourceId } = floor
    const other = merchant(relay, await relay.createApp('http://127.0.0.1:9/'))
    const { token } = await floor.mint({ streams: ['payment:pay_1'] })
    const claims = claimsOf(token)
    const none = `${encode({ alg: 'none', typ: 'JWT' })}.${encode(claims)}.`
    const head = encode({ alg: 'HS256', typ: 'JWT' })
    const widened = encode({ ...claims, streams: ['source'] })
    const bySecret = createHmac('sha256', streamSecret).update(`${head}.${widened}`).digest('base64url')
    const others = (await other.mint()).token
    const asOthers = `${others.split('.')[0]}.${encode({ ...claimsOf(others), aud: sourceId })}.${others.split('.')[2]}`
    const forged = [
      none,
      `${head}.${widened}.${token.split('.')[2]}`,
      `${head}.${widened}.${bySecret}`,
      asOthers,
      'nonsense',
      'a.b.c',
    ]
    for (const each of forged) {
      await using reader = await open({ url: relay.url, token: each, stream: 'source' })
      expect(await reader.next()).toMatchObject({ type: 'error', code: 'token_invalid', retry: 'token' })
    }
  })

  test('an expired and a revoked token are refused', async () => {
    const { clock, forward } = movable()
    await using floor = await openStreams({ clock })
    const { token, tokenId } = await floor.mint()
    const request = { url: floor.relay.url, token, stream: 'source' }
    expect((await floor.post('/v1/tokens/revoke', { tokenId })).status).toBe(200)
    await using revoked = await open(request)
    expect(await revoked.next()).toMatchObject({ code: 'token_revoked', retry: 'token' })
    forward(600_001)
    await using expired = await open(request)
    expect(await expired.next()).toMatchObject({ code: 'token_expired', retry: 'token' })
  })

  test('a connection ends with its token', async () => {
    const { clock, forward } = movable()
    await using floor = await openStreams({ clock })
    const { token } = await floor.mint()
    await floor.pay(1)
    await using reader = await open({ url: floor.relay.url, token, stream: 'source' })
    expect(await reader.next()).toMatchObject({ type: 'event' })
    forward(600_001)
    let frame = await reader.next()
    while (frame.type === 'live') frame = await reader.next()
    expect(frame).toMatchObject({ type: 'error', code: 'token_expired', retry: 'token' })
  })
})

test('a fresh token keeps a connection, and never widens what the first one allowed', async () => {
  const { clock, forward } = movable()
  await using floor = await openStreams({ clock })
  const first = { streams: ['payment:a', 'payment:b'], subject: 'session-1' }
  await using page = await floor.open(first)
  for (const [id, stream] of ['payment:a', 'payment:b'].entries()) {
    page.send({ type: 'subscribe', id, stream, from: 'now' })
    await page.until('live')
  }
  const wider = await floor.mint({ streams: ['payment:a', 'source'], subject: 'session-1', actions: ['read', 'ack'] })
  page.send({ type: 'refresh', token: wider.token })
  expect(await page.next()).toMatchObject({ type: 'ended', id: 1, reason: 'refused' })
  expect(await page.next()).toMatchObject({ type: 'ready', ttlMs: expect.any(Number) })
  page.send({ type: 'subscribe', id: 2, stream: 'source' })
  expect(await page.next()).toMatchObject({ type: 'error', code: 'stream_refused', id: 2 })
  // Behind the end of the first: the second holds it.
  forward(500_000)
  const third = await floor.mint({ streams: ['payment:a', 'payment:b'], subject: 'session-1' })
  page.send({ type: 'refresh', token: third.token })
  expect(await page.until('ready')).toMatchObject({ ttlMs: expect.any(Number) })
  forward(200_000)
  await floor.report({ type: 'payment.pending', paymentId: 'a' })
  expect(await page.until('event')).toMatchObject({ id: 0, event: { paymentId: 'a' } })
  const stranger = await floor.mint({ streams: ['payment:a'], subject: 'session-2' })
  page.send({ type: 'refresh', token: stranger.token })
  expect(await page.until('error')).toMatchObject({ code: 'token_invalid' })
  expect(await page.closed).toBe(4401)
})

describe.each(relayStores)('on %s', (_name, openStore) => {
  test('all tokens of a subject are taken back, but for those that are minted afterwards', async () => {
    await using store = await openStore()
    await using floor = await openStreams(store.options)
    const wish = { streams: ['source'], subject: 'session-1' }
    await using one = await floor.open(wish)
    await using two = await floor.open(wish)
    await using other = await floor.open({ streams: ['source'], subject: 'session-2' })
    await floor.post('/v1/tokens/revoke', { subject: 'session-1' })
    for (const page of [one, two]) {
      expect(await page.until('error')).toMatchObject({ code: 'token_revoked', retry: 'token' })
      expect(await page.closed).toBe(4401)
    }
    await other.subscribe('source')
    await using fresh = await floor.open(wish)
    await fresh.subscribe('source')
  })
})

test('tokens and reports are made by the app’s server alone, and what makes no sense is refused', async () => {
  await using floor = await openStreams()
  const { relay, streamSecret, appId } = floor
  const other = await relay.createApp('http://127.0.0.1:9/')
  for (const path of ['/v1/tokens', '/v1/tokens/revoke', '/v1/events']) {
    const body = { streams: ['source'], tokenId: 'a', events: [{ type: 'payment.pending', paymentId: 'a' }] }
    const { streams, tokenId, events } = body
    const wish = path === '/v1/events' ? { events } : path === '/v1/tokens' ? { streams } : { tokenId }
    for (const secret of [streamSecret, other.signingSecret, 'wrong']) {
      expect((await floor.post(path, wish, secret)).status).toBe(401)
    }
    expect((await floor.post(path, wish)).status).toBeLessThan(300)
  }
  const badWishes = [
    { streams: [] },
    { streams: ['payment:h_stolen'] },
    { streams: ['everything'] },
    { streams: ['source'], ttlSeconds: 299 },
    { streams: ['source'], ttlSeconds: 901 },
    { streams: ['source'], actions: ['write'] },
    { streams: Array.from({ length: 21 }, (_, index) => `payment:${index}`) },
  ]
  for (const wish of badWishes) expect((await floor.post('/v1/tokens', wish)).status).toBe(422)
  const badEvents = [
    { type: 'payment.pending', paymentId: 'h_mine' },
    { type: 'payment.settled', paymentId: 'a' },
    { type: 'payment.settled', paymentId: 'a', status: 'PENDING' },
    { type: 'payment.lost', paymentId: 'a' },
  ]
  for (const event of badEvents) expect((await floor.post('/v1/events', { events: [event] })).status).toBe(422)
  expect(await floor.report({ type: 'payment.pending', paymentId: 'a' })).toEqual({ accepted: 0, repeats: 1 })
  expect(relay.log()).not.toContain(appId)
})

test('a page’s browser is told before it asks what it may send', async () => {
  await using floor = await openStreams()
  const response = await fetch(`${floor.relay.url}/v1/streams/source/events`, {
    method: 'OPTIONS',
    headers: { origin: 'https://shop.example', 'access-control-request-headers': 'authorization' },
  })
  expect(response.status).toBe(204)
  expect(response.headers.get('access-control-allow-origin')).toBe('https://shop.example')
  expect(response.headers.get('access-control-allow-headers')).toBe('authorization, last-event-id')
  expect(response.headers.get('access-control-allow-credentials')).toBe(null)
  const { token } = await floor.mint()
  const answer = await fetch(`${floor.relay.url}/v1/streams/source/events`, {
    headers: { origin: 'https://shop.example', authorization: `Bearer ${token}` },
  })
  expect(answer.headers.get('access-control-allow-origin')).toBe('https://shop.example')
  expect(answer.headers.get('cache-control')).toBe('no-store, no-transform')
  const { paths } = await floor.relay.read<{ paths: Record<string, unknown> }>('/openapi.json')
  expect(Object.keys(paths)).toEqual(
    expect.arrayContaining(['/v1/tokens', '/v1/tokens/revoke', '/v1/events', '/v1/streams/{stream}/events']),
  )
})
