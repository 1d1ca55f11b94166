import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { verifySignature } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { paidBody } from '../callback-bodies.ts'
import { openRelay, openSink, type QuarantinePage } from './relay-floor.ts'

const success = { ResultCode: 0, ResultDesc: 'Success' }
const fixtures = fileURLToPath(new URL('../../fixtures/daraja/', import.meta.url))

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

  test('of every fixture is recorded or quarantined, and its signature verifies as the document prints it', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url)
    for (const folder of ['stk-callback', 'c2b', 'result', 'ratiba', 'b2b-express']) {
      for (const name of readdirSync(join(fixtures, folder))) {
        const response = await relay.post(app.hookUrl, readFileSync(join(fixtures, folder, name)))
        expect(await response.json(), name).toEqual(success)
      }
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

  test('for an app that there is not is kept too', async () => {
    await using relay = await openRelay()
    const response = await relay.post('/hooks/nobody', JSON.stringify(paidBody('ws_CO_1', 'UHH0AB12CD')))
    expect(response.status).toBe(200)
    const { bodies } = await relay.read<QuarantinePage>('/v1/quarantine')
    expect(bodies).toMatchObject([{ reason: 'unknown-app', detail: 'no app nobody' }])
  })
})
