import assert from 'node:assert/strict'
import type { NewRelayEvent } from '../core/deliver/relay-event.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import type { RetentionKind } from '../core/deliver/retention.ts'
import { createTimeOrderedId } from '../core/time-ordered-id.ts'
import { ended, ids, lease, limits, openApp, type RelayCase, sampleEvent } from './relay-samples.ts'

const dayMs = 24 * 3_600_000
let lastByte = 0

/** Days after now: what is delivered now is older then. */
const inDays = (days: number): Date => new Date(Date.now() + days * dayMs)

function idAt(at: Date): string {
  return createTimeOrderedId(at, new Uint8Array(16).fill(++lastByte % 256))
}

/** Events that came one after another, with the ids that a relay gives them. */
async function record(storage: RelayStorage, appId: string, count: number): Promise<readonly NewRelayEvent[]> {
  const came = Date.now() - 1_000
  const events = Array.from({ length: count }, (_, index) => {
    const receivedAt = new Date(came + index)
    return sampleEvent(appId, { id: idAt(receivedAt), receivedAt })
  })
  await storage.recordEvents(events, lease({ leaseMs: 0 }))
  return events
}

/** Ends the oldest of them that are due, in the order in which they came. */
async function end(storage: RelayStorage, statuses: readonly ('DELIVERED' | 'DEAD' | 'FAILED')[]): Promise<void> {
  const claimed = await storage.claimDueEvents(lease(), limits(statuses.length), [])
  const outcomes = { DELIVERED: {}, DEAD: { error: 'HTTP 500' }, FAILED: { error: 'HTTP 500', delayMs: dayMs } }
  const results = claimed
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((event, index) => {
      const status = statuses[index] ?? 'DEAD'
      return ended(event, { status, ...outcomes[status] } as Parameters<typeof ended>[1])
    })
  await storage.finishDeliveries(results, new Date())
}

/** Walks to the end by small steps. How many rows were removed. */
async function walk(storage: RelayStorage, kind: RetentionKind, olderThan: Date, limit = 2): Promise<number> {
  let removed = 0
  for (let after = '', steps = 0; ; steps++) {
    const step = await storage.retain(kind, olderThan, after, limit)
    removed += step.removed
    if (step.isDone) return removed
    assert.notEqual(step.after, after, 'it does not stay where it is')
    assert(steps < 100, 'it has an end')
    after = step.after
  }
}

const bodyOf = async (storage: RelayStorage, { id }: { readonly id: string }): Promise<Uint8Array | null | undefined> =>
  (await storage.findEvent(id))?.body

export const relayRetentionCases: readonly RelayCase[] = [
  {
    name: 'a turn is taken by the first who asks, and again when it is over',
    async run(storage) {
      const now = Date.now()
      const asked = await Promise.all([1, 2, 3].map(() => storage.takeTurn('x', 60_000, new Date(now))))
      assert.equal(asked.filter(Boolean).length, 1)
      assert.equal(await storage.takeTurn('y', 60_000, new Date(now)), true)
      await new Promise(resolve => setTimeout(resolve, 20))
      assert.equal(await storage.takeTurn('x', 10, new Date(now + 20)), true)
      // By a clock that was ahead by far.
      await storage.keepSetting('z', String(now + 90 * dayMs))
      assert.equal(await storage.takeTurn('z', 60_000, new Date(now)), true)
      assert.equal(await storage.takeTurn('z', 60_000, new Date(now)), false)
    },
  },
  {
    name: 'delivered events that are old enough go with their attempts, and whatever was not delivered stays',
    async run(storage) {
      const { appId } = await openApp(storage)
      const events = await record(storage, appId, 8)
      await end(storage, ['DEAD', 'DEAD', 'DEAD', 'DELIVERED', 'FAILED', 'DELIVERED', 'DELIVERED'])
      assert.equal(await walk(storage, 'delivered', inDays(-1)), 0, 'they were delivered later than that')
      assert.equal(await walk(storage, 'delivered', inDays(1)), 3)
      const kept = [0, 1, 2, 4, 7].flatMap(index => events[index] ?? [])
      assert.deepEqual(ids(await storage.listEvents(appId, {}, 99)), ids(kept).toReversed())
      const attempts = await Promise.all(events.map(async ({ id }) => (await storage.listAttempts(id, 9)).length))
      assert.deepEqual(attempts, [1, 1, 1, 0, 1, 0, 0, 0])
      // A copy of what has been forgotten is new.
      const [, , , forgotten] = events
      assert(forgotten !== undefined)
      const again = await storage.recordEvents([{ ...forgotten, id: idAt(new Date()) }], lease())
      assert.deepEqual(again, [{ outcome: 'recorded', contradicts: null }])
    },
  },
  {
    name: 'an event whose body was removed stays, absorbs its copies, and is in no replay',
    async run(storage) {
      const { appId } = await openApp(storage)
      const events = await record(storage, appId, 4)
      const [emptied, dead, , pending] = events
      assert(emptied !== undefined && dead !== undefined && pending !== undefined)
      await end(storage, ['DELIVERED', 'DEAD', 'DELIVERED'])
      assert.equal(await walk(storage, 'bodies', inDays(-1)), 0)
      assert.equal(await walk(storage, 'bodies', inDays(1)), 2)
      assert.equal(await walk(storage, 'bodies', inDays(1)), 0, 'they are empty')
      assert.equal(await bodyOf(storage, emptied), null)
      assert.deepEqual(await bodyOf(storage, dead), dead.body)
      assert.deepEqual(await bodyOf(storage, pending), pending.body)
      assert.equal((await storage.findEvent(emptied.id))?.event.status, 'DELIVERED')
      assert.equal((await storage.listAttempts(emptied.id, 9)).length, 1)
      assert.deepEqual(await storage.recordEvents([{ ...emptied, id: idAt(new Date()) }], lease()), [
        { outcome: 'repeat' },
      ])
      assert.equal(await storage.replayEvents(ids(events), new Date()), 2)
      assert.equal((await storage.findEvent(emptied.id))?.event.status, 'DELIVERED')
      const filter = { status: 'DELIVERED', kind: null, from: null, to: null } as const
      assert.equal(await storage.countReplayable(appId, filter), 0)
      const run = { id: 'replay-of-none', appId, filter, perSecond: 9, createdAt: new Date() }
      assert.equal((await storage.startReplay(run, new Date())).matched, 0)
      assert.equal(await storage.advanceReplays(new Date()), 0)
    },
  },
  {
    name: 'what a running replay has still to come to stays until it has ended',
    async run(storage) {
      const { appId } = await openApp(storage)
      const { appId: otherAppId } = await openApp(storage)
      const events = await record(storage, appId, 3)
      const [other] = await record(storage, otherAppId, 1)
      await end(storage, ['DELIVERED', 'DELIVERED', 'DELIVERED', 'DELIVERED'])
      const [first, second] = events
      assert(first !== undefined && second !== undefined && other !== undefined)
      const filter = { status: 'DELIVERED', kind: null, from: null, to: null } as const
      const run = { id: 'replay-1', appId, filter, perSecond: 1, createdAt: new Date() }
      const now = new Date()
      await storage.startReplay(run, now)
      assert.equal(await storage.advanceReplays(now), 1)
      await end(storage, ['DELIVERED'])
      // It has come to the first, and has nothing to do with the other's app.
      assert.equal(await walk(storage, 'bodies', inDays(1)), 2)
      assert.equal(await bodyOf(storage, first), null)
      assert.deepEqual(await bodyOf(storage, second), second.body)
      assert.equal(await walk(storage, 'attempts', inDays(1)), 3)
      assert.equal((await storage.listAttempts(second.id, 9)).length, 1)
      assert.equal(await walk(storage, 'delivered', inDays(1)), 2)
      await storage.cancelReplay(run.id, new Date())
      assert.equal(await walk(storage, 'delivered', inDays(1)), 2)
    },
  },
  {
    name: 'old attempts at what was delivered go, however many one event has, and those at what was not stay',
    async run(storage) {
      const { appId } = await openApp(storage)
      const [busy, dead] = await record(storage, appId, 2)
      assert(busy !== undefined && dead !== undefined)
      for (let replay = 0; replay < 12; replay++) {
        await end(storage, ['DELIVERED', 'DEAD'])
        await storage.replayEvents([busy.id], new Date())
      }
      await end(storage, ['DELIVERED'])
      // The samples' attempts have a time of their own, long ago.
      const now = new Date()
      assert.equal((await storage.retain('attempts', new Date(0), '', 5)).removed, 0)
      assert.equal(await walk(storage, 'attempts', now, 5), 13)
      assert.equal(await walk(storage, 'attempts', inDays(1), 5), 0)
      assert.deepEqual(await storage.listAttempts(busy.id, 99), [])
      assert.equal((await storage.listAttempts(dead.id, 99)).length, 1)
      assert.equal((await storage.findEvent(busy.id))?.event.attemptCount, 13)
    },
  },
  {
    name: 'bodies that are nobody’s events go when they are old enough, and no younger ones',
    async run(storage) {
      const said = { reason: 'unrecognised', detail: 'no', body: Uint8Array.of(1), length: 1 } as const
      const kept = { ...said, appId: 'a', budget: 'a', callbackToken: null }
      const at = [inDays(-3), inDays(-2), inDays(-1), new Date()]
      const bodies = at.map(receivedAt => ({ ...kept, id: idAt(receivedAt), receivedAt }))
      await storage.quarantine(bodies)
      assert.equal(await walk(storage, 'quarantine', inDays(-1.5)), 2)
      assert.deepEqual(ids(await storage.listQuarantine(null, 9)), ids(bodies.slice(2)).toReversed())
    },
  },
  {
    name: 'a sweep stays out of the way of whoever replays, delivers or sweeps at the same time',
    async run(storage) {
      const { appId } = await openApp(storage)
      const events = await record(storage, appId, 40)
      await end(
        storage,
        events.map(() => 'DELIVERED' as const),
      )
      const [swept, sweptToo, replayed] = await Promise.all([
        walk(storage, 'bodies', inDays(1), 7),
        walk(storage, 'bodies', inDays(1), 11),
        storage.replayEvents(ids(events), new Date()),
        storage.recordEvents(
          events.map(event => ({ ...event, id: idAt(new Date()) })),
          lease(),
        ),
      ])
      const pending = await storage.listEvents(appId, { status: 'PENDING' }, 99)
      assert.equal(pending.length, replayed)
      for (const event of pending)
        assert((await bodyOf(storage, event))?.length, 'what is to be delivered has its body')
      const left = await walk(storage, 'bodies', inDays(1))
      assert.equal(swept + sweptToo + left + replayed, 40)
      assert.equal((await storage.listEvents(appId, {}, 99)).length, 40)
    },
  },
]
