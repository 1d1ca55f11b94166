import { expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { SyncClient, type SyncClientOptions } from './index.ts'
import { createFakeEnvironment } from './testing/fake-environment.ts'
import { FakeRelay } from './testing/fake-relay.ts'
import { createMemoryStorage } from './testing/memory-storage.ts'
import { until } from './testing/until.ts'

function open(relay: FakeRelay, options: Partial<SyncClientOptions> = {}) {
  const environment = createFakeEnvironment(0)
  const shared = { url: relay.url, webSocket: WebSocket, storage: null, environment }
  const client = new SyncClient({ sourceId: 'payment-flow', secret: 'sss', ...shared, ...options })
  const heard: unknown[] = []
  client.on('authenticated', () => heard.push('authenticated'))
  client.on('event', data => {
    if (data.type === 'mpesa_callback') heard.push(data.ResultCode === '0' ? 'success' : 'failed')
  })
  client.on('gap', reason => heard.push(reason))
  const errors: string[] = []
  client.on('error', ({ code }) => errors.push(code))
  const states: string[] = []
  client.on('state', ({ state }) => states.push(state))
  return { client, environment, heard, errors, states }
}

test('authenticates with source and secret, and hears of what happens from now on', async () => {
  await using relay = await FakeRelay.start()
  relay.publish('payment:before')
  const { client, environment, heard, states } = open(relay)
  client.connect()
  client.connect()
  await until(environment, () => relay.subscriptions === 1)
  relay.publish('payment:a')
  relay.publish('payment:b', { ResultCode: '1032' })
  await until(environment, () => heard.length === 3)
  expect(heard).toEqual(['authenticated', 'success', 'failed'])
  expect(relay.received.slice(0, 2)).toEqual([
    { type: 'auth', sourceId: 'payment-flow', secret: 'sss' },
    { type: 'subscribe', id: 1, stream: 'source', from: 'now' },
  ])
  client.disconnect()
  client.disconnect()
  await until(environment, () => relay.connections === 0)
  expect(states).toEqual(['connecting', 'authenticating', 'connected', 'closed'])
})

test('a page that comes back hears what happened while it was away', async () => {
  await using relay = await FakeRelay.start()
  const storage = createMemoryStorage()
  const first = open(relay, { storage })
  first.client.connect()
  await until(first.environment, () => relay.subscriptions === 1 && storage.items.size === 1)
  first.client.disconnect()
  relay.publish('payment:a')
  const second = open(relay, { storage })
  second.client.connect()
  await until(second.environment, () => second.heard.length === 2)
  expect(second.heard).toEqual(['authenticated', 'success'])
  relay.restore()
  await until(second.environment, () => second.heard.length === 4)
  expect(second.heard.slice(2)).toEqual(['authenticated', 'restored'])
  second.client.disconnect()
})

test('each source has a cursor of its own', async () => {
  await using relay = await FakeRelay.start()
  const storage = createMemoryStorage()
  for (const sourceId of ['shop', 'school']) {
    const { client, environment } = open(relay, { storage, sourceId })
    client.connect()
    await until(
      environment,
      () => relay.subscriptions === 1 && storage.items.has(`mpesa-stk:${relay.url}:${sourceId}:source`),
    )
    client.disconnect()
    await until(environment, () => relay.connections === 0 && relay.subscriptions === 0)
    relay.publish('payment:a')
  }
  expect([...storage.items.values()]).toEqual(['e1.0', 'e1.1'])
})

test('a secret that is refused closes it, and says why', async () => {
  await using relay = await FakeRelay.start()
  relay.judge = () => ({ code: 'secret_not_for_pages', retry: 'never', close: 4403 })
  const { client, environment, errors, states } = open(relay, { secret: undefined })
  client.connect()
  await until(environment, () => states.includes('closed'))
  expect(errors).toEqual(['secret_not_for_pages'])
  expect(relay.upgrades).toHaveLength(1)
})

test('a handler is taken back by what `on` returned', async () => {
  await using relay = await FakeRelay.start()
  const { client, environment, heard } = open(relay)
  const handler = vi.fn()
  const stop = client.on('event', handler)
  client.connect()
  await until(environment, () => relay.subscriptions === 1)
  stop()
  relay.publish('payment:a')
  await until(environment, () => heard.length === 2)
  expect(handler).not.toHaveBeenCalled()
  client.disconnect()
})
