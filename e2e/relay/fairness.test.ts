import type { ServerResponse } from 'node:http'
import type { NewRelayEvent, RelayStorage } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { createSignal } from '../../packages/mpesa-stk/src/core/signal.ts'
import { paidBody } from '../callback-bodies.ts'
import { openRelay, openSink, type Sink } from './relay-floor.ts'

const body = (id: string): string => JSON.stringify(paidBody(id, 'UHH0AB12CD'))

let lastNumber = 0

/** Events of an app that are due, as a relay leaves them that was down for a while. */
async function recordDue(storage: RelayStorage, appId: string, count: number): Promise<void> {
  const at = new Date()
  const events = Array.from({ length: count }, (): NewRelayEvent => {
    const number = String(++lastNumber).padStart(8, '0')
    const checkoutRequestId = `ws_CO_n${number}`
    return {
      id: `event-${number}`,
      appId,
      kind: 'stk',
      businessKey: checkoutRequestId,
      result: '0 UHH0AB12CD 500',
      checkoutRequestId,
      body: new TextEncoder().encode(body(checkoutRequestId)),
      callbackToken: null,
      traceParent: null,
      receivedAt: at,
      copies: 1,
      isHeld: false,
      contradicts: null,
    }
  })
  await storage.recordEvents(events, { leaseId: 'nobody', leaseMs: 0, at })
}

/** An endpoint that answers when it is told to, and how many attempts gave up waiting for it: whose place is free again. */
async function openHoldingSink() {
  const sink = await openSink()
  const held: ServerResponse[] = []
  let cutOff = 0
  const hold = (response: ServerResponse): void => {
    held.push(response)
    response.on('close', () => {
      if (!response.writableEnded) cutOff++
    })
  }
  sink.answer((_request, response) => hold(response))
  return Object.assign(sink, {
    hold,
    cutOff: () => cutOff,
    /** From now on it answers at once. */
    release(): void {
      sink.answer((_request, response) => void response.end())
      for (const response of held.splice(0)) response.end()
    },
  })
}

async function openHoldingSinks(count: number) {
  const sinks = await Promise.all(Array.from({ length: count }, openHoldingSink))
  return {
    sinks,
    async [Symbol.asyncDispose]() {
      for (const sink of sinks) await sink[Symbol.asyncDispose]()
    },
  }
}

const idsOf = (sink: Sink): readonly string[] => sink.delivered.map(({ headers }) => headers['x-mpesa-event-id'] ?? '')

describe('an endpoint that hangs keeps nobody else waiting', () => {
  test('though it has a backlog, and so has another one that hangs', async () => {
    await using first = await openHoldingSink()
    await using second = await openHoldingSink()
    await using quick = await openSink()
    await using relay = await openRelay()
    const slow = [await relay.createApp(first.url), await relay.createApp(second.url)]
    const { appId } = await relay.createApp(quick.url)
    for (const app of slow) await recordDue(relay.storage, app.appId, 600)
    await relay.app.start()
    await Promise.all([first.have(1), second.have(1)])
    await relay.app.relay.deliveries.claimDue()
    const cutOff = [first.cutOff(), second.cutOff()]
    await recordDue(relay.storage, appId, 5)
    await quick.have(5)
    expect(new Set(idsOf(quick)).size).toBe(5)
    expect([first.cutOff(), second.cutOff()]).toEqual(cutOff)
    first.release()
    second.release()
  })

  test('though six have backlogs, and are looked at before it when the relay is started', async () => {
    const reached = createSignal()
    await using sink = await openHoldingSink()
    await using relay = await openRelay()
    const paths = ['/a', '/b', '/c', '/d', '/e', '/f', '/g']
    const opened = await Promise.all(
      paths.map(async path => ({ path: `/hook${path}`, appId: (await relay.createApp(`${sink.url}${path}`)).appId })),
    )
    // Apps are looked through by their ids.
    const apps = opened.toSorted((one, other) => (one.appId < other.appId ? -1 : 1))
    const quick = apps.at(-1)
    let left = 5
    sink.answer(({ url }, response) => {
      if (url !== quick?.path) return sink.hold(response)
      response.end()
      if (--left === 0) reached.happen()
    })
    for (const app of apps) await recordDue(relay.storage, app.appId, app === quick ? left : 600)
    await relay.app.start()
    await reached.happened
    expect(sink.cutOff()).toBe(0)
    sink.release()
  })

  test('though there are twenty of them, with callbacks that are fresh', async () => {
    await using slow = await openHoldingSinks(20)
    await using quick = await openSink()
    await using relay = await openRelay()
    const apps = await Promise.all(slow.sinks.map(({ url }) => relay.createApp(url)))
    const other = await relay.createApp(quick.url)
    const posts = apps.flatMap(({ hookUrl }, app) =>
      Array.from({ length: 30 }, (_, number) => relay.post(hookUrl, body(`ws_CO_a${app}n${number}`))),
    )
    await Promise.all(posts)
    await Promise.all(slow.sinks.map(sink => sink.have(1)))
    const cutOff = slow.sinks.map(sink => sink.cutOff())
    await relay.post(other.hookUrl, body('ws_CO_other'))
    await quick.have(1)
    expect(slow.sinks.map(sink => sink.cutOff())).toEqual(cutOff)
    for (const sink of slow.sinks) sink.release()
  })

  test('though they share its host and port', async () => {
    const reached = createSignal()
    await using sink = await openHoldingSink()
    await using relay = await openRelay()
    sink.answer(({ url }, response) => {
      if (url !== '/hook/quick') return sink.hold(response)
      response.end()
      reached.happen()
    })
    const slow = await Promise.all([1, 2, 3, 4].map(app => relay.createApp(`${sink.url}/slow-${app}`)))
    const quick = await relay.createApp(`${sink.url}/quick`)
    for (const { hookUrl } of slow) {
      await Promise.all(Array.from({ length: 30 }, (_, number) => relay.post(hookUrl, body(`ws_CO_n${number}`))))
    }
    // As many as may be under way to four apps.
    await sink.have(64)
    const cutOff = sink.cutOff()
    await relay.post(quick.hookUrl, body('ws_CO_quick'))
    await reached.happened
    expect(sink.cutOff()).toBe(cutOff)
    sink.release()
  })
})

test('a backlog that is many times what is claimed at once is delivered to its end, each event once', async () => {
  await using sink = await openSink()
  await using relay = await openRelay()
  const { appId } = await relay.createApp(sink.url)
  await recordDue(relay.storage, appId, 2_000)
  await relay.app.start()
  await sink.have(2_000)
  await relay.app.relay.deliveries.idle()
  await expect.poll(async () => (await relay.storage.countPending()).pending).toBe(0)
  expect(await relay.storage.listEvents(appId, { status: 'DELIVERED' }, 3_000)).toHaveLength(2_000)
  expect(new Set(idsOf(sink)).size).toBe(2_000)
  expect(sink.delivered).toHaveLength(2_000)
})
