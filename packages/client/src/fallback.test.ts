import { expect, test } from 'vitest'
import { connect } from './testing/connect.ts'
import { createFakeEnvironment } from './testing/fake-environment.ts'
import { FakeRelay } from './testing/fake-relay.ts'
import { until } from './testing/until.ts'

test('WebSocket, then server-sent events, then long poll, and up again: one cursor, every event once', async () => {
  await using relay = await FakeRelay.start()
  await using page = connect(relay, { environment: createFakeEnvironment(0) })
  const { subscription, events, ids } = page.read('source')
  await until(page.environment, () => subscription.state === 'live')
  relay.publish('source')
  await until(page.environment, () => events.length === 1)

  relay.blocksWebSocket = true
  relay.cut()
  relay.publish('source')
  await until(page.environment, () => page.last().transport === 'sse' && subscription.state === 'live')
  relay.publish('source')
  await until(page.environment, () => events.length === 3)
  expect(relay.upgrades, 'one that has worked is tried four times').toHaveLength(5)
  expect(relay.requests[0]).toBe('text/event-stream /v1/streams/source/events?after=e1.1')

  relay.blocksSse = true
  relay.cut()
  relay.publish('source')
  await until(page.environment, () => page.last().transport === 'poll' && subscription.state === 'live')
  relay.publish('source')
  await until(page.environment, () => events.length === 5)
  expect(relay.requests.at(-1)).toMatch(/^application\/json \/v1\/streams\/source\/events\?after=e1\.\d&wait=25$/)

  relay.blocksWebSocket = false
  page.environment.advance(30_000)
  await until(page.environment, () => page.last().transport === 'websocket' && subscription.state === 'live')
  relay.publish('source')
  await until(page.environment, () => events.length === 6)
  expect(ids()).toEqual([1, 2, 3, 4, 5, 6].map(position => `e1-event-${position}`))
  expect(page.states).not.toContain('closed')
})

test('a WebSocket that is blocked from the start is given up after two attempts', async () => {
  await using relay = await FakeRelay.start()
  relay.blocksWebSocket = true
  relay.publish('payment:a')
  await using page = connect(relay, { environment: createFakeEnvironment(0) })
  const { subscription, ids } = page.read('payment:a')
  await until(page.environment, () => subscription.state === 'live')
  expect(relay.upgrades).toHaveLength(2)
  expect(page.last().transport).toBe('sse')
  expect(ids()).toEqual(['e1-event-1'])
  expect(relay.requests).toEqual(['text/event-stream /v1/streams/payment%3Aa/events?from=start'])
  expect(relay.authorizations).toEqual(['Bearer token-3'])
})

test('a WebSocket that opens and never says hello is given up as well', async () => {
  await using relay = await FakeRelay.start()
  relay.saysHello = false
  await using page = connect(relay, { environment: createFakeEnvironment(0) })
  const { subscription } = page.read('payment:a')
  for (const attempt of [1, 2]) {
    await until(page.environment, () => relay.connections === 1 && relay.upgrades.length === attempt)
    page.environment.advance(8_000)
  }
  await until(page.environment, () => subscription.state === 'live')
  expect(page.last().transport).toBe('sse')
})

test.each(['sse', 'poll'] as const)('over %s: two streams, a refused one, an ended one', async transport => {
  await using relay = await FakeRelay.start()
  relay.publish('payment:a')
  relay.judgeStream = stream => (stream === 'payment:x' ? { code: 'stream_refused', retry: 'never' } : null)
  relay.end('payment:over')
  await using page = connect(relay, { transports: [transport] })
  const a = page.read('payment:a')
  const b = page.read('payment:b')
  const refused = page.read('payment:x')
  const over = page.read('payment:over')
  await until(page.environment, () => a.subscription.state === 'live' && b.subscription.state === 'live')
  await until(page.environment, () => refused.subscription.state === 'ended' && over.subscription.state === 'ended')
  expect(refused.subscription.status.reason).toBe('stream_refused')
  expect(over.subscription.status.reason).toBe('over')
  relay.publish('payment:b')
  await until(page.environment, () => b.events.length === 1)
  expect(a.ids()).toEqual(['e1-event-1'])
  b.subscription.close()
  const late = page.read('payment:c')
  await until(page.environment, () => late.subscription.state === 'live')
  expect(page.states).toEqual(['connecting', 'authenticating', 'connected'])
})

test.each(['sse', 'poll'] as const)('over %s: a drop in the middle of a replay, a token that ends', async transport => {
  await using relay = await FakeRelay.start()
  for (let count = 0; count < 20; count++) relay.publish('source')
  relay.cutAfterEvents = [7]
  await using page = connect(relay, { transports: [transport], environment: createFakeEnvironment(0) })
  const { subscription, ids } = page.read('source')
  await until(page.environment, () => subscription.state === 'live' && ids().length === 20)
  relay.judge = token => (token === 'token-3' ? null : { code: 'token_expired', retry: 'token' })
  relay.cut()
  relay.publish('source')
  await until(page.environment, () => ids().length === 21)
  expect(ids()).toEqual(Array.from({ length: 21 }, (_, index) => `e1-event-${index + 1}`))
})

test.each(['sse', 'poll'] as const)(
  'over %s: somebody looks at the page again: asked anew, at once',
  async transport => {
    await using relay = await FakeRelay.start()
    await using page = connect(relay, { transports: [transport] })
    const { subscription, events } = page.read('source')
    await until(page.environment, () => subscription.state === 'live' && relay.subscriptions === 1)
    const asked = relay.requests.length
    page.environment.signal('wake')
    await until(page.environment, () => relay.requests.length > asked && relay.subscriptions === 1)
    relay.publish('source')
    await until(page.environment, () => events.length === 1)
    page.environment.advance(3_000)
    expect(page.client.state).toBe('connected')
  },
)

test.each([
  ['sse', 20_000],
  // A poll that is out may stand in a line of the browser's: it is asked anew before it is given up.
  ['poll', 38_000],
] as const)('over %s: silence is the end of it', async (transport, silentMs) => {
  await using relay = await FakeRelay.start()
  await using page = connect(relay, { transports: [transport], environment: createFakeEnvironment(0) })
  const { subscription } = page.read('source')
  await until(page.environment, () => subscription.state === 'live' && relay.subscriptions === 1)
  relay.answersHttp = false
  page.environment.advance(silentMs)
  expect(page.client.state).toBe('reconnecting')
  relay.answersHttp = true
  await until(page.environment, () => subscription.state === 'live')
  expect(page.client.state).toBe('connected')
})

test('over sse: of more streams than there are places for, those without one wait, and the others go on', async () => {
  await using relay = await FakeRelay.start()
  relay.places = 10
  await using page = connect(relay, { transports: ['sse'], environment: createFakeEnvironment(0) })
  const all = Array.from({ length: 12 }, (_, index) => page.read(`payment:${index}`))
  const live = () => all.filter(({ subscription }) => subscription.state === 'live')
  await until(page.environment, () => live().length === 10 && page.errors.length === 2)
  expect(page.errors.map(({ code }) => code)).toEqual(['too_many', 'too_many'])
  const [first, second] = live()
  first?.subscription.close()
  second?.subscription.close()
  await until(page.environment, () => relay.subscriptions === 8)
  page.environment.advance(10_000)
  await until(page.environment, () => live().length === 10 && relay.subscriptions === 10)
  expect(page.errors).toHaveLength(2)
  expect(page.states).toEqual(['connecting', 'authenticating', 'connected'])
})

test('over sse: no place at all is told of the connection, and it comes again when it was said to', async () => {
  await using relay = await FakeRelay.start()
  relay.places = 0
  await using page = connect(relay, { transports: ['sse'], environment: createFakeEnvironment(0) })
  const all = [page.read('payment:a'), page.read('payment:b')]
  await until(page.environment, () => page.client.state === 'reconnecting')
  expect(relay.requests).toHaveLength(2)
  relay.places = 10
  page.environment.advance(9_999)
  expect(page.client.state).toBe('reconnecting')
  page.environment.advance(1)
  await until(page.environment, () => all.every(({ subscription }) => subscription.state === 'live'))
  expect(page.last().transport).toBe('sse')
})

test.each(['sse', 'poll'] as const)('over %s: a request that the browser keeps back cuts no other', async transport => {
  await using relay = await FakeRelay.start()
  const kept: (() => void)[] = []
  const page = connect(relay, {
    transports: [transport],
    fetch: async (input, init) => {
      if ((input as string).includes('late')) await new Promise<void>(resolve => kept.push(resolve))
      return fetch(input, init)
    },
  })
  await using _ = page
  const early = page.read('payment:early')
  const late = page.read('payment:late')
  await until(page.environment, () => early.subscription.state === 'live')
  for (let round = 1; round <= 4; round++) {
    page.environment.advance(15_000)
    relay.publish('payment:early')
    await until(page.environment, () => early.events.length === round && relay.subscriptions === 1)
  }
  expect(late.subscription.state).toBe('replaying')
  for (const release of kept) release()
  await until(page.environment, () => late.subscription.state === 'live')
  expect(page.states).toEqual(['connecting', 'authenticating', 'connected'])
})

test('an event stream that ends by its own rule is asked for again, from its cursor and without a wait', async () => {
  await using relay = await FakeRelay.start()
  await using page = connect(relay, { transports: ['sse'] })
  const { subscription, events, ids } = page.read('source')
  await until(page.environment, () => subscription.state === 'live')
  relay.publish('source')
  await until(page.environment, () => events.length === 1)
  page.environment.advance(2_000)
  relay.rotate()
  await until(page.environment, () => relay.requests.length === 2 && relay.subscriptions === 1)
  expect(relay.requests[1]).toMatch(/after=e1\.1$/)
  relay.publish('source')
  await until(page.environment, () => events.length === 2)
  expect(ids()).toEqual(['e1-event-1', 'e1-event-2'])
  expect(page.states).toEqual(['connecting', 'authenticating', 'connected'])
})

test('a long poll that does not wait is not asked for ever', async () => {
  await using relay = await FakeRelay.start()
  relay.pollsAtOnce = true
  await using page = connect(relay, { transports: ['poll'] })
  page.read('source')
  await until(page.environment, () => page.client.state === 'reconnecting')
  expect(relay.requests).toHaveLength(2)
})

test('no WebSocket here, and only that is wanted: said at once', async () => {
  await using relay = await FakeRelay.start()
  expect(() => connect(relay, { transports: [] })).toThrow(expect.objectContaining({ code: 'no_transport' }))
})
