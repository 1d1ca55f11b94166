import { PostgresRelayAdapter, type RelayStorage } from 'mpesa-stk/server'
import type { Pool } from 'pg'
import { paidBody } from '../e2e/callback-bodies.ts'
import { findServices } from '../scripts/services/find.ts'
import { withSchema } from './lifecycle/postgres-schema.ts'
import { measureInTurns, type Round } from './lifecycle/rounds.ts'
import type { Measurement } from './measurement.ts'
import { fillEvents, totals } from './relay/fill-events.ts'
import { findStores } from './relay/find-stores.ts'
import { measureMemory } from './relay/memory.ts'

const batch = 64
const count = 100
const leaseMs = 60_000

/** What a million pending and five million delivered events cost a callback, and what five minutes of load leave in memory. */
export async function relayLarge(): Promise<Measurement[]> {
  const { postgres } = await findServices()
  if (postgres === undefined) throw new Error('PostgreSQL is not there: npm run services -- start')
  const { url } = postgres
  const rates = await withSchema(url, full => withSchema(url, empty => compare(full, empty)))
  const memory: Measurement[] = []
  for (const { store, open } of await findStores()) {
    await using opened = await open()
    memory.push(...(await measureMemory(store, opened.environment)))
  }
  return [...rates, ...memory]
}

async function compare(fullPool: Pool, emptyPool: Pool): Promise<Measurement[]> {
  const [full, empty] = [new PostgresRelayAdapter(fullPool), new PostgresRelayAdapter(emptyPool)]
  await Promise.all([full.migrate(), empty.migrate()])
  await fillEvents(fullPool, line => console.error(line))
  const [inFull, inEmpty] = [roundsOf(full), roundsOf(empty)]
  const rates = await measureInTurns(
    { emptyRecord: inEmpty.record, fullRecord: inFull.record, emptyWork: inEmpty.work, fullWork: inFull.work },
    { count, callers: 1 },
  )
  const record = `events recorded in batches of ${batch}, no others`
  const work = `events claimed and finished in batches of ${batch}, no others`
  const among = `${totals.pending.toLocaleString('en-GB')} pending and ${totals.delivered.toLocaleString('en-GB')} delivered`
  return [
    { name: record, value: rates.emptyRecord * batch, unit: 'per second' },
    { name: `the same among ${among}`, value: rates.fullRecord * batch, unit: 'per second', shareOf: record },
    { name: work, value: rates.emptyWork * batch, unit: 'per second' },
    { name: `the same among ${among} ones`, value: rates.fullWork * batch, unit: 'per second', shareOf: work },
  ]
}

let lastNumber = 0

function roundsOf(storage: RelayStorage): { readonly record: Round; readonly work: Round } {
  const record = async (forMs: number): Promise<void> => {
    const events = Array.from({ length: batch }, createEvent)
    await storage.recordEvents(events, { leaseId: 'bench', leaseMs: forMs, at: new Date() })
  }
  return {
    record: { work: () => record(leaseMs) },
    work: {
      async ready() {
        for (let index = 0; index < count; index++) await record(0)
      },
      work: () => claimAndFinish(storage),
    },
  }
}

async function claimAndFinish(storage: RelayStorage): Promise<void> {
  const at = new Date()
  const leased = await storage.claimDueEvents({ leaseId: 'bench', leaseMs, at }, { perApp: batch, total: batch }, [])
  if (leased.length !== batch) throw new Error(`expected ${batch} due events, and there are ${leased.length}`)
  await storage.finishDeliveries(
    leased.map(({ id, leaseId }) => ({
      eventId: id,
      leaseId,
      attempt: { eventId: id, number: 1, at, durationMs: 5, httpStatus: 200, errorClass: null, responseHead: '' },
      outcome: { status: 'DELIVERED' },
    })),
    at,
  )
}

function createEvent() {
  const id = `01990000-0000-7000-8000-${String(++lastNumber).padStart(12, '0')}`
  const checkoutRequestId = `ws_CO_bench_${lastNumber}`
  return {
    id,
    appId: 'app-bench',
    kind: 'stk' as const,
    businessKey: checkoutRequestId,
    result: '0 UHH0AB12CD 500 0123456789abcdef',
    checkoutRequestId,
    body: Buffer.from(JSON.stringify(paidBody(checkoutRequestId, 'UHH0AB12CD'))),
    callbackToken: null,
    traceParent: null,
    receivedAt: new Date(),
    copies: 1,
    isHeld: false,
    contradicts: null,
  }
}
