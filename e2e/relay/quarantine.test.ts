import { SqliteRelayAdapter } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { paidBody } from '../callback-bodies.ts'
import { openRelay, openSink, type QuarantinePage } from './relay-floor.ts'
import { relayStores } from './relay-stores.ts'

type Relay = Awaited<ReturnType<typeof openRelay>>
type Listed = QuarantinePage['bodies'][number] & { readonly id: string; readonly head: string }
type Released = { readonly outcome: string; readonly appId: string; readonly eventId: string | null }

const paid = JSON.stringify(paidBody('ws_CO_1', 'UHH0AB12CD'))

async function quarantined(relay: Relay): Promise<readonly Listed[]> {
  return (await relay.read<{ bodies: readonly Listed[] }>('/v1/quarantine')).bodies
}

async function only(relay: Relay): Promise<Listed> {
  const [one, ...more] = await quarantined(relay)
  if (one === undefined || more.length > 0) throw new Error('not one body in the quarantine')
  return one
}

async function release(relay: Relay, id: string, body?: object): Promise<{ status: number; answer: unknown }> {
  const response = await fetch(`${relay.url}/v1/quarantine/${id}/release`, {
    method: 'POST',
    ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
  })
  return { status: response.status, answer: await response.json() }
}

describe.each(relayStores)('on %s: a quarantined body', (_name, openStorage) => {
  test('for an app that there is not is released to one that there is: delivered with its token, and gone', async () => {
    await using sink = await openSink()
    await using storage = await openStorage()
    await using relay = await openRelay(storage.options)
    await relay.post('/hooks/nobody/t/a-token', paid)
    const { id, appId } = await only(relay)
    expect(appId).toBe('nobody')
    expect(await release(relay, id)).toMatchObject({
      status: 404,
      answer: { error: { code: 'MPESA_STK_RELAY_NOT_FOUND' } },
    })
    const app = await relay.createApp(sink.url)
    expect(await release(relay, id, { appId: app.appId })).toEqual({
      status: 200,
      answer: { outcome: 'recorded', appId: app.appId, eventId: id },
    })
    await sink.have(1)
    expect(sink.delivered[0]?.headers).toMatchObject({ 'x-mpesa-event-id': id, 'x-mpesa-callback-token': 'a-token' })
    expect(JSON.parse(sink.delivered[0]?.body ?? '')).toEqual(JSON.parse(paid))
    expect(await quarantined(relay)).toEqual([])
    expect(await release(relay, id)).toMatchObject({ status: 404 })
  })

  test('that had come to the app before is a repeat, and gone', async () => {
    await using sink = await openSink()
    await using storage = await openStorage()
    await using relay = await openRelay(storage.options)
    const app = await relay.createApp(sink.url)
    await relay.post(app.hookUrl, paid)
    await relay.post('/hooks/nobody', paid)
    const { id } = await only(relay)
    const released = await release(relay, id, { appId: app.appId })
    expect(released.answer).toEqual({ outcome: 'repeat', appId: app.appId, eventId: null })
    expect(await quarantined(relay)).toEqual([])
    expect(await relay.storage.listEvents(app.appId, {}, 10)).toHaveLength(1)
  })

  test('whose relay dies between its event and its row is one event, whomever it is released to the next time', async () => {
    await using sink = await openSink()
    await using storage = await openStorage()
    await using relay = await openRelay(storage.options)
    const [app, other] = [await relay.createApp(sink.url), await relay.createApp(sink.url)]
    await relay.post('/hooks/nobody', paid)
    const { id } = await only(relay)
    const whole = await relay.storage.findQuarantined(id)
    if (whole === null) throw new Error('there is no body')
    for (const appId of [app.appId, app.appId, other.appId]) {
      const { answer } = await release(relay, id, { appId })
      expect(answer).toEqual({ outcome: 'recorded', appId: app.appId, eventId: id } satisfies Released)
      expect(await quarantined(relay)).toEqual([])
      // As it is when the row is still there, and the event too.
      await relay.storage.quarantine([whole])
    }
    const events = async (appId: string) => (await relay.storage.listEvents(appId, {}, 10)).length
    expect([await events(app.appId), await events(other.appId)]).toEqual([1, 0])
    await relay.app.relay.deliveries.idle()
    expect(sink.delivered).toHaveLength(1)
  })

  test('that is still nobody’s event stays, and the answer says why', async () => {
    await using storage = await openStorage()
    await using relay = await openRelay(storage.options)
    const app = await relay.createApp('http://127.0.0.1:9/')
    await relay.post(app.hookUrl, '{"hello":1}')
    await relay.post(app.hookUrl, `{"a":"${'x'.repeat(300 * 1024)}"}`)
    const bodies = await quarantined(relay)
    expect(bodies.map(({ reason }) => reason)).toEqual(['oversize', 'unrecognised'])
    for (const { id } of bodies) {
      const refused = await release(relay, id)
      expect(refused).toMatchObject({ status: 422, answer: { error: { code: 'MPESA_STK_RELAY_NOT_RELEASED' } } })
    }
    const [{ id } = { id: '' }] = bodies
    const { answer } = await release(relay, id)
    expect(JSON.stringify(answer)).toContain('of 307208 bytes only the beginning was kept')
    expect(await release(relay, id, { appId: 'nobody' })).toMatchObject({ status: 404 })
    expect(await quarantined(relay)).toHaveLength(2)
  })

  test('is listed by its beginning on one line, and shown with its bytes', async () => {
    await using storage = await openStorage()
    await using relay = await openRelay(storage.options)
    const app = await relay.createApp('http://127.0.0.1:9/')
    const body = Buffer.from(`a\u001b[2J\u202e\u0000é${'x'.repeat(100_000)}`)
    await relay.post(app.hookUrl, body)
    const { id, head, length } = await only(relay)
    expect(head).toMatch(/^a \[2J éx{180,200}$/)
    expect(length).toBe(body.length)
    const shown = await relay.read<{ bodyBase64: string }>(`/v1/quarantine/${id}`)
    expect(Buffer.from(shown.bodyBase64, 'base64').equals(body)).toBe(true)
    expect((await relay.get('/v1/quarantine/nothing')).status).toBe(404)
  })
})

test('the quarantine is the operator’s alone', async () => {
  await using relay = await openRelay({ adminToken: 'an-admin-token-that-is-long-enough' })
  const response = await fetch(`${relay.url}/apps`, {
    method: 'POST',
    headers: { authorization: 'Bearer an-admin-token-that-is-long-enough', 'content-type': 'application/json' },
    body: JSON.stringify({ targetUrl: 'http://127.0.0.1:9/' }),
  })
  const { signingSecret, hookUrl } = (await response.json()) as { signingSecret: string; hookUrl: string }
  await relay.post(hookUrl, '{}')
  const [kept] = await relay.storage.listQuarantine(null, 1)
  const headers = { authorization: `Bearer ${signingSecret}` }
  const statuses = await Promise.all([
    relay.get(`/v1/quarantine/${kept?.id}`, headers),
    relay.post(`/v1/quarantine/${kept?.id}/release`, '{}', { ...headers, 'content-type': 'application/json' }),
  ])
  expect(statuses.map(({ status }) => status)).toEqual([401, 401])
})

test('a release whose store fails after the event was recorded is no loss, and done by the next', async () => {
  await using sink = await openSink()
  const storage = await SqliteRelayAdapter.open(':memory:')
  await storage.migrate()
  let failures = 1
  const failing = new Proxy(storage, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]): Promise<unknown> => {
        if (name === 'deleteQuarantined' && failures-- > 0) throw new Error('connection lost')
        return Reflect.apply(value, target, args)
      }
    },
  })
  {
    await using relay = await openRelay({ storage: failing })
    const app = await relay.createApp(sink.url)
    await relay.post('/hooks/nobody', paid)
    const { id } = await only(relay)
    expect((await release(relay, id, { appId: app.appId })).status).toBe(503)
    expect((await only(relay)).id).toBe(id)
    expect(await release(relay, id, { appId: app.appId })).toMatchObject({ status: 200, answer: { eventId: id } })
    expect(await quarantined(relay)).toEqual([])
    await relay.app.relay.deliveries.idle()
    expect(sink.delivered).toHaveLength(1)
  }
  await storage.close()
})
