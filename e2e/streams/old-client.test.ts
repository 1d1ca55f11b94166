import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { checkoutRequestIdOf, findCustomer, wanjiku } from './customer.ts'
import { OldClient, type OldEvent } from './old-client.ts'
import { openStreamRelay, type StreamApp, type StreamRelay } from './stream-floor.ts'

const checkoutRequestId = checkoutRequestIdOf(wanjiku)
const origin = 'https://shop.example'

function openOld({ sourceId, streamSecret }: StreamApp, more: object = {}) {
  const client = new OldClient({ url: relay.url, sourceId, secret: streamSecret, origin, ...more })
  const events: OldEvent[] = []
  let authenticated = 0
  client.on('event', event => void events.push(event))
  client.on('authenticated', () => void authenticated++)
  client.connect()
  return Object.assign(client, { events, authentications: () => authenticated })
}

let relay: StreamRelay
beforeAll(async () => {
  relay = await openStreamRelay()
})
afterAll(() => relay?.[Symbol.asyncDispose]())

const receipts = (events: readonly OldEvent[]) => events.map(event => event['MpesaReceiptNumber'])

describe('a client of the old protocol', () => {
  test('authenticates, hears what comes live, and gets the history when it comes later', async () => {
    const app = await relay.createApp({ publicStreams: true })
    using early = openOld(app)
    await expect.poll(early.authentications).toBe(1)
    expect(early.frames('auth_required')).toHaveLength(1)
    await relay.pay(app, { checkoutRequestId, receipt: 'UHH0AB12C1' })
    await expect.poll(() => early.events.length).toBe(1)
    expect(early.events[0]).toMatchObject({
      type: 'mpesa_callback',
      ResultCode: '0',
      ResultDesc: 'The service request is processed successfully.',
      Amount: 500,
      MpesaReceiptNumber: 'UHH0AB12C1',
    })
    expect([early.frames('event').length, early.frames('replay').length]).toEqual([1, 0])
    using late = openOld(app)
    await expect.poll(() => late.events.length).toBe(1)
    expect([late.frames('event').length, late.frames('replay').length]).toEqual([0, 1])
    expect(late.events).toEqual(early.events)
    // One event a frame, whoever is there.
    await relay.pay(app, { checkoutRequestId: 'ws_CO_2', receipt: 'UHH0AB12C2' })
    for (const client of [early, late]) {
      await expect.poll(() => receipts(client.events)).toEqual(['UHH0AB12C1', 'UHH0AB12C2'])
    }
    early.send({ type: 'ping' })
    await expect.poll(() => early.frames('pong').length).toBe(1)
  })

  test('is never told a phone number', async () => {
    const app = await relay.createApp({ publicStreams: true })
    using live = openOld(app)
    await expect.poll(live.authentications).toBe(1)
    await relay.pay(app, { checkoutRequestId: 'ws_CO_without', customer: wanjiku })
    await expect.poll(() => live.events.length).toBe(1)
    using later = openOld(app)
    await expect.poll(() => later.events.length).toBe(1)
    expect(findCustomer([...live.heard, ...later.heard], wanjiku, [])).toEqual([])
    expect(later.heard.join('')).not.toMatch(/PhoneNumber|MSISDN/)
  })

  test('stays away after one bad secret', async () => {
    const app = await relay.createApp({ publicStreams: true })
    using client = openOld(app, { secret: 'not-the-secret' })
    await expect.poll(() => client.closes).toEqual([1000])
    expect(client.frames('error')).toMatchObject([{ error: expect.any(String), code: expect.any(String) }])
    expect([client.dials, client.authentications(), client.isWaitingToReconnect]).toEqual([1, 0, false])
    // No source at all is answered the same: nobody finds out which there are.
    using stranger = openOld(app, { sourceId: 'no-such-source' })
    await expect.poll(() => stranger.closes).toEqual([1000])
    expect(stranger.frames('error')).toEqual(client.frames('error'))
  })

  test.each(['stop', 'kill'] as const)('comes back after the relay was started again (%s)', async how => {
    const app = await relay.createApp({ publicStreams: true })
    using client = openOld(app)
    await expect.poll(client.authentications).toBe(1)
    await relay.pay(app, { checkoutRequestId: 'ws_CO_1', receipt: 'UHH0AB12C1' })
    await expect.poll(() => client.events.length).toBe(1)
    await relay[how]()
    await expect.poll(() => client.closes.length).toBeGreaterThan(0)
    expect(client.closes).not.toContain(1000)
    await relay.start()
    await expect.poll(client.authentications).toBe(2)
    await relay.pay(app, { checkoutRequestId: 'ws_CO_2', receipt: 'UHH0AB12C2' })
    await expect.poll(() => receipts(client.events).at(-1)).toBe('UHH0AB12C2')
    expect(new Set(receipts(client.events))).toEqual(new Set(['UHH0AB12C1', 'UHH0AB12C2']))
  })

  test('is refused where pages need a token, and told how to mint one', async () => {
    const app = await relay.createApp()
    await relay.pay(app, { checkoutRequestId })
    using page = openOld(app)
    await expect.poll(() => page.frames('error').length).toBe(1)
    expect(page.frames('error')[0]?.['error']).toContain('POST /v1/tokens')
    await expect.poll(() => page.closes).toEqual([1000])
    expect([page.events, page.authentications()]).toEqual([[], 0])
    // Without an Origin, as a page pretends that is none.
    using program = openOld(app, { origin: undefined })
    await expect.poll(() => program.closes).toEqual([1000])
    expect([program.events, program.authentications()]).toEqual([[], 0])
  })

  test('hears that the app was deleted, as the last word', async () => {
    const app = await relay.createApp({ publicStreams: true })
    using client = openOld(app)
    await expect.poll(client.authentications).toBe(1)
    const headers = { authorization: `Bearer ${app.signingSecret}` }
    await fetch(`${relay.url}/apps/${app.appId}`, { method: 'DELETE', headers })
    await expect.poll(() => client.frames('destroyed').length).toBe(1)
    await expect.poll(() => client.closes).toEqual([1000])
  })
})
