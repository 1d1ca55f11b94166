import assert from 'node:assert/strict'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { ids, lease, openApp, type RelayCase, sampleEvent } from './relay-samples.ts'

const readAll = async (storage: RelayStorage, appId: string, after = 0) =>
  storage.readLog(appId, { after, limit: 1_000, withBodies: true })

export const relayLogCases: readonly RelayCase[] = [
  {
    name: 'an app’s log has each event once, without gaps, and nothing of a copy or of another app',
    async run(storage) {
      const [app, other] = [await openApp(storage), await openApp(storage)]
      assert.equal(await storage.findLog(app.appId, new Date()), null)
      const events = Array.from({ length: 5 }, () => sampleEvent(app.appId))
      const [copied] = events as [(typeof events)[0]]
      await storage.recordEvents([...events, sampleEvent(other.appId)], lease())
      await storage.recordEvents([{ ...copied, id: 'copy' }], lease())
      const last = sampleEvent(app.appId)
      await storage.recordEvents([{ ...copied, id: 'another-copy' }, last], lease())
      const log = await readAll(storage, app.appId)
      assert.deepEqual(
        log.map(({ position }) => position),
        [1, 2, 3, 4, 5, 6],
      )
      assert.deepEqual(new Set(ids(log.map(({ event }) => event))), new Set(ids([...events, last])))
      assert.deepEqual([...(log[0]?.body ?? [])], [...copied.body])
      assert.equal((await storage.findLog(app.appId, new Date()))?.position, 6)
      assert.equal((await storage.findLog(other.appId, new Date()))?.position, 1)
      assert.deepEqual(
        (await storage.readLog(app.appId, { after: 2, limit: 3, withBodies: false })).map(({ position }) => position),
        [3, 4, 5],
      )
      assert.deepEqual(await readAll(storage, app.appId, 6), [])
      const [bare] = await storage.readLog(app.appId, { after: 0, limit: 1, withBodies: false })
      assert.deepEqual([bare?.event.id, bare?.body], [log[0]?.event.id, null])
    },
  },
  {
    name: 'whoever follows a log while many write it sees every event once',
    async run(storage) {
      const { appId } = await openApp(storage)
      const batches = Array.from({ length: 40 }, () => Array.from({ length: 5 }, () => sampleEvent(appId)))
      const seen: string[] = []
      let position = 0
      let isWritten = false
      const written = Promise.all(batches.map(batch => storage.recordEvents(batch, lease()))).then(() => {
        isWritten = true
      })
      for (let isLast = false; !isLast; ) {
        isLast = isWritten
        const entries = await readAll(storage, appId, position)
        position = entries.at(-1)?.position ?? position
        seen.push(...entries.map(({ event }) => event.id))
        await new Promise(resolve => setImmediate(resolve))
      }
      await written
      assert.equal(seen.length, 200)
      assert.deepEqual(seen.toSorted(), batches.flatMap(ids).toSorted())
    },
  },
  {
    name: 'the events of a day are counted, and copies are not',
    async run(storage) {
      const app = await openApp(storage, { dailyQuota: 2 })
      const free = await openApp(storage, { dailyQuota: null })
      const event = sampleEvent(app.appId)
      await storage.recordEvents([event, sampleEvent(app.appId), sampleEvent(free.appId)], lease())
      await storage.recordEvents([{ ...event, id: 'copy' }], lease())
      const now = new Date()
      assert.equal((await storage.findLog(app.appId, now))?.eventsToday, 2)
      assert.deepEqual(await storage.listOverQuota(now), [])
      await storage.recordEvents([sampleEvent(app.appId)], lease())
      assert.deepEqual(
        (await storage.listOverQuota(now)).map(({ appId }) => appId),
        [app.appId],
      )
    },
  },
]
