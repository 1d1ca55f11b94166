import { mkdtempSync, rmSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type RelayStorage, SqliteRelayAdapter } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { systemClock } from '../../packages/mpesa-stk/src/platform.ts'
import { paidBody } from '../callback-bodies.ts'
import { openRelay, openSink } from './relay-floor.ts'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
const json = { 'content-type': 'application/json' }
const paid = (id: string): string => JSON.stringify(paidBody(id, 'UHH0AB12CD'))

/** A wall clock that may be wrong, and be set. */
function createWall(wrongByMs = 0) {
  let aheadMs = wrongByMs
  return {
    clock: { ...systemClock, now: () => new Date(Date.now() + aheadMs) },
    isAheadBy(ms: number): void {
      aheadMs = ms
    },
  }
}

/** A storage that tells when results are in it, before anybody can act upon them. */
function tellOfResults(storage: RelayStorage, tell: () => void): RelayStorage {
  return new Proxy(storage, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]): Promise<unknown> => {
        const result: unknown = await Reflect.apply(value, target, args)
        if (name === 'finishDeliveries') tell()
        return result
      }
    },
  })
}

describe('a wall clock that is set', () => {
  test('forward by more than a lease, while attempts are under way, has no event attempted twice at once', async () => {
    const wall = createWall()
    await using sink = await openSink()
    await using relay = await openRelay({ clock: wall.clock, workers: 'manual' })
    const app = await relay.createApp(sink.url)
    const held: ServerResponse[] = []
    sink.answer((_request, response) => void held.push(response))
    // One that is claimed in the store, and one that is handed over in memory.
    await relay.post(app.hookUrl, paid('ws_CO_1'))
    await relay.app.start()
    await sink.have(1)
    await relay.post(app.hookUrl, paid('ws_CO_2'))
    await sink.have(2)
    wall.isAheadBy(61_000)
    await relay.app.relay.deliveries.claimDue()
    await relay.post(app.hookUrl, paid('ws_CO_3'))
    await sink.have(3)
    await relay.app.relay.deliveries.claimDue()
    sink.answer((_request, response) => void response.end())
    for (const response of held) response.end()
    await relay.app.relay.deliveries.idle()
    expect(new Set(sink.delivered.map(({ headers }) => headers['x-mpesa-event-id'])).size).toBe(3)
    expect(sink.delivered).toHaveLength(3)
    const events = await relay.storage.listEvents(app.appId, {}, 9)
    expect(events.map(({ status, attemptCount }) => [status, attemptCount])).toEqual(Array(3).fill(['DELIVERED', 1]))
  })

  test.each(['before', 'after'])(
    'back by an hour %s the result of an attempt in vain is stored does not put off the next one by that',
    async when => {
      const wall = createWall()
      const sqlite = await SqliteRelayAdapter.open(':memory:')
      await sqlite.migrate()
      await using sink = await openSink()
      const storage = tellOfResults(sqlite, () => {
        if (when === 'after') wall.isAheadBy(-hourMs)
      })
      await using relay = await openRelay({ storage, clock: wall.clock })
      const app = await relay.createApp(sink.url, { scheduleMs: [50] })
      sink.answer((_request, response) => {
        if (when === 'before') wall.isAheadBy(-hourMs)
        response.writeHead(sink.delivered.length > 1 ? 200 : 500).end()
      })
      await relay.post(app.hookUrl, paid('ws_CO_1'))
      await sink.have(2)
      await relay.app.relay.deliveries.idle()
      const event = await relay.storage.findEventOfPush(app.appId, 'ws_CO_1')
      expect(event).toMatchObject({ status: 'DELIVERED', attemptCount: 2 })
    },
  )

  test.each(['one event', 'many events'])(
    'right after it was an hour behind when the relay was made has a replay of %s begin at once',
    async what => {
      const wall = createWall(-hourMs)
      await using sink = await openSink()
      await using relay = await openRelay({ clock: wall.clock })
      const app = await relay.createApp(sink.url)
      await relay.post(app.hookUrl, paid('ws_CO_1'))
      await sink.have(1)
      await relay.app.relay.deliveries.idle()
      wall.isAheadBy(0)
      const event = await relay.storage.findEventOfPush(app.appId, 'ws_CO_1')
      const response =
        what === 'one event'
          ? await relay.post(`/v1/events/${event?.id}/replay`, '')
          : await relay.post(`/v1/apps/${app.appId}/replay`, '{"status":"DELIVERED"}', json)
      expect(response.ok).toBe(true)
      await sink.have(2)
    },
  )
})

describe('a database of a relay whose clock was a month ahead', () => {
  /** A relay with a clock that is so much ahead, on the database in a folder. */
  async function openOn(folder: string, aheadMs: number) {
    const storage = await SqliteRelayAdapter.open(join(folder, 'relay.db'))
    await storage.migrate()
    const { clock } = createWall(aheadMs)
    const relay = await openRelay({ storage, clock, encryptionKey: 'the key of both relays' })
    return Object.assign(relay, {
      async close(): Promise<void> {
        await relay[Symbol.asyncDispose]()
        await storage.close()
      },
      async dueInMs(appId: string, checkoutRequestId: string): Promise<number> {
        const event = await storage.findEventOfPush(appId, checkoutRequestId)
        return (event?.dueAt?.getTime() ?? Number.NaN) - Date.now()
      },
    })
  }

  test('has its events due within a day for a relay whose clock is right', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-clock-'))
    await using sink = await openSink()
    sink.answer((_request, response) => void response.writeHead(500).end())
    const ahead = await openOn(folder, 30 * dayMs)
    const { appId, hookUrl } = await ahead.createApp(sink.url, { scheduleMs: [hourMs] })
    await ahead.post(hookUrl, paid('ws_CO_tried'))
    await sink.have(1)
    await ahead.app.stop()
    await ahead.post(hookUrl, paid('ws_CO_fresh'))
    const pushes = ['ws_CO_tried', 'ws_CO_fresh']
    for (const id of pushes) expect(await ahead.dueInMs(appId, id)).toBeGreaterThan(29 * dayMs)
    await ahead.close()
    const right = await openOn(folder, 0)
    for (const id of pushes) expect(await right.dueInMs(appId, id)).toBeLessThanOrEqual(dayMs)
    await right.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('has its replays go on with a relay whose clock is right', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-clock-'))
    await using sink = await openSink()
    const ahead = await openOn(folder, 30 * dayMs)
    const { appId, hookUrl } = await ahead.createApp(sink.url)
    for (const id of ['ws_CO_1', 'ws_CO_2']) await ahead.post(hookUrl, paid(id))
    await sink.have(2)
    await ahead.app.relay.deliveries.idle()
    await ahead.app.stop()
    // The first of it is due now, and the second in a second: when that relay is no more.
    await ahead.post(`/v1/apps/${appId}/replay`, '{"status":"DELIVERED","perSecond":1}', json)
    await ahead.close()
    const right = await openOn(folder, 0)
    expect(await right.storage.listReplays(appId, 9)).toMatchObject([{ state: 'RUNNING', matched: 2, replayed: 1 }])
    await expect.poll(() => right.storage.advanceReplays(new Date())).toBe(1)
    await right.close()
    rmSync(folder, { recursive: true, force: true })
  })
})
