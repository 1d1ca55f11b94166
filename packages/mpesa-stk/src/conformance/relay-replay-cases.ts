import assert from 'node:assert/strict'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { ended, ids, lease, limits, openApp, type RelayCase, recordDue } from './relay-samples.ts'
import { sampleTime } from './samples.ts'

/** Claims so many that are due, and ends them in vain. */
async function kill(storage: RelayStorage, count: number): Promise<void> {
  const claimed = await storage.claimDueEvents(lease(), limits(count), [])
  assert.equal(claimed.length, count)
  const results = claimed.map(event => ended(event, { status: 'DEAD', error: 'HTTP 500' }))
  await storage.finishDeliveries(results, new Date())
}

/** What each further second of a replay made due. By the store's clock, which may be another than ours. */
async function advanceToEnd(storage: RelayStorage, id: string, fromMs: number): Promise<readonly number[]> {
  const steps: number[] = []
  for (let at = fromMs; at < fromMs + 30_000; at += 100) {
    const advanced = await storage.advanceReplays(new Date(at))
    if (advanced > 0) steps.push(advanced)
    if ((await storage.findReplay(id))?.state !== 'RUNNING') return steps
    await new Promise(resolve => setTimeout(resolve, 20))
  }
  return steps
}

export const relayReplayCases: readonly RelayCase[] = [
  {
    name: 'what is dead or delivered is due again after a replay, with its whole schedule before it',
    async run(storage) {
      const { appId } = await openApp(storage)
      const events = await recordDue(storage, appId, 2)
      const [dead, delivered] = await storage.claimDueEvents(lease(), limits(2), [])
      assert(dead !== undefined && delivered !== undefined)
      await storage.finishDeliveries(
        [ended(dead, { status: 'DEAD', error: 'HTTP 500' }), ended(delivered, { status: 'DELIVERED' })],
        new Date(),
      )
      assert.deepEqual(await storage.claimDueEvents(lease(), limits(2), []), [])
      assert.equal(await storage.replayEvents([...ids(events), 'nobody'], new Date()), 2)
      const again = await storage.claimDueEvents(lease(), limits(2), [])
      assert.deepEqual(
        again.map(({ failures, attemptCount }) => [failures, attemptCount]),
        [
          [0, 1],
          [0, 1],
        ],
      )
    },
  },
  {
    name: 'a replay waits for an attempt that is under way, whose outcome no longer counts',
    async run(storage) {
      const { appId } = await openApp(storage)
      await recordDue(storage, appId, 1)
      const [running] = await storage.claimDueEvents(lease({ leaseMs: 60_000 }), limits(1), [])
      assert(running !== undefined)
      assert.equal(await storage.replayEvents([running.id], new Date()), 1)
      assert.deepEqual(await storage.claimDueEvents(lease(), limits(1), []), [], 'nobody attempts it beside the other')
      await storage.finishDeliveries([ended(running, { status: 'DELIVERED' })], new Date())
      assert.equal((await storage.findEvent(running.id))?.event.status, 'PENDING')
    },
  },
  {
    name: 'a replay of many makes so many due a second, oldest first, to the last that was there when it began',
    async run(storage) {
      const { appId } = await openApp(storage)
      const { appId: otherAppId } = await openApp(storage)
      const dead = [...(await recordDue(storage, appId, 5)), ...(await recordDue(storage, otherAppId, 1))]
      await kill(storage, dead.length)
      const [, first, second, third, fourth] = ids(dead)
      const filter = { status: 'DEAD', kind: 'stk', from: sampleTime, to: sampleTime } as const
      assert.equal(await storage.countReplayable(appId, filter), 5)
      assert.equal(await storage.countReplayable(appId, { ...filter, kind: 'c2b' }), 0)
      assert.equal(await storage.countReplayable(appId, { ...filter, from: new Date() }), 0)
      assert.equal(await storage.countReplayable(appId, { ...filter, to: new Date(0) }), 0)
      assert.equal(await storage.countReplayable(appId, { ...filter, status: 'DELIVERED' }), 0)
      const run = { id: 'replay-1', appId, filter, perSecond: 2, createdAt: sampleTime }
      const now = Date.now()
      const began = await storage.startReplay(run, new Date(now))
      assert.deepEqual(began, { ...run, state: 'RUNNING', matched: 5, replayed: 0, endedAt: null })
      assert.deepEqual(await storage.findReplay(run.id), began)
      const advanced = await Promise.all([1, 2, 3].map(() => storage.advanceReplays(new Date(now))))
      assert.deepEqual(
        advanced.toSorted((a, b) => a - b),
        [0, 0, 2],
        'one second is one step, whoever asks',
      )
      const claimed = await storage.claimDueEvents(lease(), limits(9), [])
      assert.deepEqual(ids(claimed).toSorted(), [ids(dead)[0], first])
      await storage.finishDeliveries(
        claimed.map(event => ended(event, { status: 'DEAD', error: 'HTTP 500' })),
        new Date(),
      )
      await recordDue(storage, appId, 1)
      await kill(storage, 1)
      assert.deepEqual(await advanceToEnd(storage, run.id, now), [2, 1], 'what was dead again, or later, is not in it')
      const later = lease({ at: new Date(now + 60_000) })
      assert.deepEqual(ids(await storage.claimDueEvents(later, limits(9), [])).toSorted(), [second, third, fourth])
      const done = await storage.findReplay(run.id)
      assert.deepEqual([done?.state, done?.replayed, done?.endedAt instanceof Date], ['DONE', 5, true])
      await storage.cancelReplay(run.id, new Date())
      assert.equal((await storage.findReplay(run.id))?.state, 'DONE')
      assert.deepEqual(await storage.listReplays(appId, 9), [done])
      assert.equal(await storage.findReplay('nobody'), null)
    },
  },
  {
    name: 'a replay that was cancelled, or whose app is deleted, makes nothing more due',
    async run(storage) {
      const filter = { status: 'DEAD', kind: null, from: null, to: null } as const
      const apps = [await openApp(storage), await openApp(storage)] as const
      for (const { appId } of apps) {
        await recordDue(storage, appId, 2)
        await kill(storage, 2)
        await storage.startReplay({ id: `of-${appId}`, appId, filter, perSecond: 1, createdAt: sampleTime }, new Date())
      }
      const [cancelled, deleted] = apps.map(({ appId }) => `of-${appId}`) as [string, string]
      await storage.cancelReplay(cancelled, new Date())
      assert.equal(await storage.deleteApp(apps[1].appId), true)
      assert.equal(await storage.advanceReplays(new Date(Date.now() + 60_000)), 0)
      for (const id of [cancelled, deleted]) {
        const run = await storage.findReplay(id)
        assert.deepEqual([run?.state, run?.replayed, run?.endedAt instanceof Date], ['CANCELLED', 0, true])
      }
    },
  },
]
