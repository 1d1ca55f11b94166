import { statSync } from 'node:fs'
import { join } from 'node:path'
import { verifySignature } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { failedBody, paidBody } from '../callback-bodies.ts'
import { openRelay, openSink } from './relay-floor.ts'

const paid = (id: string): string => JSON.stringify(paidBody(id, 'UHH0AB12CD'))
const json = { 'content-type': 'application/json' }
const bearer = (secret: string) => ({ ...json, authorization: `Bearer ${secret}` })
const adminToken = 'the-token-of-the-operator'

describe('an app', () => {
  test('is made as document 003 prints it, and its secrets are nowhere in the store in clear', async () => {
    await using relay = await openRelay()
    const app = await relay.createApp('https://yourapp.com/mpesa/callback')
    expect(app).toMatchObject({
      appId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      signingSecret: expect.stringMatching(/^[0-9a-f]{64}$/),
      streamSecret: expect.stringMatching(/^[0-9a-f]{64}$/),
      hookUrl: `/hooks/${app.appId}`,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    })
    expect(new Set([app.appId, app.sourceId, app.signingSecret, app.streamSecret]).size).toBe(4)
    const stored = await relay.storage.findApp(app.appId)
    const text = Buffer.from(stored?.sealedSecrets ?? []).toString('latin1')
    expect(text).not.toContain(app.signingSecret.slice(0, 8))
    expect(statSync(join(relay.folder, 'encryption-key')).mode & 0o777).toBe(0o600)
    const shown = await relay.get(`/apps/${app.appId}`)
    expect(await shown.text()).not.toContain(app.signingSecret)
  })

  test.each([
    ['nothing', {}],
    ['no URL', { targetUrl: 'shop.example' }],
    ['another scheme', { targetUrl: 'ftp://shop.example/' }],
    ['a password', { targetUrl: 'https://a:b@shop.example/' }],
    ['an unknown field', { targetUrl: 'https://shop.example/', retries: 3 }],
    ['a bad schedule', { targetUrl: 'https://shop.example/', scheduleMs: [-1] }],
  ])('with %s is refused with a stable code', async (_what, body) => {
    await using relay = await openRelay()
    const response = await fetch(`${relay.url}/apps`, { method: 'POST', headers: json, body: JSON.stringify(body) })
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({ error: { code: expect.stringMatching(/^MPESA_STK_/) } })
  })

  test.each(['{"targetUrl":', 'targetUrl=https://shop.example/'])(
    'of a body that is no JSON is refused: %s',
    async body => {
      await using relay = await openRelay()
      const response = await fetch(`${relay.url}/apps`, { method: 'POST', headers: json, body })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { code: 'MPESA_STK_RELAY_REQUEST_INVALID' } })
    },
  )

  test('on a private address is refused where nobody allowed that', async () => {
    await using relay = await openRelay({ allowPrivateTargets: false })
    for (const targetUrl of [
      'https://127.0.0.1/',
      'https://169.254.169.254/',
      'http://shop.example/',
      'https://[::1]/',
    ]) {
      const body = JSON.stringify({ targetUrl })
      const response = await fetch(`${relay.url}/apps`, { method: 'POST', headers: json, body })
      expect(await response.json()).toMatchObject({ error: { code: 'MPESA_STK_TARGET_REFUSED' } })
    }
  })

  test('is changed with its signing secret, as document 003 prints it, and never by being on this machine', async () => {
    await using first = await openSink()
    await using second = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(first.url)
    const patch = (headers: Record<string, string>) =>
      fetch(`${relay.url}/apps/${app.appId}`, {
        method: 'PATCH',
        headers,
        body: JSON.stringify({ targetUrl: second.url }),
      })
    for (const headers of [json, bearer('wrong'), bearer(app.streamSecret)]) {
      expect((await patch(headers)).status).toBe(401)
    }
    const changed = await patch(bearer(app.signingSecret))
    expect([changed.status, await changed.json()]).toMatchObject([200, { targetUrl: second.url }])
    await relay.post(app.hookUrl, paid('ws_CO_1'))
    await second.have(1)
    expect(first.delivered).toEqual([])
  })

  test('whose secret was rotated is delivered to with both signatures, and answers to both', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url)
    const rotate = (secret: string, body: object) =>
      fetch(`${relay.url}/apps/${app.appId}/rotate-signing-secret`, {
        method: 'POST',
        headers: bearer(secret),
        body: JSON.stringify(body),
      })
    const { signingSecret } = (await (await rotate(app.signingSecret, {})).json()) as { signingSecret: string }
    await relay.post(app.hookUrl, paid('ws_CO_1'))
    await sink.have(1)
    const [one] = sink.delivered
    for (const secret of [signingSecret, app.signingSecret]) {
      expect(verifySignature(one?.body ?? '', secret, one?.headers['x-mpesa-signature'])).toBe(true)
    }
    const again = (await (await rotate(signingSecret, { overlapMs: 0 })).json()) as { signingSecret: string }
    await relay.post(app.hookUrl, paid('ws_CO_2'))
    await sink.have(2)
    const signature = sink.delivered[1]?.headers['x-mpesa-signature']
    expect(verifySignature(sink.delivered[1]?.body ?? '', again.signingSecret, signature)).toBe(true)
    expect(verifySignature(sink.delivered[1]?.body ?? '', signingSecret, signature)).toBe(false)
  })

  test('says whose pages may read its streams, and by default that a token is needed', async () => {
    await using relay = await openRelay()
    const made = await relay.createApp('https://shop.example/hook')
    expect(made).toMatchObject({ publicStreams: false, allowedOrigins: null })
    const patch = async (body: object) => {
      const headers = bearer(made.signingSecret)
      const url = `${relay.url}/apps/${made.appId}`
      const response = await fetch(url, { method: 'PATCH', headers, body: JSON.stringify(body) })
      return [response.status, await response.json()]
    }
    const good = ['https://shop.example', 'http://localhost:5173', 'https://xn--bcher-kva.example', 'http://[::1]:8080']
    expect(await patch({ publicStreams: true, allowedOrigins: good })).toMatchObject([
      200,
      { publicStreams: true, allowedOrigins: good },
    ])
    for (const wrong of [
      'https://shop.example/',
      'https://Shop.example',
      'https://shop.example:443',
      'shop.example',
      'null',
      '*',
      'https://*.example',
      'file:///shop',
      'https://a:b@shop.example',
      '',
    ]) {
      const refused = [422, { error: { code: 'MPESA_STK_APP_INVALID' } }]
      expect([wrong, await patch({ allowedOrigins: [wrong] })]).toMatchObject([wrong, refused])
      const body = JSON.stringify({ targetUrl: 'https://shop.example/', allowedOrigins: [wrong] })
      const created = await fetch(`${relay.url}/apps`, { method: 'POST', headers: json, body })
      expect([wrong, created.status, await created.json()]).toMatchObject([wrong, ...refused])
    }
    const many = Array.from({ length: 21 }, (_, index) => `https://shop-${index}.example`)
    expect(await patch({ allowedOrigins: many })).toMatchObject([422, {}])
    expect(await relay.read(`/apps/${made.appId}`)).toMatchObject({ publicStreams: true, allowedOrigins: good })
    expect(await patch({ publicStreams: false, allowedOrigins: null })).toMatchObject([
      200,
      { publicStreams: false, allowedOrigins: null },
    ])
  })

  test('is given another stream secret and has its streams cleared by its signing secret or the operator alone', async () => {
    await using relay = await openRelay({ adminToken })
    const headers = bearer(adminToken)
    const body = '{"targetUrl":"https://shop.example/hook"}'
    const response = await fetch(`${relay.url}/apps`, { method: 'POST', headers, body })
    const app = (await response.json()) as Record<'appId' | 'signingSecret' | 'streamSecret' | 'hookUrl', string>
    const post = (path: string, secret: string) =>
      fetch(`${relay.url}${path}`, { method: 'POST', headers: bearer(secret) })
    const [rotate, clear] = [`/apps/${app.appId}/rotate-stream-secret`, `/v1/apps/${app.appId}/stream/clear`]
    for (const path of [rotate, clear]) {
      for (const secret of ['wrong', app.streamSecret]) expect((await post(path, secret)).status).toBe(401)
    }
    const before = await relay.app.relay.apps.open(app.appId)
    const rotated = (await (await post(rotate, app.signingSecret)).json()) as typeof app
    expect(rotated.streamSecret).toMatch(/^[0-9a-f]{64}$/)
    expect(rotated).not.toHaveProperty('signingSecret')
    const after = await relay.app.relay.apps.open(app.appId)
    expect(before?.secrets.streamSecret).toBe(app.streamSecret)
    expect(after?.secrets).toEqual({ ...before?.secrets, streamSecret: rotated.streamSecret })
    expect((await post(rotate, adminToken)).status).toBe(200)
    expect(await (await post(clear, app.signingSecret)).json()).toEqual({ cleared: false })
    await relay.post(app.hookUrl, paid('ws_CO_1'))
    expect(await (await post(clear, adminToken)).json()).toEqual({ cleared: true })
    const head = (await relay.storage.listStreamHeads([app.appId], new Date())).get(app.appId)
    expect(head).toMatchObject({ position: 1, floor: 1, clears: 1 })
    expect((await post('/v1/apps/nobody/stream/clear', adminToken)).status).toBe(404)
  })

  test('that is disabled keeps what comes, and gets it when it is enabled', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url)
    const set = (isDisabled: boolean) =>
      fetch(`${relay.url}/apps/${app.appId}`, {
        method: 'PATCH',
        headers: bearer(app.signingSecret),
        body: JSON.stringify({ isDisabled }),
      })
    expect(await (await set(true)).json()).toMatchObject({ isDisabled: true, disabledReason: 'by request' })
    expect((await relay.post(app.hookUrl, paid('ws_CO_1'))).status).toBe(200)
    await relay.app.relay.deliveries.idle()
    expect(sink.delivered).toEqual([])
    await set(false)
    await sink.have(1)
  })
})

describe('the operator’s routes', () => {
  const asked: readonly (readonly [string, string])[] = [
    ['POST', '/apps'],
    ['GET', '/v1/quarantine'],
    ['GET', '/apps/APP'],
    ['GET', '/v1/apps/APP/events'],
    ['GET', '/v1/events/nobody'],
    ['POST', '/v1/events/nobody/replay'],
  ]

  test.each([
    ['a proxy', { 'x-forwarded-for': '203.0.113.9' }],
    ['another proxy', { forwarded: 'for=203.0.113.9' }],
    ['a page of the web', { origin: 'https://evil.example' }],
  ])('without a token answer nobody who comes through %s', async (_what, headers) => {
    await using relay = await openRelay()
    const { appId } = await relay.createApp('https://shop.example/')
    for (const [method, path] of asked) {
      const body = method === 'POST' ? JSON.stringify({ targetUrl: 'https://shop.example/' }) : null
      const response = await fetch(`${relay.url}${path.replace('APP', appId)}`, {
        method,
        headers: { ...json, ...headers },
        body,
      })
      expect([path, response.status]).toEqual([path, 401])
    }
  })

  test('with a token answer only to it', async () => {
    await using relay = await openRelay({ adminToken })
    const make = (headers: Record<string, string>) =>
      fetch(`${relay.url}/apps`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ targetUrl: 'https://shop.example/' }),
      })
    expect((await make(json)).status).toBe(401)
    expect((await make(bearer('wrong'))).status).toBe(401)
    const made = await make(bearer(adminToken))
    expect(made.status).toBe(201)
    const app = (await made.json()) as { appId: string; signingSecret: string }
    expect((await relay.get(`/apps/${app.appId}`)).status).toBe(401)
    expect((await relay.get(`/apps/${app.appId}`, bearer(app.signingSecret))).status).toBe(200)
    expect((await relay.get('/v1/quarantine', bearer(app.signingSecret))).status).toBe(401)
    expect((await relay.get('/v1/quarantine', bearer(adminToken))).status).toBe(200)
  })

  test('show nobody the events of another app', async () => {
    await using relay = await openRelay({ adminToken })
    const make = async () => {
      const body = JSON.stringify({ targetUrl: 'http://127.0.0.1:9/' })
      const response = await fetch(`${relay.url}/apps`, { method: 'POST', headers: bearer(adminToken), body })
      return (await response.json()) as { appId: string; hookUrl: string; signingSecret: string }
    }
    const [mine, yours] = [await make(), await make()]
    await relay.post(yours.hookUrl, paid('ws_CO_1'))
    const [event] = await relay.storage.listEvents(yours.appId, {}, 1)
    for (const path of [`/v1/apps/${yours.appId}/events`, `/v1/events/${event?.id}`]) {
      expect((await relay.get(path, bearer(mine.signingSecret))).status).toBe(401)
      expect((await relay.get(path, bearer(yours.signingSecret))).status).toBe(200)
    }
  })

  test('are described, and so are the numbers, which name nobody', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url)
    await relay.post(app.hookUrl, JSON.stringify(failedBody('ws_CO_1', 1032)))
    await relay.post('/hooks/nobody', 'x')
    await sink.have(1)
    await relay.app.relay.deliveries.idle()
    const { paths } = await relay.read<{ paths: object }>('/openapi.json')
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/apps', '/apps/{appId}', '/status/{checkoutRequestId}', '/v1/events/{eventId}']),
    )
    const metrics = await (await relay.get('/metrics')).text()
    expect(metrics).toContain('relay_callbacks_total{outcome="recorded",reason=""} 1')
    expect(metrics).toContain('relay_callbacks_total{outcome="quarantined",reason="unknown-app"} 1')
    expect(metrics).toContain('relay_delivery_attempts_total{outcome="delivered"} 1')
    expect(metrics).not.toContain(app.appId)
    expect(await relay.read('/livez')).toEqual({ status: 'alive' })
    expect(await relay.read('/readyz')).toEqual({ status: 'ready', store: 'up', spool: 'empty' })
  })
})
