import { describe, expect, test } from 'vitest'
import { paidBody } from '../callback-bodies.ts'
import { openRelay, openSink } from './relay-floor.ts'

const good = (id: string): string => JSON.stringify(paidBody(id, 'UHH0AB12CD'))
const utf8 = new TextEncoder()

/** Bodies of somebody who wants to break something; the same ones every time. */
function* badBodies(): Generator<Uint8Array> {
  const whole = utf8.encode(good('ws_CO_bad'))
  for (let length = 0; length < whole.length; length++) yield whole.subarray(0, length)
  for (let index = 0; index < whole.length; index++) {
    const changed = Uint8Array.from(whole)
    changed[index] = [0, 0xff, 0xc3, 0x22, 0x7b][index % 5] ?? 0
    yield changed
  }
  for (const depth of [10, 1_000, 60_000]) {
    yield utf8.encode('['.repeat(depth))
    yield utf8.encode('['.repeat(depth) + ']'.repeat(depth))
    yield utf8.encode(good('ws_CO_deep').replace('}}}', `},"x":${'['.repeat(depth)}${']'.repeat(depth)}}}`))
  }
  const values = [
    ...['null', 'true', '0', '-0', '1e999', '-1e-999', '9007199254740993', '[]', '{}', '""', '"\\u0000"', '"\\ud800"'],
    ...['"__proto__"', '{"__proto__":{"a":1}}', '{"constructor":1}', '"\\u202e"', `"${'x'.repeat(70_000)}"`],
  ]
  const names = [
    'Body',
    'stkCallback',
    'MerchantRequestID',
    'CheckoutRequestID',
    'ResultCode',
    'ResultDesc',
    'Item',
    'Value',
  ]
  for (const name of names) {
    for (const value of values) {
      yield utf8.encode(`{"Body":{"stkCallback":{"CheckoutRequestID":"ws_CO_x","ResultCode":0,"${name}":${value}}}}`)
      yield utf8.encode(`{"${name}":${value}}`)
      yield utf8.encode(`{"TransID":"UHH0AB12CD","BusinessShortCode":"600984","TransAmount":"5.00","${name}":${value}}`)
      yield utf8.encode(`{"Result":{"ResultCode":0,"OriginatorConversationID":"a","${name}":${value}}}`)
    }
  }
}

describe('somebody who posts anything', () => {
  test('breaks nothing, and loses nothing: each body is an event or kept aside, and the next good one is delivered', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url, { scheduleMs: [] })
    const bodies = [...badBodies()]
    expect(bodies.length).toBeGreaterThan(1_000)
    for (let index = 0; index < bodies.length; index += 20) {
      const statuses = await Promise.all(
        bodies.slice(index, index + 20).map(async body => (await relay.post(app.hookUrl, body)).status),
      )
      expect(new Set(statuses)).toEqual(new Set([200]))
    }
    await relay.post(app.hookUrl, good('ws_CO_good'))
    const isThere = (): boolean => sink.delivered.some(({ body }) => body.includes('ws_CO_good'))
    await expect.poll(isThere, { timeout: 10_000 }).toBe(true)
    await relay.app.relay.deliveries.idle()
    const events = await relay.storage.listEvents(app.appId, {}, 2_000)
    const aside = await relay.storage.listQuarantine(null, 2_000)
    const copies = events.reduce((sum, event) => sum + event.copies, 0)
    expect(copies + aside.length).toBe(bodies.length + 1)
    expect(new Set(events.map(({ status }) => status))).not.toContain('PENDING')
    expect(relay.app.relay.spool.isEmpty).toBe(true)
  }, 60_000)
})
