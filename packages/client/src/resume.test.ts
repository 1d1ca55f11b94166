import { expect, test } from 'vitest'
import type { StorageLike } from './index.ts'
import { connect } from './testing/connect.ts'
import { createFakeEnvironment } from './testing/fake-environment.ts'
import { FakeRelay } from './testing/fake-relay.ts'
import { createMemoryStorage } from './testing/memory-storage.ts'
import { until } from './testing/until.ts'

test('a reload goes on where the handler got to', async () => {
  await using relay = await FakeRelay.start()
  const storage = createMemoryStorage()
  relay.publish('source')
  {
    await using page = connect(relay, { storage })
    const { subscription } = page.read('source')
    await until(page.environment, () => subscription.state === 'live')
    expect([...storage.items]).toEqual([[`mpesa-stk:${relay.url}:source`, 'e1.1']])
  }
  relay.publish('source')
  await using reloaded = connect(relay, { storage })
  const { subscription, ids } = reloaded.read('source')
  await until(reloaded.environment, () => subscription.state === 'live')
  expect(ids()).toEqual(['e1-event-2'])
})

test('two apps of one relay in one page do not share a cursor', async () => {
  await using relay = await FakeRelay.start()
  const storage = createMemoryStorage()
  relay.publish('source')
  await using one = connect(relay, { storage, name: 'one' })
  const first = one.read('source')
  await until(one.environment, () => first.subscription.state === 'live')
  await using two = connect(relay, { storage, name: 'two' })
  const second = two.read('source')
  await until(two.environment, () => second.subscription.state === 'live')
  expect(second.ids()).toEqual(['e1-event-1'])
  expect([...storage.items.keys()]).toEqual([`mpesa-stk:${relay.url}:one:source`, `mpesa-stk:${relay.url}:two:source`])
})

test('the cursor is written after the handler ran', async () => {
  await using relay = await FakeRelay.start()
  const storage = createMemoryStorage()
  relay.publish('source')
  relay.publish('source')
  await using page = connect(relay, { storage })
  const kept: (string | undefined)[] = []
  const { subscription } = page.read('source', { onEvent: () => kept.push([...storage.items.values()][0]) })
  await until(page.environment, () => subscription.state === 'live')
  expect(kept).toEqual([undefined, 'e1.1'])
})

test('resume: false begins anew each time, and leaves nothing behind', async () => {
  await using relay = await FakeRelay.start()
  const storage = createMemoryStorage()
  relay.publish('source')
  for (const _ of [1, 2]) {
    await using page = connect(relay, { storage })
    const { subscription, ids } = page.read('source', { resume: false })
    await until(page.environment, () => subscription.state === 'live')
    expect(ids()).toEqual(['e1-event-1'])
  }
  expect(storage.items.size).toBe(0)
})

test('from now on, when nothing was read before; a lost connection goes on from there', async () => {
  await using relay = await FakeRelay.start()
  relay.publish('source')
  await using page = connect(relay, { environment: createFakeEnvironment(0) })
  const { subscription, ids } = page.read('source', { from: 'now' })
  await until(page.environment, () => subscription.state === 'live')
  relay.cut()
  relay.publish('source')
  await until(page.environment, () => ids().length === 1)
  expect(ids()).toEqual(['e1-event-2'])
  expect(relay.frames('subscribe').map(frame => frame['from'])).toEqual(['now', 'e1.1'])
})

test.each(['websocket', 'sse', 'poll'] as const)(
  'over %s: a kept cursor that is no good is forgotten, and that is told as a gap',
  async transport => {
    await using relay = await FakeRelay.start()
    const storage = createMemoryStorage()
    storage.setItem(`mpesa-stk:${relay.url}:source`, 'rubbish')
    relay.publish('source')
    await using page = connect(relay, { storage, transports: [transport] })
    const { subscription, ids, states } = page.read('source')
    await until(page.environment, () => subscription.state === 'live')
    expect(ids()).toEqual(['e1-event-1'])
    expect(states.map(({ state, reason }) => [state, reason])).toContainEqual(['gap', 'cursor_invalid'])
  },
)

test('a cursor of the caller that is no good ends the stream', async () => {
  await using relay = await FakeRelay.start()
  await using page = connect(relay)
  const { subscription } = page.read('source', { from: 'rubbish' })
  await until(page.environment, () => subscription.state === 'ended')
  expect(subscription.status.reason).toBe('cursor_invalid')
})

const full: StorageLike = {
  getItem: () => null,
  setItem() {
    throw new DOMException('full', 'QuotaExceededError')
  },
  removeItem() {},
}
const forbidden: StorageLike = {
  getItem() {
    throw new DOMException('no', 'SecurityError')
  },
  setItem: full.setItem,
  removeItem: full.setItem as () => void,
}

test.each([
  ['full', full],
  ['forbidden', forbidden],
])('a storage that is %s is reported once, and nothing else changes', async (_, storage) => {
  await using relay = await FakeRelay.start()
  relay.publish('source')
  relay.publish('source')
  await using page = connect(relay, { storage, environment: createFakeEnvironment(0) })
  const { subscription, ids } = page.read('source')
  await until(page.environment, () => subscription.state === 'live')
  relay.cut()
  await until(page.environment, () => relay.frames('subscribe').length === 2 && subscription.state === 'live')
  relay.end('source')
  await until(page.environment, () => subscription.state === 'ended')
  expect(ids()).toEqual(['e1-event-1', 'e1-event-2'])
  expect(page.errors.map(({ code }) => code)).toEqual(['storage_failed'])
})
