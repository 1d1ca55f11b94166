import { describe, expect, test } from 'vitest'
import { findServices } from '../../scripts/services/find.ts'
import { openRelaySchema } from '../relay/relay-schema.ts'
import { openFaultyProxy } from './faulty-proxy.ts'
import { type Frame, PlainClient } from './plain-client.ts'
import { openStreamRelay, type StreamApp, type StreamRelay } from './stream-floor.ts'

const { postgres } = await findServices()
const key = 'a key that both relays share'
const receiptOf = ({ event }: Frame): string | undefined => (event as Record<string, string>)['MpesaReceiptNumber']

// Skipped only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
describe.skipIf(postgres === undefined)('two relays on one database', () => {
  /** One takes the callbacks, the other has the subscriber; by a way of its own to the database, if it is given the port of one. */
  async function openTwo(port?: number) {
    const schema = await openRelaySchema(postgres?.url ?? '')
    const url = new URL(schema.url(port))
    url.searchParams.set('application_name', `subscribers of ${process.pid}`)
    const relays = [
      await openStreamRelay({ DATABASE_URL: schema.url(), RELAY_ENCRYPTION_KEY: key }),
      await openStreamRelay({ DATABASE_URL: url.href, RELAY_ENCRYPTION_KEY: key }),
    ] as const
    return {
      schema,
      taker: relays[0],
      teller: relays[1],
      applicationName: url.searchParams.get('application_name'),
      async [Symbol.asyncDispose]() {
        for (const relay of relays) await relay[Symbol.asyncDispose]()
        await schema[Symbol.asyncDispose]()
      },
    }
  }

  async function subscribe({ url }: StreamRelay, app: StreamApp): Promise<PlainClient> {
    const { token } = await app.link.mintToken({ streams: ['source'] })
    const client = await PlainClient.open(url, { token })
    client.send({ type: 'subscribe', id: 1, stream: 'source' })
    await client.until(({ type }) => type === 'live')
    return client
  }

  /** Pays one after the other, each when the one before has come, so that each had to be told of by itself. */
  async function payInTurns(taker: StreamRelay, app: StreamApp, client: PlainClient, count: number) {
    const receipts = Array.from({ length: count }, (_, index) => `UHH0AB1${String(index).padStart(3, '0')}`)
    for (const receipt of receipts) {
      await taker.pay(app, { checkoutRequestId: `ws_CO_${receipt}`, receipt })
      await client.until(frame => frame.type === 'event' && receiptOf(frame) === receipt)
    }
    expect(client.of('event').map(receiptOf)).toEqual(receipts)
  }

  test('what one takes the other tells', async () => {
    await using two = await openTwo()
    const app = await two.taker.createApp()
    using client = await subscribe(two.teller, app)
    await payInTurns(two.taker, app, client, 20)
  })

  test('also when its listening connection is ended again and again', async () => {
    await using two = await openTwo()
    const app = await two.taker.createApp()
    using client = await subscribe(two.teller, app)
    let ended = 0
    const end = async (): Promise<void> => {
      const { rowCount } = await two.schema.pool.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND query LIKE 'LISTEN%'`,
        [two.applicationName],
      )
      ended += rowCount ?? 0
    }
    await expect
      .poll(async () => {
        await end()
        return ended
      })
      .toBeGreaterThan(0)
    const ending = setInterval(() => void end(), 20)
    try {
      await payInTurns(two.taker, app, client, 3)
    } finally {
      clearInterval(ending)
    }
  })

  test('also when it can listen to nothing at all: it looks by itself', async () => {
    await using way = await openFaultyProxy(Number(new URL(postgres?.url ?? '').port))
    await way.suffer({ kind: 'block', pattern: /LISTEN / })
    await using two = await openTwo(way.port)
    const app = await two.taker.createApp()
    using client = await subscribe(two.teller, app)
    await payInTurns(two.taker, app, client, 3)
  })

  test('a token that is taken back at one is good at neither', async () => {
    await using two = await openTwo()
    const app = await two.taker.createApp()
    const { token } = await app.link.mintToken({ streams: ['source'], subject: 'a till' })
    using client = await PlainClient.open(two.teller.url, { token })
    expect(client.of('ready')).toHaveLength(1)
    await app.link.revokeTokens({ subject: 'a till' })
    await client.until(({ code }) => code === 'token_revoked')
    await expect.poll(() => client.closed).toBe(4401)
  })

  test('who changes over goes on where he was, with the same cursor', async () => {
    await using two = await openTwo()
    const app = await two.taker.createApp()
    using first = await subscribe(two.teller, app)
    await payInTurns(two.taker, app, first, 2)
    const [one, other] = first.of('event')
    const { token } = await app.link.mintToken({ streams: ['source'] })
    using second = await PlainClient.open(two.taker.url, { token })
    second.send({ type: 'subscribe', id: 1, stream: 'source', from: one?.['cursor'] })
    await second.until(({ type }) => type === 'live')
    expect(second.of('gap')).toEqual([])
    expect(second.of('event').map(({ event, cursor }) => [event, cursor])).toEqual([
      [other?.['event'], other?.['cursor']],
    ])
  })
})
