import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SqliteRelayAdapter, verifySignature } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { findPrivateData } from '../../scripts/watch-log-output.ts'
import { failedBody, paidBody } from '../callback-bodies.ts'
import { statusOf, talk } from './raw-socket.ts'
import { openRelay, openSink } from './relay-floor.ts'
import { relayStores } from './relay-stores.ts'
import { createTroubledStorage } from './troubled-storage.ts'

type Relay = Awaited<ReturnType<typeof openRelay>>
type App = Awaited<ReturnType<Relay['createApp']>>

const json = { 'content-type': 'application/json' }
const bearer = (secret: string) => ({ authorization: `Bearer ${secret}` })
const adminToken = 'the-token-of-the-operator'
const paid = (id: string): string => JSON.stringify(paidBody(id, 'UHH0AB12CD'))

/** Asks a relay, and tells the status and the stable code of the answer. */
async function ask(relay: Relay, method: string, path: string, init: RequestInit = {}) {
  const response = await fetch(`${relay.url}${path}`, { ...init, method })
  const body = (await response.json()) as { readonly error?: { readonly code: string } }
  return { status: response.status, code: body.error?.code ?? null, body }
}

/** An app of a relay that has an admin token. */
async function createAppByToken(relay: Relay, targetUrl: string): Promise<App> {
  const response = await relay.post('/apps', JSON.stringify({ targetUrl }), { ...json, ...bearer(adminToken) })
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
  return (await response.json()) as App
}

const unauthorised = { status: 401, code: 'MPESA_STK_RELAY_UNAUTHORISED' }
const invalid = (status: number) => ({ status, code: 'MPESA_STK_RELAY_REQUEST_INVALID' })

describe('the secrets of an app', () => {
  test.each([
    ['POST', '/rotate-signing-secret'],
    ['DELETE', ''],
  ])('are not touched by %s %s of who is on this machine and has no secret of the app', async (method, suffix) => {
    await using relay = await openRelay()
    const app = await relay.createApp('https://shop.example/')
    const other = await relay.createApp('https://other.example/')
    const path = `/apps/${app.appId}${suffix}`
    for (const headers of [{}, bearer('wrong'), bearer(app.streamSecret), bearer(other.signingSecret)]) {
      expect(await ask(relay, method, path, { headers })).toMatchObject(unauthorised)
    }
    // It is there still, under the secret that it had.
    expect(await ask(relay, method, path, { headers: bearer(app.signingSecret) })).toMatchObject({ status: 200 })
  })

  test.each([
    ['POST', '/rotate-signing-secret'],
    ['DELETE', ''],
  ])('are for the operator with his token: %s %s', async (method, suffix) => {
    await using relay = await openRelay({ adminToken })
    const { appId } = await createAppByToken(relay, 'https://shop.example/')
    const path = `/apps/${appId}${suffix}`
    expect(await ask(relay, method, path)).toMatchObject(unauthorised)
    expect(await ask(relay, method, path, { headers: bearer(adminToken) })).toMatchObject({ status: 200 })
  })

  test('open nothing once they are rotated out, though deliveries are still signed with them', async () => {
    await using sink = await openSink()
    await using relay = await openRelay({ adminToken })
    const app = await createAppByToken(relay, sink.url)
    const rotated = await ask(relay, 'POST', `/apps/${app.appId}/rotate-signing-secret`, {
      headers: bearer(app.signingSecret),
    })
    const { signingSecret } = rotated.body as Partial<App>
    await relay.post(app.hookUrl, paid('ws_CO_1'))
    await sink.have(1)
    const [one] = sink.delivered
    expect(verifySignature(one?.body ?? '', app.signingSecret, one?.headers['x-mpesa-signature'])).toBe(true)
    const eventId = one?.headers['x-mpesa-event-id']
    const asked: readonly (readonly [string, string, RequestInit?])[] = [
      ['GET', `/apps/${app.appId}`],
      ['PATCH', `/apps/${app.appId}`, { body: '{"targetUrl":"https://evil.example/"}' }],
      ['POST', `/apps/${app.appId}/rotate-signing-secret`, { body: '{}' }],
      ['GET', `/v1/apps/${app.appId}/events`],
      ['GET', `/v1/events/${eventId}`],
      ['POST', `/v1/events/${eventId}/replay`],
      ['POST', `/v1/apps/${app.appId}/replay`, { body: '{}' }],
      ['GET', `/v1/apps/${app.appId}/replays`],
      ['DELETE', `/apps/${app.appId}`],
    ]
    for (const [method, path, init] of asked) {
      const headers = { ...(init !== undefined && json), ...bearer(app.signingSecret) }
      const { status, code } = await ask(relay, method, path, { ...init, headers })
      expect([method, path, { status, code }]).toEqual([method, path, unauthorised])
    }
    const shown = await ask(relay, 'GET', `/apps/${app.appId}`, { headers: bearer(signingSecret ?? '') })
    expect(shown).toMatchObject({ status: 200, body: { targetUrl: sink.url } })
  })
})

describe('without an admin token', () => {
  const get = (version: string, header = ''): string =>
    `GET /v1/quarantine HTTP/${version}\r\nHost: localhost\r\n${header}Connection: close\r\n\r\n`

  test('who speaks HTTP/1.0 comes through a proxy, and is not the operator', async () => {
    await using relay = await openRelay()
    expect(statusOf(await talk(relay.url, get('1.1')))).toBe(200)
    expect(statusOf(await talk(relay.url, get('1.0')))).toBe(401)
    const keptAlive = get('1.0').replace('close', 'keep-alive')
    expect(statusOf(await talk(relay.url, keptAlive))).toBe(401)
  })

  test.each([
    'Forwarded: for=203.0.113.9',
    'X-Forwarded-For: 127.0.0.1',
    'X-Forwarded-Host: localhost',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Port: 443',
    'X-Forwarded-Server: proxy',
    'X-Real-IP: 127.0.0.1',
    'X-Client-IP: 127.0.0.1',
    'True-Client-IP: 127.0.0.1',
    'CF-Connecting-IP: 127.0.0.1',
    'Via: 1.1 proxy',
    // Empty, as a proxy writes it that forgot its variable.
    'X-Forwarded-For:',
  ])('who brings "%s" came through a proxy, and is not the operator', async header => {
    await using relay = await openRelay()
    expect(statusOf(await talk(relay.url, get('1.1', `${header}\r\n`)))).toBe(401)
  })
})

describe('of a request', () => {
  test('nothing is looked at before there is a secret', async () => {
    await using relay = await openRelay({ adminToken })
    const bodies = ['{"retries":3}', '{"targetUrl":', `{"targetUrl":"${'x'.repeat(1024 * 1024)}"}`]
    for (const body of bodies) {
      expect(await ask(relay, 'POST', '/apps', { headers: json, body })).toMatchObject(unauthorised)
    }
    const basic = { ...json, authorization: 'Basic b3BlcmF0b3I6' }
    expect(await ask(relay, 'POST', '/apps', { headers: basic, body: '{}' })).toMatchObject(unauthorised)
    expect(await ask(relay, 'GET', '/v1/quarantine?limit=none')).toMatchObject(unauthorised)
    expect(await ask(relay, 'GET', '/apps/%00')).toMatchObject(unauthorised)
    const withToken = { ...json, ...bearer(adminToken) }
    expect(await ask(relay, 'POST', '/apps', { headers: withToken, body: '{}' })).toMatchObject(invalid(422))
  })

  test('a megabyte is refused, whoever sends it', async () => {
    await using relay = await openRelay({ adminToken })
    const { appId, signingSecret } = await createAppByToken(relay, 'https://shop.example/')
    const body = JSON.stringify({ targetUrl: `https://shop.example/${'x'.repeat(1024 * 1024)}` })
    for (const [method, path, secret] of [
      ['POST', '/apps', adminToken],
      ['PATCH', `/apps/${appId}`, signingSecret],
      ['POST', `/v1/apps/${appId}/replay`, signingSecret],
    ] as const) {
      const headers = { ...json, ...bearer(secret) }
      expect(await ask(relay, method, path, { headers, body })).toMatchObject(invalid(413))
      const chunked = { headers, body: new Blob([body]).stream(), duplex: 'half' } as const
      expect(await ask(relay, method, path, chunked)).toMatchObject(invalid(413))
    }
  })

  test('that does not say how long it is no more than the limit is read, and what is short is taken', async () => {
    await using relay = await openRelay({ adminToken })
    const head = [
      'POST /apps HTTP/1.1',
      'Host: relay.example',
      `Authorization: Bearer ${adminToken}`,
      'Content-Type: application/json',
      'Transfer-Encoding: chunked',
    ].join('\r\n')
    const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`
    // It has no end: whoever waited for one would never answer.
    const endless = `${head}\r\n\r\n${chunk('{"targetUrl":"')}${chunk('x'.repeat(1_000)).repeat(70)}`
    const answer = await talk(relay.url, endless, /"code":"\w+"/)
    expect([statusOf(answer), answer]).toEqual([413, expect.stringContaining('MPESA_STK_RELAY_REQUEST_INVALID')])
    const short = `${head}\r\n\r\n${chunk('{"targetUrl":')}${chunk('"https://shop.example/"}')}0\r\n\r\n`
    expect(statusOf(await talk(relay.url, short))).toBe(201)
  })

  test.each([
    ['text/plain', 'text/plain'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['parts', 'multipart/form-data; boundary=x'],
    ['something like JSON', 'application/json-seq'],
    ['a list', 'text/plain, application/json'],
    ['nothing', null],
  ])('whose body says %s the body is not ignored: nothing is changed', async (_what, type) => {
    await using relay = await openRelay()
    const app = await relay.createApp('https://shop.example/')
    const init = {
      headers: { ...(type !== null && { 'content-type': type }), ...bearer(app.signingSecret) },
      // Bytes: of a text fetch would say by itself that it is one.
      body: Buffer.from('{"overlapMs":0}'),
    }
    const before = await relay.storage.findApp(app.appId)
    for (const [method, path] of [
      ['POST', `/apps/${app.appId}/rotate-signing-secret`],
      ['PATCH', `/apps/${app.appId}`],
      ['POST', `/v1/apps/${app.appId}/replay`],
    ] as const) {
      expect(await ask(relay, method, path, init)).toMatchObject(invalid(415))
    }
    expect(await relay.storage.findApp(app.appId)).toEqual(before)
    expect(await relay.storage.listReplays(app.appId, 10)).toEqual([])
  })

  test('to rotate a secret no body is needed: then both secrets sign for a while', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url)
    const path = `/apps/${app.appId}/rotate-signing-secret`
    const rotated = await ask(relay, 'POST', path, { headers: bearer(app.signingSecret) })
    expect(rotated.status).toBe(200)
    await relay.post(app.hookUrl, paid('ws_CO_1'))
    await sink.have(1)
    expect(sink.delivered[0]?.headers['x-mpesa-signature']).toMatch(/^sha256=\w{64},sha256=\w{64}$/)
  })
})

describe('an id that is none', () => {
  const ids = ['%00', 'nobody%00', '%20', 'no%20body', '%0A', '%F0%9F%92%B0', 'x'.repeat(300)]
  const routes: readonly (readonly [string, (id: string, appId: string) => string])[] = [
    ['GET', id => `/apps/${id}`],
    ['PATCH', id => `/apps/${id}`],
    ['DELETE', id => `/apps/${id}`],
    ['POST', id => `/apps/${id}/rotate-signing-secret`],
    ['GET', id => `/apps?before=${id}`],
    ['GET', id => `/v1/events/${id}`],
    ['POST', id => `/v1/events/${id}/replay`],
    ['GET', id => `/v1/apps/${id}/events`],
    ['GET', (id, appId) => `/v1/apps/${appId}/events?before=${id}`],
    ['POST', id => `/v1/apps/${id}/replay`],
    ['GET', id => `/v1/apps/${id}/replays`],
    ['GET', (id, appId) => `/v1/apps/${appId}/replays/${id}`],
    ['POST', (id, appId) => `/v1/apps/${appId}/replays/${id}/cancel`],
    ['GET', id => `/v1/quarantine?before=${id}`],
    ['GET', (id, appId) => `/status/${id}?app_id=${appId}`],
    ['GET', id => `/status/ws_CO_1?app_id=${id}`],
  ]

  test.each(relayStores)('on %s: is refused with a stable code, and the store never sees it', async (_name, open) => {
    await using storage = await open()
    await using relay = await openRelay({ ...storage.options, adminToken })
    const { appId } = await createAppByToken(relay, 'https://shop.example/')
    for (const [method, path] of routes) {
      for (const id of ids) {
        const body = method === 'PATCH' ? '{}' : null
        const headers = { ...bearer(adminToken), ...(body !== null && json) }
        const { status, code } = await ask(relay, method, path(id, appId), { headers, body })
        expect([method, path(id.slice(0, 20), 'APP'), { status, code }]).toEqual([
          method,
          path(id.slice(0, 20), 'APP'),
          invalid(422),
        ])
      }
    }
    expect(relay.log()).not.toContain('a request failed')
  })

  test.each(relayStores)('on %s: that no text can be made of is one of nobody', async (_name, open) => {
    await using storage = await open()
    await using relay = await openRelay({ ...storage.options, adminToken })
    const { appId } = await createAppByToken(relay, 'https://shop.example/')
    const headers = bearer(adminToken)
    for (const id of ['%ED%A0%80', '%', '%zz', '%C3', "'--", '..%2f..']) {
      for (const path of [`/apps/${id}`, `/v1/events/${id}`, `/status/${id}?app_id=${appId}`]) {
        const { status, code } = await ask(relay, 'GET', path, { headers })
        expect([path, status, code]).toEqual([path, 404, 'MPESA_STK_RELAY_NOT_FOUND'])
      }
    }
    expect(relay.log()).not.toContain('a request failed')
  })

  test.each(['/apps/\0', '/apps/a b', '/v1/events/\0', '/status/\0?app_id=x', '/v1/quarantine?before=\0'])(
    'written as it is is no HTTP: %j',
    async path => {
      await using relay = await openRelay()
      const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`
      expect(statusOf(await talk(relay.url, request))).toBe(400)
    },
  )
})

describe('the log of a relay', () => {
  const phone = '254708374149'
  const checkoutId = `ws_CO_17082026101513${phone}`
  const stk = (changes: object): string => {
    const Item = [
      { Name: 'Amount', Value: 500 },
      { Name: 'MpesaReceiptNumber', Value: 'UHH0AB12CD' },
      { Name: 'PhoneNumber', Value: Number(phone) },
    ]
    const stkCallback = {
      MerchantRequestID: 'm',
      CheckoutRequestID: checkoutId,
      ...changes,
      CallbackMetadata: { Item },
    }
    return JSON.stringify({ Body: { stkCallback } })
  }

  test('names an app by its mark through a whole life, and holds no id, secret or number', async () => {
    await using sink = await openSink()
    await using sqlite = Object.assign(await SqliteRelayAdapter.open(':memory:'), {
      [Symbol.asyncDispose]: () => sqlite.close(),
    })
    await sqlite.migrate()
    const { storage, set } = createTroubledStorage(sqlite)
    await using relay = await openRelay({ storage, quarantineBudgetBytes: 4_000 })
    const app = await relay.createApp(sink.url, { scheduleMs: [] })
    const { logMark } = await relay.read<{ readonly logMark: string }>(`/apps/${app.appId}`)
    expect(logMark).toMatch(/^[0-9a-f]{8}$/)
    expect(app.appId).not.toContain(logMark)

    // A callback, one that contradicts it, and both die at an endpoint that quotes what it was sent.
    sink.answer((_request, response, { body }) => void response.writeHead(404).end(body))
    await relay.post(`${app.hookUrl}/t/the-callback-token`, stk({ ResultCode: 0 }))
    await sink.have(1)
    await relay.post(`${app.hookUrl}/t/the-callback-token`, stk({ ResultCode: 1, ResultDesc: `no ${phone}` }))
    await sink.have(2)
    await relay.app.relay.deliveries.idle()

    // Asked whether somebody may pay.
    sink.answer((_request, response) => void response.end('{"ResultCode":"0"}'))
    await relay.post(`${app.hookUrl}/c2b/validation`, JSON.stringify({ TransID: 'UHH0AB12CD', MSISDN: phone }))

    // What is nobody's event: within the budget, over it, and for an app that there is not.
    for (const length of [2_000, 2_000]) await relay.post(app.hookUrl, `${phone} ${'x'.repeat(length)}`)
    for (const length of [2_000, 2_000]) await relay.post(`/hooks/${phone}`, 'x'.repeat(length))

    // Replays, one and many.
    const eventId = sink.delivered[0]?.headers['x-mpesa-event-id']
    const delivered = sink.delivered.length
    await relay.post(`/v1/events/${eventId}/replay`, '')
    await sink.have(delivered + 1)
    await relay.app.relay.deliveries.idle()
    await relay.post(`/v1/apps/${app.appId}/replay`, '{}', json)
    await sink.have(delivered + 2)

    // A store that is away: for a callback, for who asks, and for a validation.
    set('fails')
    relay.app.relay.apps.forget(app.appId)
    expect((await relay.get(`/apps/${app.appId}`)).status).toBe(503)
    expect((await relay.get(`/status/${checkoutId}?app_id=${app.appId}`)).status).toBe(503)
    await relay.post(app.hookUrl, stk({ ResultCode: 17 }))
    set('none')
    await expect.poll(() => relay.app.relay.spool.isEmpty).toBe(true)

    // Another secret, an endpoint that is gone, and the end.
    const rotate = `/apps/${app.appId}/rotate-signing-secret`
    const { body } = await ask(relay, 'POST', rotate, { headers: bearer(app.signingSecret) })
    const { signingSecret = 'none' } = body as Partial<App>
    sink.answer((_request, response) => void response.writeHead(410).end())
    const before = sink.delivered.length
    await relay.post(app.hookUrl, JSON.stringify(failedBody(`${checkoutId}9`, 1032)))
    await sink.have(before + 1)
    await relay.app.relay.deliveries.idle()
    const headers = bearer(signingSecret)
    expect(await ask(relay, 'DELETE', `/apps/${app.appId}`, { headers })).toMatchObject({ status: 200 })
    await relay.app.stop()

    const log = relay.log()
    const lines = log.split('\n')
    for (const message of [
      'alert: contradiction',
      'alert: delivery.dead',
      'alert: endpoint.disabled',
      'a C2B validation was answered',
      'a body that is nobody’s event was not kept',
    ]) {
      const naming = lines.filter(line => line.startsWith(message) && line.includes(`":"${logMark}"`))
      expect([message, naming.length > 0]).toEqual([message, true])
    }
    for (const message of [
      'the store did not take a callback',
      'a request failed',
      'what had waited on the local disk',
    ]) {
      expect(log).toContain(message)
    }
    const encryptionKey = readFileSync(join(relay.folder, 'encryption-key'), 'utf8').trim()
    for (const secret of [
      ...[app.appId, app.sourceId, app.signingSecret, app.streamSecret, signingSecret, encryptionKey],
      ...['the-callback-token', phone, phone.slice(3), checkoutId],
    ]) {
      expect(log).not.toContain(secret)
    }
    expect(findPrivateData(log)).toEqual([])
  })
})
