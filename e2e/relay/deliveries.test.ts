import { describe, expect, test } from 'vitest'
import { paidBody } from '../callback-bodies.ts'
import { openRelay, openSink } from './relay-floor.ts'

const paid = (id: string): string => JSON.stringify(paidBody(id, 'UHH0AB12CD'))
const scheduleMs = [20, 20, 20]

type EventView = {
  readonly eventId: string
  readonly status: string
  readonly attemptCount: number
  readonly lastError: string | null
  readonly attempts: readonly {
    readonly number: number
    readonly httpStatus: number | null
    readonly responseHead: string
  }[]
}

describe('a delivery', () => {
  test('that fails is tried again by the schedule, with the same event id, and every attempt is on record', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url, { scheduleMs })
    let left = 2
    sink.answer((_request, response) => void response.writeHead(left-- > 0 ? 500 : 200).end('as it is'))
    await relay.post(app.hookUrl, paid('ws_CO_1'))
    await sink.have(3)
    await relay.app.relay.deliveries.idle()
    const ids = new Set(sink.delivered.map(({ headers }) => headers['x-mpesa-event-id']))
    expect(ids.size).toBe(1)
    const event = await relay.read<EventView>(`/v1/events/${[...ids][0]}`)
    expect(event).toMatchObject({ status: 'DELIVERED', attemptCount: 3, lastError: null })
    expect(event.attempts.map(({ number, httpStatus }) => [number, httpStatus])).toEqual([
      [1, 500],
      [2, 500],
      [3, 200],
    ])
    expect(event.attempts[0]?.responseHead).toBe('as it is')
  })

  test('that fails to the end is dead with its reason, and a replay brings it back to life', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url, { scheduleMs })
    sink.answer((_request, response) => void response.writeHead(404).end())
    await relay.post(app.hookUrl, paid('ws_CO_1'))
    await sink.have(4)
    await relay.app.relay.deliveries.idle()
    const status = `/status/ws_CO_1?app_id=${app.appId}`
    expect(await relay.read(status)).toMatchObject({ status: 'DEAD', attemptCount: 4, lastError: 'HTTP 404' })
    expect(relay.log()).toContain('alert: delivery.dead')
    sink.answer((_request, response) => void response.writeHead(200).end())
    const { eventId } = await relay.read<EventView>(status)
    expect(await (await relay.post(`/v1/events/${eventId}/replay`, '')).json()).toEqual({ replayed: 1 })
    await sink.have(5)
    await relay.app.relay.deliveries.idle()
    expect(await relay.read(status)).toMatchObject({ status: 'DELIVERED', attemptCount: 5, eventId })
    expect((await relay.post('/v1/events/nobody/replay', '')).status).toBe(404)
  })

  test('answered 410 disables the app, and what comes then waits', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url, { scheduleMs })
    sink.answer((_request, response) => void response.writeHead(410).end())
    await relay.post(app.hookUrl, paid('ws_CO_1'))
    await sink.have(1)
    await relay.app.relay.deliveries.idle()
    expect(await relay.read(`/apps/${app.appId}`)).toMatchObject({ isDisabled: true, disabledReason: '410' })
    await relay.post(app.hookUrl, paid('ws_CO_2'))
    await relay.app.relay.deliveries.idle()
    expect(sink.delivered).toHaveLength(1)
    expect(await relay.read(`/status/ws_CO_2?app_id=${app.appId}`)).toMatchObject({
      status: 'PENDING',
      attemptCount: 0,
    })
  })

  test('is not tried by a relay that was stopped: what still comes is kept for the next start', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url)
    await relay.post(app.hookUrl, paid('ws_CO_1'))
    await sink.have(1)
    await relay.app.stop()
    expect((await relay.post(app.hookUrl, paid('ws_CO_2'))).status).toBe(200)
    await relay.app.relay.deliveries.idle()
    expect(sink.delivered).toHaveLength(1)
    expect(await relay.read(`/status/ws_CO_2?app_id=${app.appId}`)).toMatchObject({
      status: 'PENDING',
      attemptCount: 0,
    })
  })

  test('to an endpoint that hangs delays no other', async () => {
    await using dead = await openSink()
    await using alive = await openSink()
    await using relay = await openRelay()
    dead.answer(() => {})
    const slow = await relay.createApp(dead.url)
    const quick = await relay.createApp(alive.url)
    await Promise.all(Array.from({ length: 100 }, (_, index) => relay.post(slow.hookUrl, paid(`ws_CO_s${index}`))))
    await relay.post(quick.hookUrl, paid('ws_CO_q'))
    await alive.have(1)
    expect(dead.delivered.length).toBeLessThanOrEqual(16)
  })
})

describe('a C2B validation', () => {
  const body = JSON.stringify({ TransID: 'UHH0AB12CD', BusinessShortCode: '600984', TransAmount: '5.00', MSISDN: 'x' })

  test.each([
    ['accepts', 200, '{"ResultCode":0}', { ResultCode: '0', ResultDesc: 'Accepted' }],
    [
      'names the payment',
      200,
      '{"ResultCode":"0","ThirdPartyTransID":"A-1"}',
      { ResultCode: '0', ThirdPartyTransID: 'A-1' },
    ],
    ['refuses', 200, '{"ResultCode":"C2B00012"}', { ResultCode: 'C2B00012', ResultDesc: 'Rejected' }],
    ['says what nobody knows', 200, '{"ResultCode":"1"}', { ResultCode: 'C2B00016', ResultDesc: 'Rejected' }],
    ['fails', 500, '{"ResultCode":0}', { ResultCode: 'C2B00016', ResultDesc: 'Rejected' }],
    ['talks nonsense', 200, '<html>', { ResultCode: 'C2B00016', ResultDesc: 'Rejected' }],
  ])('is answered by an endpoint that %s', async (_what, status, answer, verdict) => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url, { c2bFallback: 'reject' })
    sink.answer((_request, response) => void response.writeHead(status).end(answer))
    const response = await relay.post(`${app.hookUrl}/c2b/validation`, body)
    expect([response.status, await response.json()]).toMatchObject([200, verdict])
    expect(sink.delivered[0]?.headers['x-mpesa-kind']).toBe('c2b-validation')
    expect(await relay.storage.listEvents(app.appId, {}, 1)).toEqual([])
  })

  test('of an endpoint that is not there, or an app that there is not, is accepted unless the app says otherwise', async () => {
    await using relay = await openRelay()
    const app = await relay.createApp('http://127.0.0.1:9/')
    for (const hook of [app.hookUrl, '/hooks/nobody']) {
      const response = await relay.post(`${hook}/c2b/validation`, body)
      expect(await response.json()).toEqual({ ResultCode: '0', ResultDesc: 'Accepted' })
    }
  })
})
