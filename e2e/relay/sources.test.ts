import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRelayServer, SqliteRelayAdapter } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { paidBody } from '../callback-bodies.ts'
import { openRelay, openSink, type QuarantinePage } from './relay-floor.ts'
import { startRelay } from './relay-process.ts'
import { relayStores } from './relay-stores.ts'
import { openProxy, postFrom } from './reverse-proxy.ts'
import { createTroubledStorage } from './troubled-storage.ts'

const safaricom = '127.0.0.7'
const stranger = '127.0.0.9'
const innerProxy = '127.0.0.51'
const outerProxy = '127.0.0.52'
const acknowledged = { status: 200, text: '{"ResultCode":0,"ResultDesc":"Success"}' }
const paid = (id: string): string => JSON.stringify(paidBody(id, 'UHH0AB12CD'))

type SourcePage = {
  readonly mode: string
  readonly sources: readonly {
    readonly address: string
    readonly isKnown: boolean
    readonly listing: string | null
    readonly callbacks: number
  }[]
}

const enforced = { sourceAllowList: 'enforce', sourceAddresses: [safaricom, '::1'] } as const
const behindProxies = { ...enforced, trustedProxies: [innerProxy, outerProxy] }

describe.each(relayStores)('on %s', (_store, openStore) => {
  test('what comes from an address that is not known is kept in the quarantine, and never delivered, where it is enforced', async () => {
    await using store = await openStore()
    await using sink = await openSink()
    await using relay = await openRelay({ ...enforced, ...store.options })
    const { appId, hookUrl } = await relay.createApp(sink.url)
    const hook = `${relay.url}${hookUrl}`
    expect(await postFrom(stranger, hook, paid('ws_CO_1'))).toEqual(acknowledged)
    expect(await postFrom(stranger, `${hook}/t/token`, paid('ws_CO_1'))).toEqual(acknowledged)
    expect(await postFrom(stranger, `${hook}/c2b/confirmation`, paid('ws_CO_1'))).toEqual(acknowledged)
    // Of the same payment: what the stranger said first must neither absorb it nor be contradicted by it.
    expect(await postFrom(safaricom, hook, paid('ws_CO_1'))).toEqual(acknowledged)
    await sink.have(1)
    await relay.app.relay.deliveries.idle()
    expect(sink.delivered).toHaveLength(1)
    expect(sink.delivered[0]?.headers['x-mpesa-contradicts']).toBeUndefined()
    const { bodies } = await relay.read<QuarantinePage>('/v1/quarantine')
    expect(bodies).toHaveLength(3)
    for (const body of bodies) {
      expect(body).toMatchObject({ appId, reason: 'unknown-source', detail: `from ${stranger}` })
      const whole = await relay.read<{ bodyBase64: string }>(`/v1/quarantine/${body.id}`)
      expect(whole.bodyBase64).toBe(Buffer.from(paid('ws_CO_1')).toString('base64'))
    }
    expect(await relay.storage.listEvents(appId, {}, 10)).toHaveLength(1)
    expect(relay.log()).toContain('alert: source.held')
  })

  test('what was spooled while the store was away is judged by when it came, whatever is set afterwards', async () => {
    await using store = await openStore()
    await using sink = await openSink()
    const own = store.options.storage ?? (await SqliteRelayAdapter.open(':memory:'))
    await own.migrate()
    const { storage, set } = createTroubledStorage(own)
    await using relay = await openRelay({ ...enforced, storage, workers: 'manual' })
    const { appId, hookUrl } = await relay.createApp(sink.url)
    set('fails')
    const hook = `${relay.url}${hookUrl}`
    expect(await postFrom(stranger, hook, paid('ws_CO_1'))).toEqual(acknowledged)
    expect(await postFrom(safaricom, hook, paid('ws_CO_2'))).toEqual(acknowledged)
    await relay.app.stop()
    set('none')
    await using next = await openNext(storage, relay.folder)
    await next.server.start()
    await sink.have(1)
    expect(sink.delivered[0]?.body).toContain('ws_CO_2')
    await expect.poll(() => next.server.relay.spool.isEmpty).toBe(true)
    expect(await own.listQuarantine(null, 10)).toMatchObject([
      { appId, reason: 'unknown-source', detail: `from ${stranger}` },
    ])
    expect(await own.listEvents(appId, {}, 10)).toHaveLength(1)
  })
})

/** Another relay on the same folder, which enforces nothing. */
async function openNext(storage: Parameters<typeof createRelayServer>[0]['storage'], dataFolder: string) {
  const logger = { info() {}, warn() {}, error() {} }
  const server = createRelayServer({
    storage,
    dataFolder,
    logger,
    allowPrivateTargets: true,
    workers: 'manual',
    sourceAllowList: 'off',
  })
  return { server, [Symbol.asyncDispose]: () => server.stop() }
}

describe('behind proxies', () => {
  test('the source is whom the outermost of ours heard from, whatever he wrote before', async () => {
    await using sink = await openSink()
    await using relay = await openRelay(behindProxies)
    const { hookUrl } = await relay.createApp(sink.url)
    await using inner = await openProxy({ to: relay.url, from: innerProxy })
    await using outer = await openProxy({ to: inner.url, from: outerProxy })
    let last = 0
    const post = async (from: string, url: string, headers: Record<string, string> = {}): Promise<void> =>
      expect(await postFrom(from, `${url}${hookUrl}`, paid(`ws_CO_${++last}`), headers)).toEqual(acknowledged)
    for (const url of [relay.url, inner.url, outer.url]) {
      await post(safaricom, url)
      await post(stranger, url)
      for (const header of [safaricom, `${safaricom}, ${innerProxy}`, `${safaricom}, unknown`, ',,,', '\xff']) {
        await post(stranger, url, { 'x-forwarded-for': header })
      }
      await post(stranger, url, { forwarded: `for=${safaricom}` })
      await post(stranger, url, { forwarded: `for=${safaricom}`, 'x-forwarded-for': safaricom })
      await post(safaricom, url, { 'x-forwarded-for': stranger })
    }
    await sink.have(6)
    await relay.app.relay.deliveries.idle()
    expect(sink.delivered).toHaveLength(6)
    const { bodies } = await relay.read<QuarantinePage>('/v1/quarantine?limit=500')
    expect(bodies).toHaveLength(24)
    expect(new Set(bodies.map(({ reason }) => reason))).toEqual(new Set(['unknown-source']))
    const { mode, sources } = await relay.read<SourcePage>('/v1/sources')
    expect(mode).toBe('enforce')
    expect(sources.map(({ address, isKnown, callbacks }) => [address, isKnown, callbacks])).toEqual([
      [safaricom, true, 6],
      expect.anything(),
      expect.anything(),
    ])
    // A `Forwarded` that the proxies did not write says something else than what they wrote.
    expect(sources.slice(1).map(({ address, callbacks }) => [address, callbacks])).toEqual(
      expect.arrayContaining([
        [stranger, 20],
        ['unknown', 4],
      ]),
    )
    const metrics = await (await relay.get('/metrics')).text()
    expect(metrics).toContain('relay_callback_sources_total{known="true"} 6')
    expect(metrics).toContain('relay_callback_sources_total{known="false"} 24')
    expect(metrics).not.toContain(stranger)
  })

  test('that speak IPv6, or write Forwarded, it is the same', async () => {
    await using sink = await openSink()
    await using relay = await openRelay(behindProxies)
    const { hookUrl } = await relay.createApp(sink.url)
    await using six = await openProxy({ to: relay.url, from: innerProxy, host: '::1' })
    // Hears from IPv4 as ::ffff:127.0.0.7.
    await using dual = await openProxy({ to: relay.url, from: innerProxy, host: '::' })
    await using standard = await openProxy({
      to: relay.url,
      from: innerProxy,
      write: (headers, client) => ({ ...headers, forwarded: `for="${client}:4711";proto=http` }),
    })
    expect(await postFrom('::1', `${six.url}${hookUrl}`, paid('ws_CO_1'))).toEqual(acknowledged)
    expect(await postFrom(safaricom, `http://127.0.0.1:${dual.port}${hookUrl}`, paid('ws_CO_2'))).toEqual(acknowledged)
    expect(await postFrom(safaricom, `${standard.url}${hookUrl}`, paid('ws_CO_3'))).toEqual(acknowledged)
    await sink.have(3)
    expect(await postFrom(stranger, `http://127.0.0.1:${dual.port}${hookUrl}`, paid('ws_CO_4'))).toEqual(acknowledged)
    expect(await postFrom(stranger, `${standard.url}${hookUrl}`, paid('ws_CO_5'))).toEqual(acknowledged)
    const { sources } = await relay.read<SourcePage>('/v1/sources')
    expect(sources.map(({ address, callbacks }) => [address, callbacks])).toEqual([
      [safaricom, 2],
      ['::1', 1],
      [stranger, 2],
    ])
  })
})

test('observed, which is the default, all is taken, and counted by where it came from', async () => {
  await using sink = await openSink()
  await using relay = await openRelay({ sourceAddresses: [safaricom] })
  const { hookUrl } = await relay.createApp(sink.url)
  for (const from of [safaricom, stranger, stranger]) await postFrom(from, `${relay.url}${hookUrl}`, paid(from))
  await sink.have(2)
  expect(await relay.read<SourcePage>('/v1/sources')).toMatchObject({
    mode: 'observe',
    sources: [
      { address: safaricom, isKnown: true, listing: 'operator', callbacks: 1 },
      { address: stranger, isKnown: false, listing: null, callbacks: 2 },
    ],
  })
  expect(relay.log().match(/not known as Safaricom/g)).toHaveLength(1)
  expect(relay.log()).toContain(`{"source":"${stranger}"}`)
})

test('switched off, nobody looks', async () => {
  await using sink = await openSink()
  await using relay = await openRelay({ sourceAllowList: 'off' })
  const { hookUrl } = await relay.createApp(sink.url)
  await postFrom(stranger, `${relay.url}${hookUrl}`, paid('ws_CO_1'))
  await sink.have(1)
  expect(await relay.read<SourcePage>('/v1/sources')).toEqual({ mode: 'off', sources: [] })
  expect(relay.log()).not.toContain(stranger)
})

test('the sources are the operator’s to see, and described', async () => {
  await using sink = await openSink()
  await using relay = await openRelay({ adminToken: 'an-admin-token-of-some-length' })
  const seen = async (authorization: string) => (await relay.get('/v1/sources', { authorization })).status
  const made = await relay.post('/apps', JSON.stringify({ targetUrl: sink.url }), {
    authorization: 'Bearer an-admin-token-of-some-length',
    'content-type': 'application/json',
  })
  const { signingSecret } = (await made.json()) as { signingSecret: string }
  expect(await seen('Bearer an-admin-token-of-some-length')).toBe(200)
  expect(await seen(`Bearer ${signingSecret}`)).toBe(401)
  expect(await seen('')).toBe(401)
  expect(await relay.read('/openapi.json')).toMatchObject({ paths: { '/v1/sources': { get: {} } } })
})

test('a question of a stranger is refused without asking the merchant, whatever the fallback is', async () => {
  await using sink = await openSink()
  sink.answer((_request, response) => void response.writeHead(200).end('{"ResultCode":"0"}'))
  await using relay = await openRelay(enforced)
  const { hookUrl } = await relay.createApp(sink.url, { c2bFallback: 'accept' })
  const ask = async (from: string) =>
    JSON.parse((await postFrom(from, `${relay.url}${hookUrl}/c2b/validation`, '{"TransID":"UHH0AB12CD"}')).text)
  expect(await ask(stranger)).toEqual({ ResultCode: 'C2B00016', ResultDesc: 'Rejected' })
  expect(sink.delivered).toEqual([])
  expect(await ask(safaricom)).toEqual({ ResultCode: '0', ResultDesc: 'Accepted' })
  expect(sink.delivered).toHaveLength(1)
  const { sources } = await relay.read<SourcePage>('/v1/sources')
  expect(sources.map(({ callbacks }) => callbacks)).toEqual([1, 1])
})

describe('what the quarantine has no room for', () => {
  test('is not acknowledged: it may be true, and from an address that nobody has listed', async () => {
    await using sink = await openSink()
    await using relay = await openRelay({ ...enforced, quarantineBudgetBytes: 3_000 })
    const { hookUrl } = await relay.createApp(sink.url)
    const statuses: number[] = []
    for (const id of ['ws_CO_1', 'ws_CO_2', 'ws_CO_3']) {
      statuses.push((await postFrom(stranger, `${relay.url}${hookUrl}`, paid(id))).status)
    }
    expect(statuses).toEqual([200, 200, 503])
    expect((await postFrom(stranger, `${relay.url}${hookUrl}`, 'junk')).status, 'nobody’s event').toBe(200)
    expect((await relay.read<QuarantinePage>('/v1/quarantine')).bodies).toHaveLength(2)
  })

  test('and was acknowledged while the store was away stays on the disk', async () => {
    await using sink = await openSink()
    const own = await SqliteRelayAdapter.open(':memory:')
    await own.migrate()
    const { storage, set } = createTroubledStorage(own)
    await using relay = await openRelay({ ...enforced, storage, quarantineBudgetBytes: 3_000 })
    const { hookUrl } = await relay.createApp(sink.url)
    set('fails')
    for (const id of ['ws_CO_1', 'ws_CO_2', 'ws_CO_3']) {
      expect(await postFrom(stranger, `${relay.url}${hookUrl}`, paid(id))).toEqual(acknowledged)
    }
    set('none')
    await expect.poll(() => relay.app.relay.spool.isEmpty, { timeout: 10_000 }).toBe(true)
    expect(await own.listQuarantine(null, 10)).toHaveLength(2)
    expect(readdirSync(join(relay.folder, 'spool')).filter(name => name.startsWith('refused-'))).toHaveLength(1)
  })
})

describe('settings', () => {
  test.each([
    [{ sourceAllowList: 'on' as 'off' }, 'sourceAllowList'],
    [{ sourceAddresses: ['192.0.2.1', 'hunter2'] }, 'sourceAddresses'],
    [{ trustedProxies: ['0.0.0.0/0'] }, 'trustedProxies'],
  ])('%j are refused by name', async (options, name) => {
    await expect(openRelay(options)).rejects.toThrow(
      expect.objectContaining({
        code: 'MPESA_STK_CONFIG_INVALID',
        message: expect.stringMatching(new RegExp(`^${name} must be (?!.*hunter2)`)),
      }),
    )
  })

  test('of the environment are those of the relay', async () => {
    await using sink = await openSink()
    const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-sources-'))
    const relay = await startRelay({
      PORT: '0',
      RELAY_DATA_DIR: folder,
      RELAY_SOURCE_ALLOW_LIST: 'enforce',
      RELAY_SOURCE_ADDRESSES: `203.0.113.0/24, ${safaricom}`,
      RELAY_TRUSTED_PROXIES: innerProxy,
    })
    try {
      const made = await fetch(`${relay.url}/apps`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ targetUrl: sink.url }),
      })
      const { hookUrl } = (await made.json()) as { hookUrl: string }
      await using proxy = await openProxy({ to: relay.url, from: innerProxy })
      expect(await postFrom(stranger, `${proxy.url}${hookUrl}`, paid('ws_CO_1'))).toEqual(acknowledged)
      expect(await postFrom(safaricom, `${proxy.url}${hookUrl}`, paid('ws_CO_2'))).toEqual(acknowledged)
      await sink.have(1)
      expect(sink.delivered[0]?.body).toContain('ws_CO_2')
      const { bodies } = (await (await fetch(`${relay.url}/v1/quarantine`)).json()) as QuarantinePage
      expect(bodies).toMatchObject([{ reason: 'unknown-source' }])
    } finally {
      await relay.stop()
      rmSync(folder, { recursive: true, force: true })
    }
    await expect(startRelay({ PORT: '0', RELAY_TRUSTED_PROXIES: 'nginx' })).rejects.toThrow(
      /RELAY_TRUSTED_PROXIES must be/,
    )
  })
})
