import { verifySignature } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { failedBody, paidBody } from '../callback-bodies.ts'
import { readFixtures } from './callback-fixtures.ts'
import { openRelay, openSink, type QuarantinePage } from './relay-floor.ts'
import { relayStores } from './relay-stores.ts'

const success = { ResultCode: 0, ResultDesc: 'Success' }

describe('a callback', () => {
  test('is acknowledged, stored, and delivered signed, once however often it comes', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url)
    const body = JSON.stringify(paidBody('ws_CO_1', 'UHH0AB12CD')).replace('"Value":500', '"Value":500.00')
    for (let copy = 0; copy < 4; copy++) {
      const response = await relay.post(app.hookUrl, body)
      expect(response.status).toBe(200)
      expect(await response.json()).toEqual(success)
    }
    await sink.have(1)
    const [one] = sink.delivered
    const parsed: unknown = JSON.parse(one?.body ?? '')
    expect(verifySignature(JSON.stringify(parsed), app.signingSecret, one?.headers['x-mpesa-signature'])).toBe(true)
    expect(parsed).toEqual(JSON.parse(body))
    await relay.app.relay.deliveries.idle()
    const status = await relay.read<{ eventId: string }>(`/status/ws_CO_1?app_id=${app.appId}`)
    expect(status).toMatchObject({
      checkoutRequestId: 'ws_CO_1',
      status: 'DELIVERED',
      attemptCount: 1,
      lastError: null,
      deliveredAt: expect.stringMatching(/Z$/),
    })
    expect(sink.delivered).toHaveLength(1)
    expect(one?.headers['x-mpesa-event-id']).toBe(status.eventId)
  })

  test('that says something else is an event of its own, which names the one that it contradicts', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url)
    await relay.post(`${app.hookUrl}/t/the-token`, JSON.stringify(paidBody('ws_CO_1', 'UHH0AB12CD')))
    await relay.post(app.hookUrl, JSON.stringify(paidBody('ws_CO_1', 'FORGED0001')))
    await sink.have(2)
    const [first, second] = sink.delivered
    expect(first?.headers['x-mpesa-callback-token']).toBe('the-token')
    expect(second?.headers['x-mpesa-callback-token']).toBeUndefined()
    expect(second?.headers['x-mpesa-contradicts']).toBe(first?.headers['x-mpesa-event-id'])
    expect(relay.log()).toContain('says something else')
  })

  test('without its token is not taken for the true one, nor the true one for a copy of it', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url)
    const body = JSON.stringify(failedBody('ws_CO_1', 1032))
    for (const path of [
      app.hookUrl,
      `${app.hookUrl}/t/the-token`,
      `${app.hookUrl}/t/the-token`,
      `${app.hookUrl}/t/guess`,
    ]) {
      await relay.post(path, body)
    }
    await sink.have(3)
    await relay.app.relay.deliveries.idle()
    const tokens = sink.delivered.map(({ headers }) => headers['x-mpesa-callback-token'] ?? 'none')
    expect(new Set(tokens)).toEqual(new Set(['none', 'the-token', 'guess']))
  })

  test('of every fixture is recorded or quarantined, and its signature verifies as the document prints it', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url)
    for (const { name, body } of readFixtures()) {
      expect(await (await relay.post(app.hookUrl, body)).json(), name).toEqual(success)
    }
    await relay.app.relay.deliveries.idle()
    const { bodies } = await relay.read<QuarantinePage>('/v1/quarantine?limit=500')
    // Answers to requests of ours, which nobody posts to a hook.
    expect(bodies.map(({ reason }) => reason)).toEqual(Array(bodies.length).fill('unrecognised'))
    expect(bodies.length).toBeLessThanOrEqual(6)
    expect(sink.delivered.length).toBeGreaterThan(20)
    for (const { body, headers } of sink.delivered) {
      const printed = JSON.stringify(JSON.parse(body))
      expect(verifySignature(printed, app.signingSecret, headers['x-mpesa-signature'])).toBe(true)
    }
  })
})

describe('what is nobody’s event', () => {
  test.each([
    ['no JSON', '<html>'],
    ['no UTF-8', Uint8Array.of(0xc3, 0x28)],
    ['nothing', ''],
    ['JSON of something else', '{"hello":1}'],
    ['too much', `{"a":"${'x'.repeat(300 * 1024)}"}`],
  ])('is kept and acknowledged: %s', async (_what, body) => {
    await using relay = await openRelay()
    const app = await relay.createApp('http://127.0.0.1:9/')
    const response = await relay.post(app.hookUrl, body)
    expect([response.status, await response.json()]).toEqual([200, success])
    const { bodies } = await relay.read<QuarantinePage>('/v1/quarantine')
    expect(bodies).toMatchObject([{ appId: app.appId, length: Buffer.from(body).length }])
  })

  test.each(relayStores)(
    'on %s: posted to an address that no database takes holds up nobody',
    async (_name, openStorage) => {
      await using sink = await openSink()
      await using storage = await openStorage()
      await using relay = await openRelay(storage.options)
      const app = await relay.createApp(sink.url)
      for (const odd of ['%00', '%ED%A0%80', '%F0%9F%92%B0', 'x'.repeat(5_000), '%0a', "'--"]) {
        const response = await relay.post(`/hooks/${odd}`, JSON.stringify(paidBody('ws_CO_1', 'UHH0AB12CD')))
        expect([odd.slice(0, 9), response.status]).toEqual([odd.slice(0, 9), 200])
        await relay.post(`${app.hookUrl}/t/${odd}`, JSON.stringify(paidBody('ws_CO_2', 'UHH0AB12CD')))
      }
      await relay.post(app.hookUrl, JSON.stringify(paidBody('ws_CO_3', 'UHH0AB12CD')))
      const has3 = (): boolean => sink.delivered.some(({ body }) => body.includes('ws_CO_3'))
      await expect.poll(has3, { timeout: 10_000 }).toBe(true)
      expect(relay.app.relay.spool.isEmpty).toBe(true)
    },
  )

  test('and without end is cut off, its beginning kept, and nobody else disturbed', async () => {
    await using relay = await openRelay()
    const app = await relay.createApp('http://127.0.0.1:9/')
    await relay.post(app.hookUrl, Buffer.alloc(12 * 1024 * 1024, 'x')).catch(() => undefined)
    const kept = async (): Promise<number> => (await relay.storage.listQuarantine(null, 10)).length
    await expect.poll(kept, { timeout: 10_000 }).toBe(1)
    const [one] = await relay.storage.listQuarantine(null, 10)
    expect(one).toMatchObject({ reason: 'oversize' })
    expect((await relay.storage.findQuarantined(one?.id ?? ''))?.body.length).toBe(256 * 1024)
    expect((await relay.post(app.hookUrl, '{}')).status).toBe(200)
  })

  test('for an app that there is not is kept too', async () => {
    await using relay = await openRelay()
    const response = await relay.post('/hooks/nobody', JSON.stringify(paidBody('ws_CO_1', 'UHH0AB12CD')))
    expect(response.status).toBe(200)
    const { bodies } = await relay.read<QuarantinePage>('/v1/quarantine')
    expect(bodies).toMatchObject([{ reason: 'unknown-app', detail: 'no app nobody' }])
  })
})
