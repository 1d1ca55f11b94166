import { expect, test } from 'vitest'
import { connect } from './testing/connect.ts'
import { createFakeEnvironment } from './testing/fake-environment.ts'
import { FakeRelay } from './testing/fake-relay.ts'
import { until } from './testing/until.ts'

test('replays, then is live; each event once and in order', async () => {
  await using relay = await FakeRelay.start()
  relay.publish('payment:a', { type: 'payment.pending', status: 'PENDING' })
  relay.publish('payment:b')
  await using page = connect(relay)
  expect(page.client.state).toBe('idle')
  const { events, subscription, ids } = page.read('payment:a')
  expect(page.client.state).toBe('connecting')
  await until(page.environment, () => subscription.state === 'live')
  expect(page.states).toEqual(['connecting', 'authenticating', 'connected'])
  expect(page.last()).toEqual({ state: 'connected', reason: null, transport: 'websocket' })
  relay.publish('payment:b')
  relay.publish('payment:a')
  await until(page.environment, () => events.length === 2)
  expect(ids()).toEqual(['e1-event-1', 'e1-event-4'])
  expect(relay.received[0]).toEqual({ type: 'auth', token: 'token-1' })
  expect(relay.upgrades).toEqual(['/ws'])
})

test('two subscriptions share one socket; the connection rests when both have left', async () => {
  await using relay = await FakeRelay.start()
  await using page = connect(relay)
  const a = page.read('payment:a')
  const b = page.read('payment:b')
  await until(page.environment, () => a.subscription.state === 'live' && b.subscription.state === 'live')
  relay.publish('payment:a')
  relay.publish('payment:b')
  await until(page.environment, () => a.events.length === 1 && b.events.length === 1)
  expect(relay.upgrades).toHaveLength(1)
  a.subscription.close()
  a.subscription.close()
  await until(page.environment, () => relay.frames('unsubscribe').length === 1)
  expect(page.client.state).toBe('connected')
  b.subscription.close()
  page.environment.advance(1_000)
  expect(page.client.state).toBe('idle')
  expect(page.environment.listeners).toBe(0)
  await until(page.environment, () => relay.connections === 0)
  const again = page.read('payment:a')
  await until(page.environment, () => again.subscription.state === 'live')
  expect(again.ids()).toEqual(['e1-event-1'])
})

test('a drop in the middle of a replay, twice: every event reaches the handler once', async () => {
  await using relay = await FakeRelay.start()
  for (let count = 0; count < 30; count++) relay.publish('source')
  relay.cutAfterEvents = [7, 9]
  relay.copies = 2
  await using page = connect(relay, { environment: createFakeEnvironment(0) })
  const { subscription, ids } = page.read('source')
  await until(page.environment, () => subscription.state === 'live')
  expect(ids()).toEqual(Array.from({ length: 30 }, (_, index) => `e1-event-${index + 1}`))
  expect(relay.frames('subscribe').map(frame => frame['from'])).toEqual(['start', 'e1.7', 'e1.16'])
  expect(relay.frames('auth').map(frame => frame['token'])).toEqual(['token-1', 'token-2', 'token-3'])
})

test('a restored store: the gap is told with its reason, and what is in the new one is read', async () => {
  await using relay = await FakeRelay.start()
  relay.publish('source')
  relay.publish('source')
  await using page = connect(relay, { environment: createFakeEnvironment(0) })
  const { subscription, ids, states } = page.read('source')
  await until(page.environment, () => subscription.state === 'live')
  relay.restore()
  relay.publish('source')
  await until(page.environment, () => ids().length === 3)
  await until(page.environment, () => subscription.state === 'live')
  expect(ids()).toEqual(['e1-event-1', 'e1-event-2', 'e2-event-1'])
  expect(states.map(({ state, reason }) => [state, reason])).toEqual([
    ['live', null],
    ['replaying', null],
    ['gap', 'restored'],
    ['live', null],
  ])
  relay.cut()
  await until(page.environment, () => relay.frames('subscribe').length === 3)
  expect(relay.frames('subscribe').at(-1)).toMatchObject({ from: 'e2.1' })
})

test('a handler that throws is reported, and the stream goes on', async () => {
  await using relay = await FakeRelay.start()
  relay.publish('source')
  relay.publish('source')
  await using page = connect(relay)
  const heard: string[] = []
  const { subscription } = page.read('source', {
    onEvent({ id }) {
      heard.push(id)
      throw new Error(`no ${id}`)
    },
  })
  await until(page.environment, () => subscription.state === 'live')
  expect(heard).toEqual(['e1-event-1', 'e1-event-2'])
  expect(page.errors.map(({ code, cause }) => [code, (cause as Error).message])).toEqual([
    ['handler_failed', 'no e1-event-1'],
    ['handler_failed', 'no e1-event-2'],
  ])
})

test('a handler may close what it hears of', async () => {
  await using relay = await FakeRelay.start()
  relay.publish('source')
  relay.publish('source')
  await using page = connect(relay)
  const heard: string[] = []
  const { subscription } = page.read('source', {
    onEvent({ id }) {
      heard.push(id)
      page.client.close()
    },
  })
  await until(page.environment, () => subscription.state === 'ended')
  await until(page.environment, () => relay.connections === 0)
  expect(heard).toEqual(['e1-event-1'])
  expect(page.last()).toEqual({ state: 'closed', reason: 'closed', transport: null })
  const late = page.read('source')
  expect(late.subscription.status).toEqual({ state: 'ended', reason: 'closed', isStale: false })
})

test.each([
  'not json',
  '[]',
  '"text"',
  'null',
  '{"type":7}',
  '{"type":"event","id":1,"cursor":5}',
  '{"type":"live"}',
  '{"type":"ready"}',
  '{"type":"error","code":"x","retryAfterMs":"soon"}',
])('a frame that is garbage (%s) may have been an event: it is asked for again', async garbage => {
  await using relay = await FakeRelay.start()
  await using page = connect(relay, { environment: createFakeEnvironment(0) })
  const { subscription, events } = page.read('source')
  await until(page.environment, () => subscription.state === 'live')
  relay.publish('source')
  await until(page.environment, () => events.length === 1)
  relay.say(garbage)
  await until(page.environment, () => relay.frames('subscribe').length === 2 && subscription.state === 'live')
  expect(relay.frames('subscribe').at(-1)).toMatchObject({ from: 'e1.1' })
  expect(page.errors.map(({ code }) => code)).toEqual(['bad_frame'])
})

test('frames of a kind that is new, or about nobody, change nothing; a ping is answered', async () => {
  await using relay = await FakeRelay.start()
  await using page = connect(relay)
  const { subscription } = page.read('source')
  await until(page.environment, () => subscription.state === 'live')
  relay.say('{"type":"weather","t":1}')
  relay.say('{"type":"ended","id":99,"reason":"over"}')
  relay.say('{"type":"ping"}')
  await until(page.environment, () => relay.frames('pong').length === 1)
  expect(subscription.state).toBe('live')
  expect(page.errors).toEqual([])
})

test('a payment whose events are over ends, and stays ended', async () => {
  await using relay = await FakeRelay.start()
  await using page = connect(relay)
  const { subscription, states } = page.read('payment:a')
  await until(page.environment, () => subscription.state === 'live')
  relay.end('payment:a')
  await until(page.environment, () => subscription.state === 'ended')
  expect(states.at(-1)).toEqual({ state: 'ended', reason: 'over', isStale: false })
  expect(relay.frames('unsubscribe')).toEqual([])
})

test('what is refused for good ends one stream, and leaves the others', async () => {
  await using relay = await FakeRelay.start()
  relay.judgeStream = stream => (stream === 'payment:b' ? { code: 'stream_refused', retry: 'never' } : null)
  await using page = connect(relay)
  const a = page.read('payment:a')
  const b = page.read('payment:b')
  await until(page.environment, () => a.subscription.state === 'live' && b.subscription.state === 'ended')
  expect(b.subscription.status.reason).toBe('stream_refused')
  expect(page.client.state).toBe('connected')
})

test('what is refused for now is asked for again when it was said to', async () => {
  await using relay = await FakeRelay.start()
  relay.judgeStream = () => ({ code: 'over_quota', retry: 'later', retryAfterMs: 30_000 })
  await using page = connect(relay)
  const { subscription } = page.read('payment:a')
  await until(page.environment, () => page.errors.length === 1)
  relay.judgeStream = () => null
  relay.heartbeatMs = 60_000
  page.environment.advance(20_000)
  expect(relay.frames('subscribe')).toHaveLength(1)
  page.environment.advance(10_250)
  await until(page.environment, () => subscription.state === 'live')
  expect(relay.frames('subscribe')).toHaveLength(2)
})

test('acknowledges what was handled, at most every 250 ms or 100 events', async () => {
  await using relay = await FakeRelay.start()
  for (let count = 0; count < 120; count++) relay.publish('source')
  await using page = connect(relay)
  const { events, subscription } = page.read('source', { ack: true })
  await until(page.environment, () => subscription.state === 'live' && events.length === 120)
  await until(page.environment, () => relay.frames('ack').length === 1)
  expect(relay.frames('ack')).toEqual([{ type: 'ack', id: 1, cursor: 'e1.100' }])
  page.environment.advance(250)
  await until(page.environment, () => relay.frames('ack').length === 2)
  expect(relay.frames('ack').at(-1)).toEqual({ type: 'ack', id: 1, cursor: 'e1.120' })
  relay.say('{"type":"error","id":1,"code":"ack_invalid","error":"no","retry":"never"}')
  await until(page.environment, () => page.errors.length === 1)
  relay.publish('source')
  await until(page.environment, () => events.length === 121)
  page.environment.advance(250)
  await until(page.environment, () => relay.frames('ack').length === 3)
  expect(relay.frames('ack').at(-1), 'one that was refused is let go').toEqual({ type: 'ack', id: 1, cursor: 'e1.121' })
  expect(subscription.state).toBe('live')
})
