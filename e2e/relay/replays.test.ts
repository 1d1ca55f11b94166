import { describe, expect, test } from 'vitest'
import { paidBody } from '../callback-bodies.ts'
import { openRelay, openSink, type QuarantinePage, type Sink } from './relay-floor.ts'

type Relay = Awaited<ReturnType<typeof openRelay>>
type App = Awaited<ReturnType<Relay['createApp']>>
type Replay = { readonly replayId: string; readonly state: string; readonly matched: number; readonly replayed: number }
type Events = {
  readonly events: readonly { readonly eventId: string; readonly status: string; readonly lastError: string }[]
}

const json = { 'content-type': 'application/json' }

/** An app, and so many events of it that were tried once in vain. */
async function openDeadEvents(relay: Relay, sink: Sink, count: number): Promise<App> {
  const app = await relay.createApp(sink.url, { scheduleMs: [] })
  sink.answer((_request, response) => void response.writeHead(404).end())
  for (let number = 0; number < count; number++) {
    await relay.post(app.hookUrl, JSON.stringify(paidBody(`ws_CO_${number}`, 'UHH0AB12CD')))
  }
  await sink.have(count)
  await relay.app.relay.deliveries.idle()
  sink.answer((_request, response) => void response.writeHead(200).end())
  return app
}

const replayOf = async (relay: Relay, app: App, wanted: object): Promise<Replay> =>
  (await (await relay.post(`/v1/apps/${app.appId}/replay`, JSON.stringify(wanted), json)).json()) as Replay

describe('a replay of many', () => {
  test('is tried dry, then delivers every dead event again under its id, and tells how far it came', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await openDeadEvents(relay, sink, 5)
    expect(await replayOf(relay, app, { dryRun: true })).toEqual({ matched: 5 })
    expect(await replayOf(relay, app, { dryRun: true, kind: 'c2b' })).toEqual({ matched: 0 })
    expect(sink.delivered).toHaveLength(5)
    const began = await replayOf(relay, app, { perSecond: 3 })
    expect(began).toMatchObject({ state: 'RUNNING', matched: 5, replayed: 3 })
    await sink.have(10)
    await relay.app.relay.deliveries.idle()
    const path = `/v1/apps/${app.appId}/replays`
    const done = { ...began, state: 'DONE', replayed: 5, endedAt: expect.any(String) }
    expect(await relay.read(`${path}/${began.replayId}`)).toEqual(done)
    expect(await relay.read(path)).toEqual({ replays: [done] })
    const idOf = ({ headers }: Sink['delivered'][number]): string => headers['x-mpesa-event-id'] ?? ''
    expect(sink.delivered.slice(5).map(idOf).toSorted()).toEqual(sink.delivered.slice(0, 5).map(idOf).toSorted())
    expect(await replayOf(relay, app, { dryRun: true })).toEqual({ matched: 0 })
    expect(await replayOf(relay, app, { dryRun: true, status: 'DELIVERED' })).toEqual({ matched: 5 })
  })

  test('goes on over a restart, and stops when it is cancelled', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await openDeadEvents(relay, sink, 4)
    const { replayId } = await replayOf(relay, app, { perSecond: 1 })
    await sink.have(5)
    await relay.app.stop()
    await using again = await openRelay({ storage: relay.storage, dataFolder: relay.folder })
    await again.app.start()
    await sink.have(6)
    const path = `/v1/apps/${app.appId}/replays/${replayId}`
    const cancelled = (await (await again.post(`${path}/cancel`, '')).json()) as Replay
    expect(cancelled.state).toBe('CANCELLED')
    await again.app.relay.advanceReplays()
    await again.app.relay.deliveries.idle()
    expect(await again.read(path)).toEqual(cancelled)
    expect(sink.delivered).toHaveLength(4 + cancelled.replayed)
    expect(cancelled.replayed).toBeLessThan(4)
  })

  test.each([
    ['a status that was not tried', { status: 'PENDING' }],
    ['a pace of none', { perSecond: 0 }],
    ['a pace that is none', { perSecond: 1_001 }],
    ['a day', { from: '2026-11-24' }],
    ['a misspelt field', { dryrun: true }],
  ])('asked for %s is refused, and replays nothing', async (_what, wanted) => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await openDeadEvents(relay, sink, 1)
    const answer = await relay.post(`/v1/apps/${app.appId}/replay`, JSON.stringify(wanted), json)
    expect(answer.status).toBe(422)
    expect(await answer.json()).toMatchObject({ error: { code: 'MPESA_STK_RELAY_REQUEST_INVALID' } })
    expect(await relay.read(`/v1/apps/${app.appId}/replays`)).toEqual({ replays: [] })
  })

  test('is the operator’s and the app’s own, and nobody else’s', async () => {
    await using relay = await openRelay({ adminToken: 'a-long-admin-token' })
    const create = async (): Promise<App> => {
      const headers = { ...json, authorization: 'Bearer a-long-admin-token' }
      return (await (await relay.post('/apps', '{"targetUrl":"http://127.0.0.1:9/"}', headers)).json()) as App
    }
    const [mine, other] = [await create(), await create()]
    const as = ({ signingSecret }: App) => ({ ...json, authorization: `Bearer ${signingSecret}` })
    const path = `/v1/apps/${mine.appId}/replay`
    const began = await relay.post(path, '{}', as(mine))
    expect(began.status).toBe(202)
    const { replayId } = (await began.json()) as Replay
    expect((await relay.post(path, '{}', as(other))).status).toBe(401)
    expect((await relay.post(path, '{}', json)).status).toBe(401)
    expect((await relay.get(`${path}s/${replayId}`, as(other))).status).toBe(401)
    expect((await relay.post(`${path}s/${replayId}/cancel`, '', as(other))).status).toBe(401)
    // By the door of another app it is not there.
    expect((await relay.get(`/v1/apps/${other.appId}/replays/${replayId}`, as(other))).status).toBe(404)
  })
})

describe('an app that is deleted', () => {
  test('is gone with its secrets; what still comes is quarantined, and what waited for it is dead', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url, { scheduleMs: [30] })
    const kept = await relay.createApp(sink.url)
    const asApp = { authorization: `Bearer ${app.signingSecret}` }
    sink.answer((_request, response) => void response.writeHead(500).end())
    await relay.post(app.hookUrl, JSON.stringify(paidBody('ws_CO_1', 'UHH0AB12CD')))
    await sink.have(1)
    const remove = (headers: Record<string, string>) =>
      fetch(`${relay.url}/apps/${app.appId}`, { method: 'DELETE', headers })
    expect((await remove({})).status).toBe(401)
    const deleted = await remove(asApp)
    expect([deleted.status, await deleted.json()]).toMatchObject([200, { appId: app.appId }])
    expect((await remove(asApp)).status).toBe(401)
    expect((await relay.get(`/apps/${app.appId}`)).status).toBe(404)
    expect(await relay.read('/apps')).toMatchObject({ apps: [{ appId: kept.appId }], next: null })
    await expect
      .poll(async () => (await relay.read<Events>(`/v1/apps/${app.appId}/events`)).events)
      .toMatchObject([{ status: 'DEAD', lastError: 'its app was deleted' }])
    expect((await relay.post(app.hookUrl, JSON.stringify(paidBody('ws_CO_2', 'UHH0AB12CD')))).status).toBe(200)
    const { bodies } = await relay.read<QuarantinePage>('/v1/quarantine')
    expect(bodies).toMatchObject([{ reason: 'unknown-app' }])
    expect(sink.delivered).toHaveLength(1)
  })

  test('is listed with the others until then, a page at a time, for the operator', async () => {
    await using relay = await openRelay()
    const made = []
    for (let number = 0; number < 3; number++) made.push((await relay.createApp('http://127.0.0.1:9/')).appId)
    type Apps = { readonly apps: readonly { readonly appId: string }[]; readonly next: string | null }
    const page = await relay.read<Apps>('/apps?limit=2')
    const rest = await relay.read<Apps>(`/apps?limit=2&before=${page.next}`)
    expect([...page.apps, ...rest.apps].map(({ appId }) => appId).toSorted()).toEqual(made.toSorted())
    expect(rest.next).toBe(null)
    expect(JSON.stringify(page)).not.toMatch(/secret/i)
    expect((await relay.get('/apps', { 'x-forwarded-for': '203.0.113.7' })).status).toBe(401)
  })
})
