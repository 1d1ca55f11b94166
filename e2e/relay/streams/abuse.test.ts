import { SqliteRelayAdapter } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { checkoutIdOf, openStreams, receiptOf } from './stream-floor.ts'
import { readUntil, transports } from './transports.ts'

test('whoever asks on and reads no answer is cut off', async () => {
  await using floor = await openStreams()
  await using client = floor.connect()
  await client.until('hello')
  client.socket.pause()
  const ping = JSON.stringify({ type: 'ping', t: 'x'.repeat(4_000) })
  let isOver = false
  void client.closed.then(() => {
    isOver = true
  })
  // Bounded: ten times what the machine's buffers and ours hold.
  for (let count = 0; count < 20_000 && client.socket.readyState === client.socket.OPEN; count++) {
    client.socket.send(ping)
    if (count % 50 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  client.socket.resume()
  await client.closed
  expect(isOver).toBe(true)
  expect(client.frames.length, 'it was cut off long before all were answered').toBeLessThan(10_000)
})

test('a client with much to say is heard out: what is too much for now waits', async () => {
  await using floor = await openStreams()
  await floor.pay(1)
  await using client = await floor.open()
  for (let id = 1; id <= 70; id++) client.send({ type: 'subscribe', id, stream: 'source' })
  for (let t = 0; t < 200; t++) client.send({ type: 'ping', t })
  let pongs = 0
  const codes: (string | undefined)[] = []
  while (pongs < 200) {
    const frame = await client.next()
    if (frame.type === 'pong') pongs++
    if (frame.type === 'error') codes.push(frame.code)
  }
  expect(codes).toEqual(Array.from({ length: 20 }, () => 'too_many'))
})

test('a clear of more than a tail had read leaves it reading on', async () => {
  const store = await SqliteRelayAdapter.open(':memory:')
  await store.migrate()
  let isHeld = false
  let letGo = (): void => {}
  const released = new Promise<void>(resolve => {
    letGo = resolve
  })
  const storage = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]): Promise<unknown> => {
        if (isHeld && (name === 'readStream' || name === 'listStreamHeads')) await released
        return Reflect.apply(value, target, args)
      }
    },
  })
  await using floor = await openStreams({ storage })
  await floor.pay(0)
  await using client = await floor.open()
  client.send({ type: 'subscribe', id: 1, stream: 'source' })
  await client.until('live')
  isHeld = true
  await Promise.all(Array.from({ length: 450 }, (_, index) => floor.pay(index + 1)))
  await store.clearStream(floor.appId)
  isHeld = false
  letGo()
  await client.until('gap')
  await floor.pay(1_000)
  expect((await client.until('event')).event?.MpesaReceiptNumber).toBe(receiptOf(1_000))
})

describe.each(transports)('by %s', (_name, open) => {
  test('a payment that goes on is not over because the stream was cleared', async () => {
    await using floor = await openStreams()
    const report = { type: 'payment.pending', paymentId: 'pay_1', checkoutRequestId: checkoutIdOf(1) }
    await floor.report(report)
    await floor.post(`/v1/apps/${floor.appId}/stream/clear`, {})
    const { token } = await floor.mint({ streams: ['payment:pay_1'] })
    await using page = await open({ url: floor.relay.url, token, stream: 'payment:pay_1' })
    expect((await readUntil(page, 'live')).map(({ type }) => type)).toEqual(['live'])
    await floor.pay(1)
    expect((await page.next()).event?.MpesaReceiptNumber).toBe(receiptOf(1))
  })
})

test('a fresh token that may not read ends what is read', async () => {
  await using floor = await openStreams()
  await using client = await floor.open({ streams: ['source'], actions: ['read', 'ack'] })
  client.send({ type: 'subscribe', id: 1, stream: 'source' })
  await client.until('live')
  const { token } = await floor.mint({ streams: ['source'], actions: ['ack'] })
  client.send({ type: 'refresh', token })
  expect(await client.until('ended')).toMatchObject({ id: 1, reason: 'refused' })
})

test('of an app that is deleted nothing is read any more on a connection that stands', async () => {
  await using floor = await openStreams()
  await floor.pay(1)
  await using client = await floor.open()
  client.send({ type: 'subscribe', id: 1, stream: 'source' })
  await client.until('live')
  await fetch(`${floor.relay.url}/apps/${floor.appId}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${floor.signingSecret}` },
  })
  client.send({ type: 'subscribe', id: 2, stream: 'source' })
  for (;;) {
    const frame = await client.next()
    if (frame.id === 1) continue
    expect(frame).toMatchObject({ type: 'error', id: 2, code: 'stream_refused' })
    break
  }
})

test('a response that never begins to stream keeps no place', async () => {
  let nowMs = Date.now()
  await using floor = await openStreams({ clock: { now: () => new Date(nowMs), sleep: async () => {} } })
  await floor.report({ type: 'payment.pending', paymentId: 'pay_1', checkoutRequestId: checkoutIdOf(1) })
  nowMs += 25 * 3_600_000
  await floor.report({ type: 'payment.pending', paymentId: 'pay_2', checkoutRequestId: checkoutIdOf(2) })
  const { token } = await floor.mint({ streams: ['payment:pay_1'] })
  // Twice as many as a token has places.
  for (let count = 0; count < 20; count++) {
    const { status } = await fetch(`${floor.relay.url}/v1/streams/payment:pay_1/events`, {
      headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' },
    })
    expect(status, 'it is over').toBe(204)
  }
  expect(floor.relay.app.relay.streams.count().sse).toBe(0)
})
