import { createHmac } from 'node:crypto'
import { verifySignature } from 'mpesa-stk/server'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSink, type Sink } from '../relay/relay-floor.ts'
import { checkoutRequestIdOf, findCustomer, paidByCustomer, wanjiku } from './customer.ts'
import { forgeTokens } from './forge-token.ts'
import { PlainClient } from './plain-client.ts'
import { openStreamRelay, type StreamApp, type StreamRelay } from './stream-floor.ts'
import { type Holdings, holdAll, neighbour, origin } from './what-a-page-holds.ts'

// Somebody has all that a web page can hold, and tries everything else with it. Each attempt is a row that says what it gets.

let relay: StreamRelay
let sink: Sink
let app: StreamApp
/** Another merchant on the same relay, and his page's token. */
let other: StreamApp
let otherToken: string
let page: Holdings
/** A customer of the same merchant, whose payment is nobody else's business. */
const theirs = { paymentId: 'pay_theirs', checkoutRequestId: checkoutRequestIdOf(neighbour) }
const theirUnreported = checkoutRequestIdOf(neighbour, '24112026101502888')
let theirStreams: readonly string[]
let otherCursor: string

beforeAll(async () => {
  relay = await openStreamRelay()
  sink = await openSink()
  app = await relay.createApp({ targetUrl: sink.url })
  other = await relay.createApp({ targetUrl: sink.url })
  await app.link.reportPending({ ...theirs, amount: 500 })
  await relay.pay(app, { checkoutRequestId: theirs.checkoutRequestId, receipt: 'UHH0AB12D1', customer: neighbour })
  await relay.pay(app, { checkoutRequestId: theirUnreported, receipt: 'UHH0AB12D2', customer: neighbour })
  const { streams } = await app.link.mintToken({ streams: [], checkoutRequestIds: [theirUnreported] })
  theirStreams = [`payment:${theirs.paymentId}`, ...streams, 'source']
  await other.link.reportPending({ paymentId: 'pay_mine', checkoutRequestId: 'ws_CO_other', amount: 1 })
  otherToken = (await other.link.mintToken({ streams: ['payment:pay_mine', 'source'] })).token
  using elsewhere = await PlainClient.open(relay.url, { token: otherToken })
  elsewhere.send({ type: 'subscribe', id: 1, stream: 'payment:pay_mine' })
  otherCursor = String((await elsewhere.until(({ type }) => type === 'event'))['cursor'])
  page = await holdAll(relay, app)
})
afterAll(async () => {
  await relay?.[Symbol.asyncDispose]()
  await sink?.[Symbol.asyncDispose]()
})

/** What somebody wants, and the request that would do it. */
type Attempt = readonly [string, string, () => string, () => object | undefined]

/** What a page can send as a secret: everything that a header takes. */
const bearers = (): readonly (readonly [string, string])[] =>
  [...page.words, ['another app’s token', otherToken] as const].filter(([, word]) => /^[\x21-\x7e]{1,4000}$/.test(word))

const eventsOf = async ({ appId }: StreamApp): Promise<number> =>
  (await relay.read<{ events: unknown[] }>(`/v1/apps/${appId}/events?limit=100`)).events.length

/** For each, some at once. */
async function all<Row, Answer>(rows: readonly Row[], work: (row: Row) => Promise<Answer>): Promise<readonly Answer[]> {
  const answers: Answer[] = []
  for (let from = 0; from < rows.length; from += 16) {
    answers.push(...(await Promise.all(rows.slice(from, from + 16).map(work))))
  }
  return answers
}

/** As a page's browser asks. */
const ask = (method: string, path: string, headers: Record<string, string>, body?: string): Promise<Response> =>
  fetch(relay.url + path, {
    method,
    headers: { origin, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body }),
  })

describe('whoever has all that a page holds', () => {
  test('has enough of it that these attempts mean something', () => {
    expect([page.streams.length, page.heard.length > 10, page.words.size > 40]).toEqual([2, true, true])
    expect(page.heard.join('')).toContain('UHH0AB12C1')
    expect(page.heard.join('')).toContain('UHH0AB12C2')
  })

  test('does not learn the customer’s number, a CheckoutRequestID, the app’s id or its signing secret', () => {
    const all = [...page.heard, ...page.words.values()]
    expect(findCustomer(all, wanjiku, [page.checkoutRequestId, app.appId, app.signingSecret, app.hookUrl])).toEqual([])
    expect(findCustomer(all, neighbour, [theirs.checkoutRequestId])).toEqual([])
  })

  test('cannot post a callback: no word that it has is, or leads to, a hook', async () => {
    const before = [await eventsOf(app), await eventsOf(other), sink.delivered.length]
    const body = JSON.stringify(paidByCustomer({ checkoutRequestId: 'ws_CO_forged', receipt: 'UHH0AB12FF' }))
    const ids = new Set([...page.words.values()].filter(word => word.length <= 200).map(encodeURIComponent))
    const suffixes = ['', `/t/${page.paymentId}`, '/c2b/confirmation', '/c2b/validation']
    await all(
      [...ids].flatMap(id => suffixes.map(suffix => `/hooks/${id}${suffix}`)),
      async path => {
        const response = await ask('POST', path, {}, body)
        await response.arrayBuffer()
        // Kept aside for the operator, as anything is that is posted to nobody.
        expect([200, 404]).toContain(response.status)
      },
    )
    // One that is good passes by all that was forged, had any of it been taken.
    await relay.pay(other, { checkoutRequestId: 'ws_CO_good', receipt: 'UHH0AB12AA' })
    await sink.have(Number(before[2]) + 1)
    expect([await eventsOf(app), await eventsOf(other), sink.delivered.length]).toEqual([
      before[0],
      Number(before[1]) + 1,
      Number(before[2]) + 1,
    ])
    expect(sink.delivered.map(({ body: each }) => each).join('')).not.toContain('forged')
  })

  test('cannot sign a webhook', () => {
    const body = JSON.stringify(paidByCustomer({ checkoutRequestId: 'ws_CO_forged' }))
    const accepted = [...page.words].filter(([, word]) =>
      ['sha256', 'sha512'].some(hash =>
        (['hex', 'base64', 'base64url'] as const).some(encoding => {
          const digest = createHmac(hash, word).update(body).digest(encoding)
          return [digest, `sha256=${digest}`].some(signature => verifySignature(body, app.signingSecret, signature))
        }),
      ),
    )
    expect(accepted).toEqual([])
  })

  test.each<Attempt>([
    ['change the target', 'PATCH', () => `/apps/${app.appId}`, () => ({ targetUrl: 'https://thief.example/' })],
    ['disable the app', 'PATCH', () => `/apps/${app.appId}`, () => ({ isDisabled: true })],
    ['open its streams', 'PATCH', () => `/apps/${app.appId}`, () => ({ publicStreams: true, allowedOrigins: null })],
    ['make an app', 'POST', () => '/apps', () => ({ targetUrl: 'https://thief.example/' })],
    ['delete the app', 'DELETE', () => `/apps/${app.appId}`, () => undefined],
    ['rotate the signing secret', 'POST', () => `/apps/${app.appId}/rotate-signing-secret`, () => ({})],
    ['rotate the stream secret', 'POST', () => `/apps/${app.appId}/rotate-stream-secret`, () => undefined],
    ['see the app', 'GET', () => `/apps/${app.appId}`, () => undefined],
    ['list the apps', 'GET', () => '/apps', () => undefined],
    ['list events', 'GET', () => `/v1/apps/${app.appId}/events`, () => undefined],
    ['read the log', 'GET', () => `/v1/apps/${app.appId}/log?deliveries=1`, () => undefined],
    ['read the quarantine', 'GET', () => '/v1/quarantine', () => undefined],
    ['mint a token', 'POST', () => '/v1/tokens', () => ({ appId: app.appId, streams: ['source'] })],
    ['mint one by sourceId', 'POST', () => '/v1/tokens', () => ({ appId: app.sourceId, streams: ['source'] })],
    ['take back tokens', 'POST', () => '/v1/tokens/revoke', () => ({ appId: app.appId, subject: 'session-1' })],
    ['clear the stream', 'POST', () => `/v1/apps/${app.appId}/stream/clear`, () => undefined],
    [
      'report a payment as paid',
      'POST',
      () => '/v1/events',
      () => ({ appId: app.appId, events: [{ type: 'payment.settled', paymentId: page.paymentId, status: 'SUCCESS' }] }),
    ],
  ])('cannot %s', async (_what, method, path, body) => {
    const json = body()
    const answers = await all([['nothing', ''] as const, ...bearers()], async ([what, word]) => {
      const headers = word === '' ? {} : { authorization: `Bearer ${word}` }
      const response = await ask(method, path(), headers, json === undefined ? undefined : JSON.stringify(json))
      const { error } = (await response.json()) as { error?: { code: string } }
      return { what, status: response.status, code: error?.code }
    })
    expect(answers.length).toBeGreaterThan(40)
    expect(answers).toEqual(answers.map(({ what }) => ({ what, status: 401, code: 'MPESA_STK_RELAY_UNAUTHORISED' })))
  })

  test('gets nothing from any route of /openapi.json by any method, though it knew every id', async () => {
    type Routes = { readonly paths: Readonly<Record<string, object>> }
    const { paths } = (await (await fetch(`${relay.url}/openapi.json`)).json()) as Routes
    const { events } = await relay.read<{ events: { eventId: string }[] }>(`/v1/apps/${app.appId}/events`)
    const ids: Readonly<Record<string, string | undefined>> = {
      appId: app.appId,
      eventId: events[0]?.eventId,
      id: events[0]?.eventId,
      checkoutRequestId: theirs.checkoutRequestId,
      stream: theirStreams[0],
    }
    // Nothing is there for everybody but whether the relay lives.
    const open = new Set(['/health', '/healthz', '/ready', '/readyz', '/livez', '/openapi.json'])
    const got = new Set<string>()
    const credentials = [
      { authorization: '' },
      ...[page.token, page.pushToken, otherToken, app.streamSecret, app.sourceId].map(word => ({
        authorization: `Bearer ${word}`,
      })),
      { authorization: `Basic ${Buffer.from(`${app.sourceId}:${app.streamSecret}`).toString('base64')}` },
      { authorization: '', cookie: `token=${page.token}`, 'x-forwarded-for': '127.0.0.1', 'x-admin-token': page.token },
    ]
    expect(Object.keys(paths).length).toBeGreaterThan(15)
    for (const path of Object.keys(paths)) {
      if (open.has(path)) continue
      const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(ids[name] ?? 'x'))
      for (const method of ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']) {
        const body = ['GET', 'DELETE'].includes(method) ? undefined : JSON.stringify({ appId: app.appId })
        await all(credentials, async headers => {
          const inUrl = `app_id=${app.appId}&token=${page.token}&source_id=${app.sourceId}&secret=${app.streamSecret}`
          const response = await ask(method, `${filled}?${inUrl}`, headers, body)
          await response.arrayBuffer()
          if (response.status < 400) got.add(`${method} ${path}`)
        })
      }
    }
    // The old route for whoever knows the id of the app and of the push: no page has either.
    expect([...got]).toEqual(['GET /status/{checkoutRequestId}'])
  })

  test('cannot ask how another payment stands: that needs the id of the app', async () => {
    for (const [, word] of page.words) {
      const path = `/status/${theirs.checkoutRequestId}?app_id=${encodeURIComponent(word.slice(0, 200))}`
      expect((await ask('GET', path, {})).status).not.toBe(200)
    }
  })

  test('finds nobody in the numbers, where a proxy let it see them', async () => {
    const text = await (await ask('GET', '/metrics', {})).text()
    expect(text).toContain('relay_')
    expect(
      findCustomer([text], neighbour, [app.appId, app.sourceId, theirs.paymentId, theirs.checkoutRequestId]),
    ).toEqual([])
  })

  test('cannot make a token that is taken, by any way of a forger', async () => {
    const wanted = { streams: ['source', ...theirStreams], actions: ['read', 'ack'] }
    const short = new Map([...page.words].filter(([, word]) => word.length <= 400))
    const forged = [page.token, page.pushToken]
      .flatMap(given => [...forgeTokens(given, short, wanted)])
      .filter(({ token }) => /^[\x21-\x7e]+$/.test(token))
    expect(forged.length).toBeGreaterThan(300)
    const answers = await all(forged, async ({ how, token }) => {
      const response = await ask('GET', '/v1/streams/source/events?wait=0', { authorization: `Bearer ${token}` })
      return [how, response.status, await response.text()] as const
    })
    expect(answers.filter(([, status]) => status !== 401)).toEqual([])
  })

  test.each([
    ['unsigned', 'alg none, signature ""'],
    ['keyed by the stream secret', 'HS256 keyed by streamSecret'],
    ['by a key of his own', 'a key of his own by jwk'],
    ['with other claims', 'claims replaced'],
  ])('is closed out by the socket with a token %s', async (_what, how) => {
    const forged = [...forgeTokens(page.token, page.words, { streams: ['source'] })].find(each => each.how === how)
    using client = await PlainClient.open(relay.url, { token: forged?.token ?? '' }, { origin })
    expect(client.of('error')).toMatchObject([{ code: 'token_invalid', retry: 'token' }])
    await expect.poll(() => client.closed).toBe(4401)
  })

  test.each([
    ['the stream secret, where pages need a token', () => app.streamSecret, 'secret_not_for_pages', 4403],
    ['the token as the secret', () => page.token, 'secret_invalid', 4401],
    ['another app’s stream secret', () => other.streamSecret, 'secret_invalid', 4401],
    // No page has it; one that did were refused all the same.
    ['the signing secret, from a page', () => app.signingSecret, 'secret_not_for_pages', 4403],
  ] as const)('is not let in by %s', async (_what, secret, code, close) => {
    using client = await PlainClient.open(relay.url, { sourceId: app.sourceId, secret: secret() }, { origin })
    expect(client.of('error')).toMatchObject([{ code, retry: 'never' }])
    await expect.poll(() => client.closed).toBe(close)
  })

  test('cannot read another payment, by its name or by guessing one', async () => {
    using client = await PlainClient.open(relay.url, { token: page.token }, { origin })
    const guesses = [...page.words.values()].flatMap(key =>
      [theirs.checkoutRequestId, theirUnreported].map(
        id => `payment:h_${createHmac('sha256', key).update(id).digest('base64url').slice(0, 27)}`,
      ),
    )
    const tricks = [
      '*',
      'payment:',
      'payment:*',
      'payment:%',
      'payment:pay_mine,source',
      'payment:pay_mine\0',
      '__proto__',
    ]
    const named = [
      `payment:${theirs.checkoutRequestId}`,
      `payment:../${theirs.paymentId}`,
      ` payment:${theirs.paymentId}`,
      `PAYMENT:${theirs.paymentId}`,
      `payment:PAY_MINE`,
      `payment:${page.checkoutRequestId}`,
      page.streams[1] ?? '',
    ]
    let id = 0
    const answers: unknown[] = []
    for (const stream of [...theirStreams, ...named, ...tricks, ...new Set(guesses)]) {
      const answer = await client.ask({ type: 'subscribe', id: ++id, stream, from: 'start' })
      const isRefused = answer.type === 'error' && /^stream_(?:refused|unknown)$/.test(String(answer['code']))
      if (!isRefused) answers.push([stream, answer])
    }
    expect(answers).toEqual([])
    for (const stream of theirStreams) {
      expect(await client.ask({ type: 'subscribe', id: ++id, stream })).toMatchObject({ code: 'stream_refused' })
      const path = `/v1/streams/${encodeURIComponent(stream)}/events?wait=0`
      expect((await ask('GET', path, { authorization: `Bearer ${page.token}` })).status).toBe(403)
    }
    expect([client.of('event'), client.closed]).toEqual([[], null])
  })

  test('cannot widen a connection by another token', async () => {
    const source = (
      await app.link.mintToken({ streams: ['source', ...theirStreams.slice(0, 1)], subject: 'session-1' })
    ).token
    const ofOthers = (
      await app.link.mintToken({ streams: [`payment:${page.paymentId}`, 'source'], subject: 'session-2' })
    ).token
    using client = await PlainClient.open(relay.url, { token: page.token }, { origin })
    expect(await client.ask({ type: 'refresh', token: source })).toMatchObject({ type: 'ready' })
    for (const [index, stream] of theirStreams.entries()) {
      expect(await client.ask({ type: 'subscribe', id: index, stream })).toMatchObject({ code: 'stream_refused' })
    }
    for (const token of [ofOthers, otherToken, `${source}x`]) {
      using another = await PlainClient.open(relay.url, { token: page.token }, { origin })
      expect(await another.ask({ type: 'refresh', token })).toMatchObject({ type: 'error', code: 'token_invalid' })
    }
    expect(client.of('event')).toEqual([])
  })

  test('gets nothing by another app’s token or cursor', async () => {
    using client = await PlainClient.open(relay.url, { token: page.token }, { origin })
    client.send({ type: 'subscribe', id: 1, stream: `payment:${page.paymentId}`, from: otherCursor })
    await client.until(({ type }) => type === 'live')
    // A cursor of no log of his: something is missing, and then his own payment from the beginning.
    expect(client.of('gap')).toMatchObject([{ reason: 'restored' }])
    const ids = new Set(client.of('event').map(({ event }) => (event as { paymentId: string }).paymentId))
    expect(ids).toEqual(new Set([page.paymentId]))
    using elsewhere = await PlainClient.open(relay.url, { token: otherToken }, { origin })
    elsewhere.send({ type: 'subscribe', id: 1, stream: 'payment:pay_mine' })
    await elsewhere.until(({ type }) => type === 'live')
    // The same name of another app's payment is another payment.
    expect(elsewhere.heard.join('')).not.toContain('UHH0AB12C1')
    for (const cursor of ['0', '-1', '1e9', `${otherCursor}.x`, "' OR 1=1 --", 'x'.repeat(3_000)]) {
      const answer = await client.ask({ type: 'subscribe', id: 2, stream: `payment:${page.paymentId}`, from: cursor })
      if (answer.type === 'subscribed') await client.until(({ type, id }) => type === 'live' && id === 2)
      else expect(answer).toMatchObject({ type: 'error', code: 'cursor_invalid' })
      client.send({ type: 'unsubscribe', id: 2 })
    }
    expect(findCustomer([...client.heard, ...elsewhere.heard], neighbour, [theirs.checkoutRequestId])).toEqual([])
  })

  test('cannot use a token in a URL, nor one whose time is over for its subject', async () => {
    for (const name of ['token', 'access_token', 'authorization', 'auth']) {
      const response = await fetch(`${relay.url}/v1/streams/${page.streams[0]}/events?wait=0&${name}=${page.token}`)
      expect(response.status).toBe(401)
    }
    const { token, tokenId } = await app.link.mintToken({ streams: ['source'], subject: 'staff' })
    using staff = await PlainClient.open(relay.url, { token })
    await app.link.revokeTokens({ tokenId })
    await staff.until(({ code }) => code === 'token_revoked')
    await expect.poll(() => staff.closed).toBe(4401)
    using again = await PlainClient.open(relay.url, { token })
    expect(again.of('error')).toMatchObject([{ code: 'token_revoked' }])
  })

  test('leaves no token, secret or number in what the relay writes', () => {
    const secrets = [
      page.token,
      page.pushToken,
      otherToken,
      app.streamSecret,
      app.signingSecret,
      page.checkoutRequestId,
    ]
    expect(secrets.filter(secret => relay.log().includes(secret))).toEqual([])
    expect(findCustomer([relay.log()], wanjiku, [])).toEqual([])
  })
})
