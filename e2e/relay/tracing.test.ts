import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { trace } from '@opentelemetry/api'
import { SqliteRelayAdapter } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { appMark } from '../../packages/mpesa-stk/src/core/deliver/app-mark.ts'
import { createSignal } from '../../packages/mpesa-stk/src/core/signal.ts'
import { openRelay, openSink } from './relay-floor.ts'
import { relayStores } from './relay-stores.ts'
import { addXForwardedFor, openProxy, postFrom } from './reverse-proxy.ts'
import { recordSpans, type SeenSpan } from './span-recorder.ts'
import { createTroubledStorage } from './troubled-storage.ts'

const checkoutRequestId = 'ws_CO_24112026101502337708374149'
const phone = '254708374149'
const receipt = 'UHH0AB12CD'
const token = 'a-callback-token'
const client = '127.0.0.7'
const proxyAddress = '127.0.0.51'
const incoming = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
const traceparent = `00-${incoming.traceId}-${incoming.spanId}-01`

/** With all that is personal in a callback. */
const paid = (id = checkoutRequestId): string => {
  const Item = [
    { Name: 'Amount', Value: 500 },
    { Name: 'MpesaReceiptNumber', Value: receipt },
    { Name: 'PhoneNumber', Value: Number(phone) },
  ]
  const stkCallback = { MerchantRequestID: 'm', CheckoutRequestID: id, ResultCode: 0, ResultDesc: 'Paid.' }
  return JSON.stringify({ Body: { stkCallback: { ...stkCallback, CallbackMetadata: { Item } } } })
}

function theOnly<Item>(items: readonly Item[]): Item {
  expect(items).toHaveLength(1)
  return items[0] as Item
}

async function openMigrated(): Promise<SqliteRelayAdapter> {
  const storage = await SqliteRelayAdapter.open(':memory:')
  await storage.migrate()
  return storage
}

describe.each(relayStores)('on %s', (_store, openStore) => {
  test('a callback is one trace: from the proxy to the store, over a restart, to the answer of the merchant', async () => {
    await using store = await openStore()
    const storage = store.options.storage ?? (await openMigrated())
    const options = { storage, encryptionKey: 'a-key-that-is-long-enough-for-both', trustedProxies: [proxyAddress] }
    await using sink = await openSink()
    sink.answer((_request, response) => void response.writeHead(500).end(`no, ${phone}`))
    await using before = await openRelay(options)
    const { appId, hookUrl } = await before.createApp(sink.url, { scheduleMs: [1_000] })
    // Registered after the relay was made.
    await using recorded = recordSpans()
    await using proxy = await openProxy({
      to: before.url,
      from: proxyAddress,
      write: (headers, from) => ({ ...addXForwardedFor(headers, from), traceparent }),
    })
    expect((await postFrom(client, `${proxy.url}${hookUrl}/t/${token}`, paid())).status).toBe(200)
    await sink.have(1)
    await before.app.stop()
    sink.answer((_request, response) => void response.writeHead(200).end('thanks'))
    await using after = await openRelay(options)
    await after.app.start()
    await sink.have(2)
    await after.app.relay.deliveries.idle()

    const receive = theOnly(recorded.named('receive callback'))
    expect(receive).toMatchObject({ kind: 'SERVER', parentSpanId: incoming.spanId, isError: false })
    expect(receive.attributes).toEqual({
      'http.request.method': 'POST',
      'http.route': '/hooks/:appId/t/:token',
      'http.response.status_code': 200,
      'mpesa_stk.app': appMark(appId),
      'mpesa_stk.outcome': 'recorded',
    })
    const record = theOnly(recorded.named('record callback'))
    expect(record).toMatchObject({ kind: 'INTERNAL', parentSpanId: receive.spanId, isError: false })
    expect(record.attributes).toEqual({ 'mpesa_stk.batch.size': 1, 'mpesa_stk.outcome': 'recorded' })
    const attempts = recorded.named('deliver callback')
    const ofEach = { 'http.request.method': 'POST', 'mpesa_stk.app': appMark(appId), 'mpesa_stk.event.kind': 'stk' }
    const eventId = sink.delivered[0]?.headers['x-mpesa-event-id']
    expect(attempts).toMatchObject([
      { kind: 'CLIENT', parentSpanId: receive.spanId, isError: true },
      { kind: 'CLIENT', parentSpanId: receive.spanId, isError: false },
    ])
    expect(attempts.map(({ attributes }) => attributes)).toEqual([
      {
        ...ofEach,
        'mpesa_stk.event.id': eventId,
        'mpesa_stk.attempt': 1,
        'http.response.status_code': 500,
        'error.type': '500',
      },
      { ...ofEach, 'mpesa_stk.event.id': eventId, 'mpesa_stk.attempt': 2, 'http.response.status_code': 200 },
    ])
    expect(sink.delivered.map(({ headers }) => headers['traceparent'])).toEqual(attempts.map(traceParentOf))
    expect(new Set(recorded.spans().map(({ traceId }) => traceId))).toEqual(new Set([incoming.traceId]))
    expect(recorded.spans()).toHaveLength(4)
    const told = recorded
      .spans()
      .map(({ text }) => text)
      .join('\n')
    for (const secret of [
      checkoutRequestId,
      phone,
      '0708374149',
      receipt,
      token,
      appId,
      client,
      '127.0.0.1',
      sink.url,
    ]) {
      expect(told, 'nothing that is somebody’s').not.toContain(secret)
    }
  })
})

const traceParentOf = ({ traceId, spanId }: SeenSpan): string => `00-${traceId}-${spanId}-01`

test('what a stranger says of a trace is not continued, nor is what an instrumentation made active', async () => {
  await using recorded = recordSpans()
  await using sink = await openSink()
  await using relay = await openRelay({ trustedProxies: [proxyAddress] })
  const { hookUrl } = await relay.createApp(sink.url)
  await postFrom(client, `${relay.url}${hookUrl}`, paid(), { traceparent })
  await sink.have(1)
  await relay.app.relay.deliveries.idle()
  expect(theOnly(recorded.named('receive callback'))).toMatchObject({ parentSpanId: null })
  const active = trace.getTracer('an instrumentation of HTTP').startSpan('POST')
  await trace.getTracer('an instrumentation of HTTP').startActiveSpan('POST', async span => {
    await relay.app.request(hookUrl, { method: 'POST', body: paid('ws_CO_2'), headers: { traceparent } })
    span.end()
  })
  active.end()
  const [, second] = recorded.named('receive callback')
  expect(second).toMatchObject({ parentSpanId: null })
  expect(recorded.spans().map(({ traceId }) => traceId)).not.toContain(incoming.traceId)
})

test('a trusted proxy that sends nonsense has begun no trace', async () => {
  await using recorded = recordSpans()
  await using sink = await openSink()
  await using relay = await openRelay({ trustedProxies: ['127.0.0.0/8'] })
  const { hookUrl } = await relay.createApp(sink.url)
  const nonsense = ['', 'x', `${traceparent}, ${traceparent}`, traceparent.replace(incoming.traceId, '0'.repeat(32))]
  for (const each of nonsense) await postFrom(client, `${relay.url}${hookUrl}`, paid(each), { traceparent: each })
  expect(recorded.named('receive callback').map(({ parentSpanId }) => parentSpanId)).toEqual(nonsense.map(() => null))
})

test('of a batch each callback has its own trace, which knows how many were recorded together', async () => {
  await using recorded = recordSpans()
  await using sink = await openSink()
  const storage = await openMigrated()
  const recordEvents = storage.recordEvents.bind(storage)
  const isOpen = createSignal()
  storage.recordEvents = async (...batch) => {
    await isOpen.happened
    return recordEvents(...batch)
  }
  await using relay = await openRelay({ storage })
  const { hookUrl } = await relay.createApp(sink.url)
  const ids = Array.from({ length: 21 }, (_, index) => `ws_CO_${index % 19}`)
  // The first is on its way, and the others are a batch behind it.
  const posted = ids.map(id => relay.post(hookUrl, paid(id)))
  await expect.poll(() => relay.app.relay.intake.queued, { interval: 10 }).toBeGreaterThan(1)
  isOpen.happen()
  await Promise.all(posted)
  await sink.have(19)
  await relay.app.relay.deliveries.idle()
  const [receives, records, attempts] = ['receive', 'record', 'deliver'].map(what => recorded.named(`${what} callback`))
  expect(records?.map(({ parentSpanId }) => parentSpanId).toSorted()).toEqual(
    receives?.map(({ spanId }) => spanId).toSorted(),
  )
  expect(new Set(receives?.map(({ traceId }) => traceId)).size).toBe(21)
  const sizes = records?.map(({ attributes }) => Number(attributes['mpesa_stk.batch.size'])) ?? []
  expect(Math.max(...sizes)).toBeGreaterThan(1)
  expect(records?.filter(({ attributes }) => attributes['mpesa_stk.outcome'] === 'repeat')).toHaveLength(2)
  expect(new Set(attempts?.map(({ traceId }) => traceId)).size).toBe(19)
})

test('a trace goes over the disk while the store is away', async () => {
  await using recorded = recordSpans()
  await using sink = await openSink()
  const { storage, set } = createTroubledStorage(await openMigrated())
  await using relay = await openRelay({ storage })
  const { hookUrl } = await relay.createApp(sink.url)
  await relay.post(hookUrl, paid('ws_CO_0'))
  await sink.have(1)
  set('fails')
  await relay.post(hookUrl, paid())
  set('none')
  await sink.have(2)
  await relay.app.relay.deliveries.idle()
  const receive = recorded.named('receive callback').at(-1)
  expect(receive?.attributes).toMatchObject({ 'mpesa_stk.outcome': 'spooled' })
  const ofTrace = recorded.spans().filter(({ traceId }) => traceId === receive?.traceId)
  const failed = ofTrace.filter(({ isError }) => isError)
  expect(failed).toMatchObject([{ name: 'record callback', attributes: { 'error.type': 'store' } }])
  expect(ofTrace.filter(({ isError }) => !isError).map(({ name }) => name)).toEqual([
    'receive callback',
    'record callback',
    'deliver callback',
  ])
})

test('a question is a trace too', async () => {
  await using recorded = recordSpans()
  await using sink = await openSink()
  sink.answer((_request, response) => void response.writeHead(200).end('{"ResultCode":"0"}'))
  await using relay = await openRelay()
  const { appId, hookUrl } = await relay.createApp(sink.url)
  await relay.post(`${hookUrl}/c2b/validation`, JSON.stringify({ TransID: receipt, MSISDN: phone }))
  const receive = theOnly(recorded.named('receive callback'))
  const asked = theOnly(recorded.named('ask about payment'))
  expect(asked).toMatchObject({ kind: 'CLIENT', parentSpanId: receive.spanId, traceId: receive.traceId })
  expect(sink.delivered[0]?.headers['traceparent']).toBe(traceParentOf(asked))
  for (const { text } of recorded.spans()) expect(text).not.toMatch(new RegExp(`${receipt}|${phone}|${appId}`))
})

test('an attempt that had no answer says why, and so does a callback that was refused', async () => {
  await using recorded = recordSpans()
  await using sink = await openSink()
  sink.answer((_request, response) => void response.destroy())
  await using relay = await openRelay({
    sourceAllowList: 'enforce',
    sourceAddresses: [client],
    quarantineBudgetBytes: 1,
  })
  const { hookUrl } = await relay.createApp(sink.url)
  await postFrom(client, `${relay.url}${hookUrl}`, paid())
  await sink.have(1)
  await relay.app.relay.deliveries.idle()
  expect(theOnly(recorded.named('deliver callback'))).toMatchObject({
    isError: true,
    attributes: { 'error.type': 'connection' },
  })
  await postFrom('127.0.0.9', `${relay.url}${hookUrl}`, paid())
  expect(recorded.named('receive callback').at(-1)).toMatchObject({
    isError: true,
    attributes: { 'error.type': '503', 'mpesa_stk.outcome': 'refused' },
  })
})

test('an instrumentation of the HTTP client adds no span and no second traceparent to an attempt', async () => {
  await using recorded = recordSpans()
  await using sink = await openSink()
  await using relay = await openRelay()
  const { hookUrl } = await relay.createApp(sink.url)
  const isRecording: boolean[] = []
  const instrument = (): void => {
    const span = trace.getTracer('an instrumentation of undici').startSpan('POST')
    isRecording.push(span.isRecording())
    span.end()
  }
  subscribe('undici:request:create', instrument)
  try {
    await relay.app.request(hookUrl, { method: 'POST', body: paid() })
    await sink.have(1)
    await relay.app.relay.deliveries.idle()
  } finally {
    unsubscribe('undici:request:create', instrument)
  }
  expect(isRecording).toEqual([false])
  expect(recorded.named('POST')).toEqual([])
})

describe('without an SDK', () => {
  test('nothing is traced, stored or sent', async () => {
    await using sink = await openSink()
    await using relay = await openRelay({ trustedProxies: ['127.0.0.0/8'] })
    const { hookUrl } = await relay.createApp(sink.url, { scheduleMs: [1_000] })
    sink.answer((_request, response) => void response.writeHead(500).end())
    await postFrom(client, `${relay.url}${hookUrl}`, paid(), { traceparent })
    await sink.have(1)
    expect(sink.delivered[0]?.headers['traceparent']).toBeUndefined()
    await using recorded = recordSpans()
    await sink.have(2)
    await relay.app.relay.deliveries.idle()
    const attempt = recorded.named('deliver callback')[0]
    expect(attempt, 'registered since then, it is a trace of its own').toMatchObject({ parentSpanId: null })
  })

  test('the trace that an event came with goes on to the merchant', async () => {
    await using sink = await openSink()
    await using relay = await openRelay({ workers: 'manual' })
    const { hookUrl } = await relay.createApp(sink.url)
    let received: string
    {
      await using recorded = recordSpans()
      await relay.post(hookUrl, paid())
      received = traceParentOf(theOnly(recorded.named('receive callback')))
    }
    await relay.app.start()
    await sink.have(1)
    expect(sink.delivered[0]?.headers['traceparent']).toBe(received)
  })
})
