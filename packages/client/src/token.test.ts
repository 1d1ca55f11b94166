import { expect, test, vi } from 'vitest'
import { createTokenSource } from './credentials.ts'
import { createClock } from './environment.ts'
import { connect } from './testing/connect.ts'
import { createFakeEnvironment, type FakeEnvironment } from './testing/fake-environment.ts'
import { FakeRelay } from './testing/fake-relay.ts'
import { until } from './testing/until.ts'

test('is refreshed at four fifths of its life, on the open connection', async () => {
  await using relay = await FakeRelay.start()
  relay.ttlMs = 600_000
  relay.heartbeatMs = 3_600_000
  await using page = connect(relay)
  const { subscription } = page.read('payment:a')
  await until(page.environment, () => subscription.state === 'live')
  page.environment.advance(479_999)
  expect(relay.frames('refresh')).toEqual([])
  page.environment.advance(1)
  await until(page.environment, () => relay.frames('refresh').length === 1)
  expect(relay.frames('refresh')).toEqual([{ type: 'refresh', token: 'token-2' }])
  expect(relay.upgrades).toHaveLength(1)
})

test('a clock that is set forward by ten minutes costs a refresh and a ping, and nothing else', async () => {
  await using relay = await FakeRelay.start()
  relay.ttlMs = 600_000
  let wallMs = Date.parse('2026-11-24T07:50:00Z')
  const environment = createFakeEnvironment()
  const nowMs = createClock(() => wallMs + environment.nowMs(), environment.nowMs)
  await using page = connect(relay, { environment: { ...environment, nowMs } as FakeEnvironment })
  const { subscription, events } = page.read('payment:a')
  await until(environment, () => subscription.state === 'live')
  wallMs += 600_000
  environment.advance(5_000)
  await until(environment, () => relay.frames('refresh').length === 1 && relay.frames('ping').length === 1)
  relay.publish('payment:a')
  await until(environment, () => events.length === 1)
  wallMs -= 1_200_000
  environment.advance(5_000)
  expect(page.client.state).toBe('connected')
  expect(relay.upgrades).toHaveLength(1)
})

test('a machine that sleeps past its end comes back with a fresh one', async () => {
  await using relay = await FakeRelay.start()
  relay.ttlMs = 600_000
  await using page = connect(relay, { environment: createFakeEnvironment(0) })
  const { subscription, events } = page.read('payment:a')
  await until(page.environment, () => subscription.state === 'live')
  relay.judge = token => (token === 'token-1' ? { code: 'token_expired', retry: 'token', close: 4401 } : null)
  page.environment.sleep(3_600_000)
  relay.publish('payment:a')
  relay.cut()
  page.environment.signal('wake')
  await until(page.environment, () => events.length === 1 && subscription.state === 'live')
  expect(relay.frames('auth').at(-1)?.['token']).not.toBe('token-1')
})

test('getToken that hangs is given up after 15 s and asked again', async () => {
  await using relay = await FakeRelay.start()
  const getToken = vi.fn(async () => 'good').mockImplementationOnce(() => new Promise<string>(() => {}))
  await using page = connect(relay, { getToken, environment: createFakeEnvironment(0) })
  const { subscription } = page.read('payment:a')
  page.environment.advance(14_999)
  expect(page.errors).toEqual([])
  page.environment.advance(1)
  await until(page.environment, () => subscription.state === 'live')
  expect(page.errors.map(({ code }) => code)).toEqual(['token_timeout'])
  expect(getToken).toHaveBeenCalledTimes(2)
})

test('getToken that fails is asked again, later and later', async () => {
  await using relay = await FakeRelay.start()
  let calls = 0
  const getToken = async (): Promise<string> => {
    if (++calls <= 3) throw new Error('the shop is away')
    return 'good'
  }
  await using page = connect(relay, { getToken, environment: createFakeEnvironment(1) })
  const { subscription } = page.read('payment:a')
  for (const [failures, waitMs] of [
    [1, 500],
    [2, 1_000],
    [3, 2_000],
  ] as const) {
    await until(page.environment, () => page.errors.length === failures && page.client.state === 'reconnecting')
    page.environment.advance(waitMs - 1)
    expect(calls).toBe(failures)
    page.environment.advance(1)
    expect(calls).toBe(failures + 1)
  }
  await until(page.environment, () => subscription.state === 'live')
  expect(relay.upgrades).toEqual(['/ws'])
})

test.each([undefined, '', { ttlMs: 1 }, null])('what is no token (%j) is a failure of getToken', async answer => {
  await using relay = await FakeRelay.start()
  await using page = connect(relay, { getToken: async () => answer as unknown as string })
  page.read('payment:a')
  await until(page.environment, () => page.errors.length === 1)
  expect(page.errors[0]?.code).toBe('token_failed')
  expect(relay.upgrades).toEqual([])
})

test('getToken that throws at once is a failure too', async () => {
  await using relay = await FakeRelay.start()
  const getToken = (): Promise<string> => {
    throw new Error('no')
  }
  await using page = connect(relay, { getToken })
  page.read('payment:a')
  await until(page.environment, () => page.errors.length === 1)
  expect(page.client.state).toBe('reconnecting')
})

test('the same token refused twice: closed, unauthorised', async () => {
  await using relay = await FakeRelay.start()
  relay.judge = () => ({ code: 'token_revoked', retry: 'token', close: 4401 })
  await using page = connect(relay, { getToken: async () => 'same', environment: createFakeEnvironment(0) })
  page.read('payment:a')
  await until(page.environment, () => page.client.state === 'closed')
  expect(page.last().reason).toBe('unauthorised')
  expect(relay.frames('auth')).toHaveLength(2)
})

test('different tokens that are refused are tried on, with waits between', async () => {
  await using relay = await FakeRelay.start()
  relay.judge = token => (token === 'token-4' ? null : { code: 'token_invalid', retry: 'token', close: 4401 })
  await using page = connect(relay, { environment: createFakeEnvironment(0) })
  const { subscription } = page.read('payment:a')
  await until(page.environment, () => subscription.state === 'live')
  expect(relay.frames('auth').map(frame => frame['token'])).toEqual(['token-1', 'token-2', 'token-3', 'token-4'])
})

test('a refresh that fails is tried again, and the connection stays', async () => {
  await using relay = await FakeRelay.start()
  relay.ttlMs = 100_000
  relay.heartbeatMs = 3_600_000
  let calls = 0
  const getToken = async () => {
    if (++calls === 2) throw new Error('the shop is away')
    return { token: `token-${calls}`, ttlMs: 100_000 }
  }
  await using page = connect(relay, { getToken })
  const { subscription } = page.read('payment:a')
  await until(page.environment, () => subscription.state === 'live')
  page.environment.advance(80_000)
  await until(page.environment, () => page.errors.length === 1)
  page.environment.advance(7_500)
  await until(page.environment, () => relay.frames('refresh').length === 1)
  expect(relay.frames('refresh')[0]).toEqual({ type: 'refresh', token: 'token-3' })
  expect(page.client.state).toBe('connected')
  expect(relay.upgrades).toHaveLength(1)
})

test('one question at a time: whoever asks meanwhile gets the same answer', async () => {
  const getToken = vi.fn(async () => 'good')
  const ask = createTokenSource(getToken, createFakeEnvironment())
  expect(await Promise.all([ask(), ask()])).toEqual([{ token: 'good' }, { token: 'good' }])
  expect(getToken).toHaveBeenCalledTimes(1)
  await ask()
  expect(getToken).toHaveBeenCalledTimes(2)
})
