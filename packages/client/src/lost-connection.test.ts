import { expect, test } from 'vitest'
import { connect } from './testing/connect.ts'
import { createFakeEnvironment } from './testing/fake-environment.ts'
import { FakeRelay } from './testing/fake-relay.ts'
import { until } from './testing/until.ts'

test('is never shown as failed: it is reconnecting, and after some seconds stale', async () => {
  await using relay = await FakeRelay.start()
  await using page = connect(relay)
  const { subscription, states } = page.read('payment:a')
  await until(page.environment, () => subscription.state === 'live')
  relay.judge = () => ({ code: 'unavailable', retry: 'later', retryAfterMs: 60_000, close: 1012 })
  relay.cut()
  await until(page.environment, () => page.client.state === 'reconnecting')
  expect(subscription.status).toEqual({ state: 'replaying', reason: null, isStale: false })
  page.environment.advance(250)
  await until(page.environment, () => page.errors.length === 1)
  page.environment.advance(5_000)
  expect(subscription.status).toEqual({ state: 'replaying', reason: null, isStale: true })
  relay.judge = () => null
  page.environment.advance(60_000)
  await until(page.environment, () => subscription.state === 'live')
  expect(subscription.status.isStale).toBe(false)
  expect(states.some(({ state }) => state === 'ended' || state === 'gap')).toBe(false)
  expect(page.states).not.toContain('closed')
})

test('a server that never answers the authentication is given up, and the next way is tried', async () => {
  await using relay = await FakeRelay.start()
  relay.answersAuth = false
  await using page = connect(relay, { environment: createFakeEnvironment(0) })
  const { subscription } = page.read('payment:a')
  for (const attempt of [1, 2]) {
    await until(
      page.environment,
      () => page.client.state === 'authenticating' && relay.frames('auth').length === attempt,
    )
    page.environment.advance(10_000)
  }
  await until(page.environment, () => subscription.state === 'live')
  expect(page.last().transport).toBe('sse')
})

test('silence: asked once after the heartbeat and its margin, and given up three seconds later', async () => {
  await using relay = await FakeRelay.start()
  relay.answersPing = false
  await using page = connect(relay, { environment: createFakeEnvironment(0) })
  const { subscription } = page.read('payment:a')
  await until(page.environment, () => subscription.state === 'live')
  page.environment.advance(29_999)
  expect(page.client.state).toBe('connected')
  page.environment.advance(1)
  await until(page.environment, () => relay.frames('ping').length === 1)
  page.environment.advance(2_999)
  expect(page.client.state).toBe('connected')
  page.environment.advance(1)
  await until(page.environment, () => relay.upgrades.length === 2 && subscription.state === 'live')
  expect(relay.frames('auth').map(frame => frame['token'])).toEqual(['token-1', 'token-2'])
})

test.each(['wake', 'online'] as const)('%s: a connection that answers is kept', async signal => {
  await using relay = await FakeRelay.start()
  await using page = connect(relay)
  const { subscription, events } = page.read('payment:a')
  await until(page.environment, () => subscription.state === 'live')
  page.environment.signal(signal)
  await until(page.environment, () => relay.frames('ping').length === 1)
  relay.publish('payment:a')
  await until(page.environment, () => events.length === 1)
  page.environment.advance(3_000)
  expect(page.client.state).toBe('connected')
  expect(relay.upgrades).toHaveLength(1)
})

test('wake: a connection that does not answer within three seconds is replaced', async () => {
  await using relay = await FakeRelay.start()
  relay.answersPing = false
  await using page = connect(relay, { environment: createFakeEnvironment(0) })
  const { subscription } = page.read('payment:a')
  await until(page.environment, () => subscription.state === 'live')
  page.environment.signal('wake')
  page.environment.signal('wake')
  page.environment.advance(3_000)
  await until(page.environment, () => relay.upgrades.length === 2 && subscription.state === 'live')
  expect(relay.frames('ping').length).toBeLessThanOrEqual(1)
})

test('offline is said at once, attempts go on, and a connection that answers has the last word', async () => {
  await using relay = await FakeRelay.start()
  await using page = connect(relay)
  const { subscription } = page.read('payment:a')
  await until(page.environment, () => subscription.state === 'live')
  page.environment.signal('offline')
  expect(page.client.state).toBe('offline')
  await until(page.environment, () => page.client.state === 'connected')
  relay.cut()
  page.environment.signal('offline')
  await until(page.environment, () => relay.connections === 0)
  expect(page.client.state).toBe('offline')
  page.environment.advance(250)
  await until(page.environment, () => subscription.state === 'live')
  expect(page.client.state).toBe('connected')
})

test('a wait ends as soon as the network is back', async () => {
  await using relay = await FakeRelay.start()
  await using page = connect(relay)
  const { subscription } = page.read('payment:a')
  await until(page.environment, () => subscription.state === 'live')
  relay.cut()
  await until(page.environment, () => page.client.state === 'reconnecting')
  page.environment.signal('online')
  await until(page.environment, () => subscription.state === 'live')
  expect(relay.upgrades).toHaveLength(2)
})

test('what the relay refuses for good closes the client with its code', async () => {
  await using relay = await FakeRelay.start()
  relay.judge = () => ({ code: 'origin_refused', retry: 'never', close: 4403 })
  await using page = connect(relay)
  const { subscription } = page.read('payment:a')
  await until(page.environment, () => page.client.state === 'closed')
  expect(page.last()).toEqual({ state: 'closed', reason: 'origin_refused', transport: null })
  expect(subscription.status).toEqual({ state: 'ended', reason: 'origin_refused', isStale: false })
  page.environment.signal('online')
  page.environment.advance(600_000)
  expect(relay.upgrades).toHaveLength(1)
})
