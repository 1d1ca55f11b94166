import { type RelayStorage, SqliteRelayAdapter } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { findServices } from '../../../scripts/services/find.ts'
import { openRelaySchema } from '../relay-schema.ts'
import { checkoutIdOf, openStreams, receiptOf } from './stream-floor.ts'
import { readEvents, readUntil, transports } from './transports.ts'

const { postgres } = await findServices()
type Step = { readonly method: keyof RelayStorage; readonly limit?: number }
const steps: readonly (readonly [string, Step])[] = [
  ['the head of the log', { method: 'listStreamHeads' }],
  ['its oldest entry', { method: 'findStreamFloor' }],
  ['its last entry', { method: 'readStream', limit: 1 }],
  // Pages of who catches up are of this size.
  ['the history', { method: 'readStream', limit: 100 }],
]

/** A storage that answers the first call of `step`, once it is armed, only when it is let go. */
function holdStep(storage: RelayStorage, { method, limit }: Step) {
  let isArmed = false
  let [reached, letGo] = [() => {}, () => {}]
  const held = new Promise<void>(resolve => {
    reached = resolve
  })
  const released = new Promise<void>(resolve => {
    letGo = resolve
  })
  const holding = new Proxy(storage, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      return async (...args: unknown[]): Promise<unknown> => {
        // What it answers is how things were before it was held.
        const answer: unknown = await Reflect.apply(value, target, args)
        const asked = (args[1] as { limit?: number } | undefined)?.limit
        if (name === method && isArmed && (limit === undefined || asked === limit)) {
          isArmed = false
          reached()
          await released
        }
        return answer
      }
    },
  })
  return {
    storage: holding,
    held,
    letGo,
    arm(): void {
      isArmed = true
    },
  }
}

describe.each(transports)('by %s', (_name, open) => {
  test.each(steps)('what is recorded while a subscription reads %s is streamed once', async (_step, step) => {
    const store = await SqliteRelayAdapter.open(':memory:')
    await store.migrate()
    const gate = holdStep(store, step)
    await using floor = await openStreams({ storage: gate.storage })
    const { token } = await floor.mint()
    await floor.pay(1)
    gate.arm()
    // A response may begin only when something is told.
    const opening = open({ url: floor.relay.url, token, stream: 'source' })
    const reading = opening.then(reader => readEvents(reader, 3))
    await gate.held
    await floor.pay(2)
    gate.letGo()
    await using _reader = await opening
    await floor.pay(3)
    expect((await reading).map(({ event }) => event?.MpesaReceiptNumber)).toEqual([1, 2, 3].map(receiptOf))
  })

  test('what the tail passes while a page of the history is on its way is streamed once', async () => {
    const store = await SqliteRelayAdapter.open(':memory:')
    await store.migrate()
    const gate = holdStep(store, { method: 'readStream', limit: 100 })
    await using floor = await openStreams({ storage: gate.storage })
    const { token } = await floor.mint()
    await floor.pay(1)
    await using witness = await open({ url: floor.relay.url, token, stream: 'source' })
    await readEvents(witness, 1)
    gate.arm()
    const opening = open({ url: floor.relay.url, token, stream: 'source' })
    const reading = opening.then(reader => readEvents(reader, 3))
    await gate.held
    await floor.pay(2)
    await readEvents(witness, 1)
    gate.letGo()
    await using _reader = await opening
    await floor.pay(3)
    expect((await reading).map(({ event }) => event?.MpesaReceiptNumber)).toEqual([1, 2, 3].map(receiptOf))
  })
})

// Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.runIf(postgres !== undefined)('on PostgreSQL', () => {
  test('a transaction that began first and commits last stands last, and nobody passes it by', async () => {
    await using schema = await openRelaySchema(postgres?.url ?? '')
    await schema.storage.migrate()
    await using floor = await openStreams({ storage: schema.storage })
    const { token } = await floor.mint()
    await floor.pay(1)
    const other = await schema.pool.connect()
    await other.query('BEGIN')
    // Another relay that takes the next positions, and is slow to commit.
    await other.query(
      `SELECT relay_record_events(ARRAY['019aslow'], ARRAY[$1], ARRAY['stk'], ARRAY[$2], ARRAY['0 slow'], ARRAY[$2], ARRAY[$3::bytea],
         ARRAY[NULL::text], ARRAY[1], ARRAY[now()], ARRAY[NULL::text], ARRAY[true], ARRAY[NULL::text], 'lease', 0)`,
      [floor.appId, checkoutIdOf(2), Buffer.from(JSON.stringify(slowBody))],
    )
    const [, openSocket] = transports[0] ?? []
    if (openSocket === undefined) throw new Error('there are transports')
    await using reader = await openSocket({ url: floor.relay.url, token, stream: 'source' })
    const [first] = await readUntil(reader, 'live')
    const paying = floor.pay(3)
    // It waits for the log, which the slow one has: whoever looks meanwhile sees neither.
    await expect.poll(() => schema.pool.query(waiting).then(({ rows }) => rows.length)).toBeGreaterThan(0)
    await using early = await openSocket({ url: floor.relay.url, token, stream: 'source' })
    expect((await readUntil(early, 'live')).map(({ event }) => event?.id)).toEqual([first?.event?.id, undefined])
    await other.query('COMMIT')
    other.release()
    await paying
    for (const each of [reader, early]) {
      const [second, third] = await readEvents(each, 2)
      expect(second?.event?.id).toBe('019aslow')
      expect(third?.event?.MpesaReceiptNumber).toBe(receiptOf(3))
    }
  })
})

const waiting = `SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%relay_record_events%'`

const slowBody = {
  Body: {
    stkCallback: {
      MerchantRequestID: 'm-2',
      CheckoutRequestID: checkoutIdOf(2),
      ResultCode: 1032,
      ResultDesc: 'Request cancelled by user',
    },
  },
}

test('a refresh that races the revocation of its subject gains nothing', async () => {
  await using floor = await openStreams()
  for (let round = 0; round < 10; round++) {
    const subject = `cashier-${round}`
    await using client = await floor.open({ streams: ['source'], subject })
    const { token } = await floor.mint({ streams: ['source'], subject })
    const revoking = floor.post('/v1/tokens/revoke', { subject })
    client.send({ type: 'refresh', token })
    expect((await revoking).status).toBe(200)
    expect(await client.closed).toBe(4401)
    expect(client.frames.at(-1)).toMatchObject({ type: 'error', code: 'token_revoked', retry: 'token' })
  }
})
