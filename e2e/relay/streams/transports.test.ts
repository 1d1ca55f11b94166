import { describe, expect, test } from 'vitest'
import { relayStores } from '../relay-stores.ts'
import { openStreams, receiptOf, type StreamRelay } from './stream-floor.ts'
import { type Reader, readEvents, readUntil, transports } from './transports.ts'

const hourMs = 3_600_000
const receipts = (frames: readonly { readonly event?: { readonly MpesaReceiptNumber?: string } }[]) =>
  frames.map(({ event }) => event?.MpesaReceiptNumber)

/** What is in the log, in its order. */
async function logOf(relay: StreamRelay, appId: string): Promise<readonly string[]> {
  const { entries } = await relay.read<{ entries: { event: { eventId: string } }[] }>(`/v1/apps/${appId}/log?limit=500`)
  return entries.map(({ event }) => event.eventId)
}

describe.each(relayStores)('on %s', (_store, openStore) => {
  describe.each(transports)('by %s', (_name, open) => {
    test('whoever comes into a storm gets every event once, in the order of the log', async () => {
      await using store = await openStore()
      await using floor = await openStreams(store.options)
      const { relay, appId, pay } = floor
      const { token } = await floor.mint()
      const count = 240
      for (let number = 0; number < 40; number++) await pay(number)
      const paying = Array.from({ length: count - 40 }, (_, index) => pay(40 + index))
      await using reader = await open({ url: relay.url, token, stream: 'source' })
      const events = await readEvents(reader, count)
      await Promise.all(paying)
      expect(events.map(({ event }) => event?.id)).toEqual(await logOf(relay, appId))
    })

    test('whoever is cut off twice within a replay goes on behind the last that he read', async () => {
      await using store = await openStore()
      await using floor = await openStreams(store.options)
      const { relay, pay } = floor
      const { token } = await floor.mint()
      for (let number = 0; number < 12; number++) await pay(number)
      const read: (string | undefined)[] = []
      let from = 'start'
      for (const count of [3, 4, 5]) {
        await using reader = await open({ url: relay.url, token, stream: 'source', from })
        const events = await readEvents(reader, count)
        read.push(...receipts(events))
        from = events.at(-1)?.cursor ?? ''
      }
      expect(read).toEqual(Array.from({ length: 12 }, (_, number) => receiptOf(number)))
    })

    test('a page reads its own payment, reported or not, and no other', async () => {
      await using store = await openStore()
      await using floor = await openStreams(store.options)
      const { relay, pay } = floor
      await pay(1)
      await floor.report({
        type: 'payment.pending',
        paymentId: 'pay_2',
        checkoutRequestId: 'ws_CO_2_254712345678',
        amount: 500,
      })
      const ofOne = await floor.mint({ checkoutRequestIds: ['ws_CO_1_254712345678'] })
      const ofTwo = await floor.mint({ streams: ['payment:pay_2'] })
      const [one = ''] = ofOne.streams
      await using first = await open({ url: relay.url, token: ofOne.token, stream: one })
      await using second = await open({ url: relay.url, token: ofTwo.token, stream: 'payment:pay_2' })
      expect(await readEvents(first, 1)).toMatchObject([{ event: { MpesaReceiptNumber: receiptOf(1) } }])
      const [pending] = await readEvents(second, 1)
      expect(pending).toMatchObject({ event: { type: 'payment.pending', paymentId: 'pay_2', status: 'PENDING' } })
      await pay(2)
      const [paid] = await readEvents(second, 1)
      expect(paid).toMatchObject({ event: { paymentId: 'pay_2', MpesaReceiptNumber: receiptOf(2) } })
      for (const stream of ['source', one, 'payment:pay_3']) {
        await using stranger = await open({ url: relay.url, token: ofTwo.token, stream })
        expect(await stranger.next()).toMatchObject({ type: 'error', code: 'stream_refused', retry: 'never' })
      }
    })

    test('callbacks that were before the report of their payment come with it', async () => {
      await using store = await openStore()
      await using floor = await openStreams(store.options)
      const { relay, pay } = floor
      await pay(1)
      const { token } = await floor.mint({ streams: ['payment:pay_1', 'source'] })
      await using live = await open({ url: relay.url, token, stream: 'payment:pay_1' })
      const waiting = readEvents(live, 2)
      await floor.report({ type: 'payment.pending', paymentId: 'pay_1', checkoutRequestId: 'ws_CO_1_254712345678' })
      const types = (await waiting).map(({ event }) => [event?.type, event?.paymentId])
      expect(types).toEqual([
        ['payment.pending', 'pay_1'],
        ['mpesa_callback', 'pay_1'],
      ])
      await using replayed = await open({ url: relay.url, token, stream: 'payment:pay_1' })
      const [first] = await readEvents(replayed, 2)
      // Cut off between the two: neither is lost.
      await using resumed = await open({ url: relay.url, token, stream: 'payment:pay_1', from: first?.cursor ?? '' })
      expect((await readEvents(resumed, 2)).map(({ event }) => [event?.type, event?.paymentId])).toEqual(types)
      await using all = await open({ url: relay.url, token, stream: 'source' })
      expect((await readUntil(all, 'live')).map(({ event }) => event?.type)).toEqual([
        'mpesa_callback',
        'payment.pending',
        undefined,
      ])
    })

    test('what cannot be streamed any more is a gap, by its reason', async () => {
      await using store = await openStore()
      let nowMs = Date.now()
      const clock = { now: () => new Date(nowMs), sleep: async () => {} }
      await using floor = await openStreams({ ...store.options, clock })
      const { relay } = floor
      const report = (number: number) => floor.report({ type: 'payment.pending', paymentId: `pay_${number}` })
      const read = async (from: string): Promise<unknown[]> => {
        const { token } = await floor.mint()
        await using reader = await open({ url: relay.url, token, stream: 'source', from })
        return (await readUntil(reader, 'live')).map(({ type, reason, event }) =>
          type === 'event' ? event?.paymentId : (reason ?? type),
        )
      }
      await report(1)
      nowMs += 60_000
      await report(2)
      nowMs += 60_000
      await report(3)
      const { token } = await floor.mint()
      await using reader = await open({ url: relay.url, token, stream: 'source' })
      const [first, , third] = await readEvents(reader, 3)
      const cursor = first?.cursor ?? ''
      const [epoch] = cursor.split('.')
      expect(await read(cursor)).toEqual(['pay_2', 'pay_3', 'live'])
      expect(await read(`${epoch}.99`)).toEqual(['restored', 'pay_1', 'pay_2', 'pay_3', 'live'])
      expect(await read('another-log.1')).toEqual(['restored', 'pay_1', 'pay_2', 'pay_3', 'live'])
      expect(await read(`${epoch}.1.another-event`)).toMatchObject({ 0: 'restored', length: 5 })
      // The second event is the first that was not read.
      nowMs += 24 * hourMs - 60_000 - 1_000
      expect(await read(cursor)).toEqual(['pay_2', 'pay_3', 'live'])
      nowMs += 2_000
      expect(await read(cursor)).toEqual(['aged', 'pay_3', 'live'])
      expect(await read('start')).toEqual(['pay_3', 'live'])
      await floor.post(`/v1/apps/${floor.appId}/stream/clear`, {})
      expect(await read(third?.cursor ?? '')).toEqual(['live'])
      expect(await read(cursor)).toEqual(['cleared', 'live'])
      expect(await read('start')).toEqual(['live'])
    })

    test('a payment whose events are all too old is over', async () => {
      await using store = await openStore()
      let nowMs = Date.now()
      const clock = { now: () => new Date(nowMs), sleep: async () => {} }
      await using floor = await openStreams({ ...store.options, clock, streamHours: 1 })
      await floor.report({ type: 'payment.pending', paymentId: 'pay_1' })
      nowMs += hourMs + 1_000
      const { token } = await floor.mint({ streams: ['payment:pay_1'] })
      await using reader = await open({ url: floor.relay.url, token, stream: 'payment:pay_1' })
      expect(await reader.next()).toMatchObject({ type: 'ended', reason: 'over' })
    })

    test('a source over its quota of the day is not read on', async () => {
      await using store = await openStore()
      await using floor = await openStreams(store.options, { dailyQuota: 1 })
      const { token } = await floor.mint()
      for (const number of [1, 2]) await floor.pay(number)
      await using reader = await open({ url: floor.relay.url, token, stream: 'source' })
      expect(await reader.next()).toMatchObject({ type: 'error', code: 'over_quota', retry: 'later' })
    })

    test('pages of other origins are refused, and servers are not asked', async () => {
      await using store = await openStore()
      await using floor = await openStreams(store.options, { allowedOrigins: ['https://shop.example'] })
      await floor.pay(1)
      const { token } = await floor.mint()
      const read = async (origin?: string): Promise<string | undefined> => {
        const request = { url: floor.relay.url, token, stream: 'source' }
        await using reader: Reader = await open(origin === undefined ? request : { ...request, origin })
        const frame = await reader.next()
        return frame.code ?? frame.type
      }
      expect(await read('https://shop.example')).toBe('event')
      expect(await read()).toBe('event')
      expect(await read('https://thief.example')).toBe('origin_refused')
      expect(await read('null')).toBe('origin_refused')
    })
  })

  test('a cursor is good whatever carried it', async () => {
    await using store = await openStore()
    await using floor = await openStreams(store.options)
    const { token } = await floor.mint()
    let from = 'start'
    const read: (string | undefined)[] = []
    for (const number of [1, 2, 3, 4, 5, 6]) {
      await floor.pay(number)
      const [, open] = transports[number % 3] ?? transports[0] ?? []
      if (open === undefined) throw new Error('no transport')
      await using reader = await open({ url: floor.relay.url, token, stream: 'source', from })
      const [event] = await readEvents(reader, 1)
      from = event?.cursor ?? ''
      read.push(event?.event?.MpesaReceiptNumber)
    }
    expect(read).toEqual([1, 2, 3, 4, 5, 6].map(receiptOf))
  })
})
