import { describe, expect, test } from 'vitest'
import type { AttemptAnswer } from '../core/deliver/judge-attempt.ts'
import type { RelayApp } from '../core/deliver/relay-app.ts'
import type { DeliveryResult, LeasedEvent } from '../core/deliver/relay-event.ts'
import type { DeliveryLease, RelayStorage } from '../core/deliver/relay-storage.ts'
import { DeliveryWorker, deliveryLeaseMs } from './delivery-worker.ts'
import { createSignal } from './signal.ts'

const began = Date.parse('2026-04-03T10:00:00.000Z')
const secrets = { signingSecret: 'signing', streamSecret: 'stream', previous: null }
const app: RelayApp = {
  appId: 'app',
  sourceId: 'source',
  targetUrl: 'https://shop.example/hook',
  sealedSecrets: Uint8Array.of(0),
  isDisabled: false,
  disabledReason: null,
  scheduleMs: null,
  c2bFallback: 'accept',
  dailyQuota: null,
  createdAt: new Date(began),
  version: 1,
  receives: 'callbacks',
  publicStreams: false,
  allowedOrigins: null,
}
const answered: AttemptAnswer = { outcome: 'answered', httpStatus: 200, retryAfterMs: null, head: 'thanks' }

const eventsOf = (count: number, changes: Partial<LeasedEvent> = {}): readonly LeasedEvent[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `event-${index + 1}`,
    appId: 'app',
    kind: 'stk',
    body: new TextEncoder().encode('{"Body":{}}'),
    callbackToken: null,
    traceParent: null,
    contradicts: null,
    receivedAt: new Date(began),
    attemptCount: 0,
    failures: 0,
    leaseId: 'lease',
    ...changes,
  }))

/** What a test may change of what the worker works with. `pass` lets time go by. */
type Changes = {
  readonly findApp?: () => RelayApp | null
  readonly send?: (eventId: string) => Promise<AttemptAnswer>
  readonly claim?: () => readonly LeasedEvent[]
  /** Of the renewal of this number: whether the lease is still ours. */
  readonly renew?: (number: number) => boolean
  /** Of the try of this number, to store results. */
  readonly store?: (number: number) => void
}

/** A worker among fakes, on a clock that goes on when it is told to. What happened, in its order, is in `steps`. */
function openWorker({ findApp = () => app, send, claim = () => [], renew = () => true, store }: Changes = {}) {
  const steps: string[] = []
  const leases: DeliveryLease[] = []
  const results: DeliveryResult[] = []
  const sleptMs: number[] = []
  const log: string[] = []
  let nowMs = 0
  let renewals = 0
  let stores = 0
  const now = (): Date => new Date(began + nowMs)
  const write = (fields: object, message: string): void => void log.push(`${message} ${JSON.stringify(fields)}`)
  const storage: Pick<RelayStorage, 'claimDueEvents' | 'renewLeases' | 'finishDeliveries'> = {
    claimDueEvents: async () => claim(),
    async renewLeases(ids, lease) {
      if (leases.length === 100) throw new Error('renewed without end')
      steps.push('renewed')
      leases.push(lease)
      return renew(++renewals) ? ids : []
    },
    async finishDeliveries(stored) {
      store?.(++stores)
      results.push(...stored)
    },
  }
  const worker = new DeliveryWorker({
    storage: storage as RelayStorage,
    clock: {
      now,
      async sleep(ms) {
        sleptMs.push(ms)
      },
    },
    steadyNow: now,
    monotonicMs: () => nowMs,
    random: length => new Uint8Array(length),
    logger: { info: write, warn: write, error: write },
    async send({ headers }) {
      steps.push('sent')
      return send === undefined ? answered : await send(headers['x-mpesa-event-id'] ?? '')
    },
    async findApp() {
      const found = findApp()
      steps.push('found')
      return found === null ? null : { app: found, secrets }
    },
    disableApp: async () => undefined,
    onAttempt: () => undefined,
    raise: type => void log.push(type),
  })
  return {
    worker,
    steps,
    leases,
    sleptMs,
    log: () => log.join('\n'),
    nowMs: () => nowMs,
    pass(ms: number): void {
      nowMs += ms
    },
    outcomes: () => results.map(({ eventId, outcome }) => ({ eventId, ...outcome })),
    results,
    async [Symbol.asyncDispose]() {
      await worker.stop()
    },
  }
}

describe('a lease', () => {
  test('that is young is not renewed', async () => {
    await using opened = openWorker({
      findApp() {
        opened.pass(29_999)
        return app
      },
    })
    opened.worker.start()
    opened.worker.handOver(eventsOf(1), 0)
    await opened.worker.idle()
    expect(opened.steps).toEqual(['found', 'sent'])
    expect(opened.outcomes()).toEqual([{ eventId: 'event-1', status: 'DELIVERED' }])
  })

  test('that ran out while the app was looked for is renewed from then on, and before anything is sent', async () => {
    await using opened = openWorker({
      findApp() {
        opened.pass(deliveryLeaseMs + 1)
        return app
      },
    })
    opened.worker.start()
    opened.worker.handOver(eventsOf(1), 0)
    await opened.worker.idle()
    expect(opened.steps).toEqual(['found', 'renewed', 'sent'])
    const at = new Date(began + deliveryLeaseMs + 1)
    expect(opened.leases).toEqual([{ leaseId: 'lease', leaseMs: deliveryLeaseMs, at }])
    expect(opened.outcomes()).toEqual([{ eventId: 'event-1', status: 'DELIVERED' }])
  })

  test('that somebody else has by then lets nothing be sent or stored, and leaves the place to what comes next', async () => {
    let isOurs = false
    await using opened = openWorker({
      findApp() {
        opened.pass(deliveryLeaseMs + 1)
        return app
      },
      renew: () => isOurs,
    })
    opened.worker.start()
    // More than may run at once.
    opened.worker.handOver(eventsOf(40), 0)
    await expect.poll(() => opened.leases).toHaveLength(40)
    await opened.worker.idle()
    expect(opened.steps).not.toContain('sent')
    expect(opened.results).toEqual([])
    isOurs = true
    opened.worker.handOver(eventsOf(1), opened.nowMs())
    await opened.worker.idle()
    expect(opened.outcomes()).toEqual([{ eventId: 'event-1', status: 'DELIVERED' }])
  })

  test('whose renewal itself took too long is renewed again', async () => {
    await using opened = openWorker({
      findApp() {
        opened.pass(30_000)
        return app
      },
      renew(number) {
        opened.pass(number < 3 ? 30_001 : 29_999)
        return true
      },
    })
    opened.worker.start()
    opened.worker.handOver(eventsOf(1), 0)
    await opened.worker.idle()
    expect(opened.steps).toEqual(['found', 'renewed', 'renewed', 'renewed', 'sent'])
  })

  test('that is lost in the second renewal lets nothing be sent', async () => {
    await using opened = openWorker({
      findApp() {
        opened.pass(30_000)
        return app
      },
      renew(number) {
        opened.pass(30_001)
        return number === 1
      },
    })
    opened.worker.start()
    opened.worker.handOver(eventsOf(1), 0)
    await opened.worker.idle()
    expect(opened.steps).toEqual(['found', 'renewed', 'renewed'])
    expect(opened.results).toEqual([])
  })

  test('whose renewal fails lets nothing be sent, and its event is due again', async () => {
    await using opened = openWorker({
      findApp() {
        opened.pass(30_000)
        return app
      },
      renew() {
        throw new Error('connection lost')
      },
    })
    opened.worker.start()
    opened.worker.handOver(eventsOf(1), 0)
    await opened.worker.idle()
    expect(opened.steps).toEqual(['found', 'renewed'])
    expect(opened.outcomes()).toEqual([{ eventId: 'event-1', status: 'held', delayMs: 1_000 }])
  })

  test('counts from when it was asked for: a claim that took long is renewed before anything is sent', async () => {
    const due = [...eventsOf(1)]
    await using opened = openWorker({
      claim() {
        if (due.length > 0) opened.pass(30_000)
        return due.splice(0)
      },
    })
    opened.worker.start()
    await opened.worker.claimDue()
    await opened.worker.idle()
    expect(opened.steps).toEqual(['found', 'renewed', 'sent'])
  })

  test('of an event that waited long for its turn is renewed before that is sent', async () => {
    const ended = createSignal()
    await using opened = openWorker({
      async send() {
        await ended.happened
        return answered
      },
    })
    opened.worker.start()
    // The last one waits for one of the others to end.
    opened.worker.handOver(eventsOf(17), 0)
    await expect.poll(() => opened.steps.filter(step => step === 'sent')).toHaveLength(16)
    opened.pass(30_000)
    ended.happen()
    await opened.worker.idle()
    expect(opened.steps.slice(-3)).toEqual(['found', 'renewed', 'sent'])
    expect(opened.leases).toHaveLength(1)
    expect(opened.results).toHaveLength(17)
  })
})

describe('a worker that is stopped', () => {
  test('gives back what is handed over, to be due at once', async () => {
    await using opened = openWorker()
    opened.worker.start()
    await opened.worker.stop()
    opened.worker.handOver(eventsOf(2), 0)
    await opened.worker.idle()
    expect(opened.steps).toEqual([])
    expect(opened.outcomes()).toEqual([
      { eventId: 'event-1', status: 'held', delayMs: 0 },
      { eventId: 'event-2', status: 'held', delayMs: 0 },
    ])
    expect(opened.results.map(({ leaseId, attempt }) => [leaseId, attempt])).toEqual(Array(2).fill(['lease', null]))
  })

  test('gives back what waits, to be due at once, and waits for what is under way to be stored', async () => {
    const ended = createSignal()
    await using opened = openWorker({
      async send() {
        await ended.happened
        return answered
      },
    })
    opened.worker.start()
    opened.worker.handOver(eventsOf(20), 0)
    await expect.poll(() => opened.steps.filter(step => step === 'sent')).toHaveLength(16)
    const stopped = opened.worker.stop()
    await expect.poll(() => opened.results).toHaveLength(4)
    expect(opened.outcomes()).toEqual(
      [17, 18, 19, 20].map(number => ({ eventId: `event-${number}`, status: 'held', delayMs: 0 })),
    )
    ended.happen()
    await stopped
    expect(opened.outcomes().filter(({ status }) => status === 'DELIVERED')).toHaveLength(16)
  })
})

describe('an app', () => {
  test('that was deleted has its events end dead, saying so, and nothing is sent', async () => {
    await using opened = openWorker({ findApp: () => null })
    opened.worker.start()
    opened.worker.handOver(eventsOf(40), 0)
    await expect.poll(() => opened.results).toHaveLength(40)
    expect(opened.steps).not.toContain('sent')
    expect(opened.outcomes()).toEqual(
      eventsOf(40).map(({ id }) => ({ eventId: id, status: 'DEAD', error: 'its app was deleted' })),
    )
    for (const { attempt } of opened.results) expect(attempt).toBe(null)
  })

  test('that is disabled has its events given back as they were, and nothing is sent', async () => {
    await using opened = openWorker({ findApp: () => ({ ...app, isDisabled: true }) })
    opened.worker.start()
    opened.worker.handOver(eventsOf(40), 0)
    await expect.poll(() => opened.results).toHaveLength(40)
    expect(opened.steps).not.toContain('sent')
    expect(opened.outcomes()).toEqual(eventsOf(40).map(({ id }) => ({ eventId: id, status: 'held', delayMs: 1_000 })))
  })

  test('that cannot be looked up has its events given back as they were, and nothing is sent', async () => {
    await using opened = openWorker({
      findApp() {
        throw new Error('connection lost')
      },
    })
    opened.worker.start()
    opened.worker.handOver(eventsOf(40), 0)
    await expect.poll(() => opened.results).toHaveLength(40)
    expect(opened.steps).not.toContain('sent')
    expect(opened.outcomes()).toEqual(eventsOf(40).map(({ id }) => ({ eventId: id, status: 'held', delayMs: 1_000 })))
    expect(opened.log()).toContain('connection lost')
  })
})

describe('a store that fails', () => {
  test('is tried again until it takes the results, and none of them is lost', async () => {
    await using opened = openWorker({
      store(number) {
        if (number <= 5) throw new Error('connection lost')
      },
    })
    opened.worker.start()
    opened.worker.handOver(eventsOf(300), 0)
    await expect.poll(() => opened.results).toHaveLength(300)
    expect(opened.sleptMs).toEqual(Array(5).fill(500))
    expect(opened.outcomes().toSorted((one, other) => (one.eventId < other.eventId ? -1 : 1))).toEqual(
      eventsOf(300)
        .map(({ id }) => ({ eventId: id, status: 'DELIVERED' }))
        .toSorted((one, other) => (one.eventId < other.eventId ? -1 : 1)),
    )
    expect(opened.steps.filter(step => step === 'sent')).toHaveLength(300)
    expect(opened.log()).toBe('')
  })

  test('is no longer tried by a worker that is stopped, which says what it could not store', async () => {
    const tried = createSignal()
    let isBack = false
    await using opened = openWorker({
      store() {
        tried.happen()
        if (!isBack) throw new Error('connection lost')
      },
    })
    opened.worker.handOver(eventsOf(1), 0)
    await tried.happened
    await opened.worker.idle()
    expect(opened.sleptMs).toEqual([])
    expect(opened.log()).toContain('it is due again when its lease has run out')
    isBack = true
    opened.worker.handOver(eventsOf(1), 0)
    await opened.worker.idle()
    expect(opened.outcomes()).toEqual([{ eventId: 'event-1', status: 'held', delayMs: 0 }])
  })
})
