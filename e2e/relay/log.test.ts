import { verifySignature } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { paidBody } from '../callback-bodies.ts'
import { openRelay, openSink } from './relay-floor.ts'
import { relayStores } from './relay-stores.ts'

type Entry = {
  readonly cursor: string
  readonly event: { readonly eventId: string; readonly businessKey: string }
  readonly delivery?: { readonly headers: Readonly<Record<string, string>>; readonly bodyBase64: string }
}
type Page = { readonly entries: readonly Entry[]; readonly cursor: string; readonly gap: boolean }
type Relay = Awaited<ReturnType<typeof openRelay>>

const callback = (number: number): string => JSON.stringify(paidBody(`ws_CO_${number}`, 'UHH0AB12CD'))
const keys = ({ entries }: Page): readonly string[] => entries.map(({ event }) => event.businessKey)

const readLog = (relay: Relay, appId: string, query = ''): Promise<Page> =>
  relay.read<Page>(`/v1/apps/${appId}/log?${query}`)

async function openWithApp(options: Parameters<typeof openRelay>[0], more: object = {}) {
  const sink = await openSink()
  const relay = await openRelay(options)
  const app = await relay.createApp(sink.url, more)
  const close = async (): Promise<void> => {
    await relay[Symbol.asyncDispose]()
    await sink[Symbol.asyncDispose]()
  }
  return { ...app, relay, sink, [Symbol.asyncDispose]: close }
}

describe.each(relayStores)('the log of an app on %s', (_name, openStore) => {
  test('is read page by page, from its beginning or from now on, each entry as it is delivered', async () => {
    await using store = await openStore()
    await using floor = await openWithApp(store.options)
    const { relay, appId, hookUrl, signingSecret, sink } = floor
    const latest = await readLog(relay, appId, 'after=latest')
    expect(latest).toMatchObject({ entries: [], gap: false })
    for (const number of [1, 2, 3]) await relay.post(`${hookUrl}/t/a-token`, callback(number))
    await relay.post(`${hookUrl}/t/a-token`, callback(2))
    const first = await readLog(relay, appId, 'limit=2')
    expect(keys(first)).toEqual(['ws_CO_1', 'ws_CO_2'])
    expect(first.cursor).toBe(first.entries[1]?.cursor)
    const second = await readLog(relay, appId, `after=${first.cursor}&deliveries=1`)
    expect(keys(second)).toEqual(['ws_CO_3'])
    expect(keys(await readLog(relay, appId, `after=${latest.cursor}`))).toEqual(['ws_CO_1', 'ws_CO_2', 'ws_CO_3'])
    expect(await readLog(relay, appId, `after=${second.cursor}`)).toEqual({
      entries: [],
      cursor: second.cursor,
      gap: false,
    })
    const { headers = {}, bodyBase64 = '' } = second.entries[0]?.delivery ?? {}
    const body = Buffer.from(bodyBase64, 'base64').toString()
    expect(verifySignature(body, signingSecret, headers['x-mpesa-signature'])).toBe(true)
    await sink.have(3)
    const delivered = sink.delivered.find(each => each.headers['x-mpesa-event-id'] === headers['x-mpesa-event-id'])
    expect(delivered?.body).toBe(body)
    expect(headers['x-mpesa-callback-token']).toBe('a-token')
  })

  test('has no more deliveries in a page than can be signed without a pause for others, and skips none', async () => {
    await using store = await openStore()
    await using floor = await openWithApp(store.options)
    const { relay, appId, hookUrl } = floor
    const numbers = [1, 2, 3, 4, 5]
    for (const number of numbers) {
      await relay.post(hookUrl, callback(number).replace('{', `{"padding":"${'x'.repeat(200_000)}",`))
    }
    const first = await readLog(relay, appId, 'deliveries=1')
    expect(keys(first)).toEqual(['ws_CO_1', 'ws_CO_2'])
    const second = await readLog(relay, appId, `deliveries=1&after=${first.cursor}`)
    expect(keys(second)).toEqual(['ws_CO_3', 'ws_CO_4'])
    expect(keys(await readLog(relay, appId, `deliveries=1&after=${second.cursor}`))).toEqual(['ws_CO_5'])
    expect(keys(await readLog(relay, appId))).toHaveLength(numbers.length)
  })

  test('answers who waits as soon as something comes, and with nothing after the wait', async () => {
    await using store = await openStore()
    await using floor = await openWithApp(store.options)
    const { relay, appId, hookUrl } = floor
    const { cursor } = await readLog(relay, appId, 'after=latest')
    const waiting = readLog(relay, appId, `after=${cursor}&waitMs=25000`)
    await relay.post(hookUrl, callback(1))
    const page = await waiting
    expect(keys(page)).toEqual(['ws_CO_1'])
    expect(await readLog(relay, appId, `after=${page.cursor}&waitMs=50`)).toMatchObject({ entries: [], gap: false })
  })

  test('says that something is missing to whoever comes with the cursor of another log, and reads on', async () => {
    await using store = await openStore()
    await using floor = await openWithApp(store.options)
    const { relay, appId, hookUrl } = floor
    await relay.post(hookUrl, callback(1))
    const { cursor } = await readLog(relay, appId)
    const [epoch] = cursor.split('.')
    for (const strange of [`${epoch}.99`, 'another-log.1']) {
      const page = await readLog(relay, appId, `after=${strange}`)
      expect([page.gap, keys(page), page.cursor]).toEqual([true, ['ws_CO_1'], cursor])
    }
    const refused = await relay.get(`/v1/apps/${appId}/log?after=nonsense`)
    expect(refused.status).toBe(422)
  })

  test('has what the merchant’s server said, which is delivered, forwarded and replayed to nobody', async () => {
    await using store = await openStore()
    await using floor = await openWithApp(store.options)
    const { relay, appId, hookUrl, sink, signingSecret } = floor
    const at = new Date()
    const id = '01900000-0000-7000-8000-000000000001'
    const said = {
      type: 'payment.pending',
      status: 'PENDING',
      paymentId: 'pay_1',
      checkoutRequestId: 'ws_CO_1',
    } as const
    const report = { ...said, id, at, amount: 500, receipt: null, resultCode: null }
    expect(await relay.storage.reportPayments(appId, [report], 'an-epoch', at)).toBe(1)
    const whole = await readLog(relay, appId)
    expect(whole.entries[0]?.event).toMatchObject({ eventId: id, kind: 'lifecycle', status: 'DELIVERED' })
    const forwarded = await readLog(relay, appId, 'deliveries=1')
    expect(forwarded).toEqual({ entries: [], cursor: whole.cursor, gap: false })
    await relay.post(hookUrl, callback(1))
    await sink.have(1)
    expect(keys(await readLog(relay, appId, 'deliveries=1'))).toEqual(['ws_CO_1'])
    expect(keys(await readLog(relay, appId))).toEqual(['pay_1', 'ws_CO_1'])
    const headers = { authorization: `Bearer ${signingSecret}`, 'content-type': 'application/json' }
    const replayed = await fetch(`${relay.url}/v1/events/${id}/replay`, { method: 'POST', headers })
    expect([replayed.status, await replayed.json()]).toMatchObject([
      422,
      { error: { code: 'MPESA_STK_RELAY_REQUEST_INVALID' } },
    ])
    const body = JSON.stringify({ status: 'DELIVERED', from: '2020-01-01T00:00:00.000Z', dryRun: true })
    await relay.app.relay.deliveries.idle()
    const dryRun = await fetch(`${relay.url}/v1/apps/${appId}/replay`, { method: 'POST', headers, body })
    expect([dryRun.status, await dryRun.json()]).toEqual([200, { matched: 1 }])
    expect(sink.delivered).toHaveLength(1)
  })

  test('stops over the day’s quota while everything is stored and delivered, and goes on when it is raised', async () => {
    await using store = await openStore()
    await using floor = await openWithApp(store.options, { dailyQuota: 2 })
    const { relay, appId, hookUrl, sink, signingSecret } = floor
    const { cursor } = await readLog(relay, appId, 'after=latest')
    for (const number of [1, 2]) await relay.post(hookUrl, callback(number))
    expect(await relay.read(`/apps/${appId}`)).toMatchObject({ dailyQuota: 2, eventsToday: 2, isOverQuota: false })
    expect(keys(await readLog(relay, appId, `after=${cursor}`))).toHaveLength(2)
    await relay.post(hookUrl, callback(3))
    await sink.have(3)
    expect(await relay.read(`/apps/${appId}`)).toMatchObject({ eventsToday: 3, isOverQuota: true })
    const stopped = await relay.get(`/v1/apps/${appId}/log?after=${cursor}`)
    expect([stopped.status, await stopped.json()]).toEqual([
      429,
      { error: { code: 'MPESA_STK_RELAY_OVER_QUOTA', message: expect.any(String) } },
    ])
    expect(await (await relay.get('/metrics')).text()).toContain('relay_apps_over_quota 1')
    const headers = { authorization: `Bearer ${signingSecret}`, 'content-type': 'application/json' }
    const patch = { method: 'PATCH', headers, body: '{"dailyQuota":null}' }
    expect(await (await fetch(`${relay.url}/apps/${appId}`, patch)).json()).toMatchObject({ dailyQuota: null })
    expect(keys(await readLog(relay, appId, `after=${cursor}`))).toHaveLength(3)
    expect(await (await relay.get('/metrics')).text()).toContain('relay_apps_over_quota 0')
  })
})

test('is nobody’s but the operator’s and the app’s', async () => {
  await using floor = await openWithApp({})
  const { relay, appId } = floor
  const asked = await relay.get(`/v1/apps/${appId}/log`, { 'x-forwarded-for': '203.0.113.9' })
  expect(asked.status).toBe(401)
  const wrong = await relay.get(`/v1/apps/${appId}/log`, {
    authorization: 'Bearer wrong',
    'x-forwarded-for': '203.0.113.9',
  })
  expect(wrong.status).toBe(401)
})

test.each(relayStores.filter(([name]) => name === 'PostgreSQL'))(
  'of %s has what another relay recorded, for whoever waits here',
  async (_name, openStore) => {
    await using store = await openStore()
    await using floor = await openWithApp(store.options)
    const { relay, appId, hookUrl } = floor
    await using other = await openRelay({ ...store.options, dataFolder: relay.folder })
    const { cursor } = await readLog(other, appId, 'after=latest')
    const waiting = readLog(other, appId, `after=${cursor}&waitMs=25000`)
    await relay.post(hookUrl, callback(1))
    expect(keys(await waiting)).toEqual(['ws_CO_1'])
  },
)
