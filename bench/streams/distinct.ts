import type { Measurement } from '../measurement.ts'
import { Crowd } from './crowd.ts'
import { measureScreenTimes, nextReceipt } from './screen-times.ts'
import { checkoutRequestIdOf, type StreamServer } from './stream-server.ts'

const pace = { perSecond: 500, forMs: 10_000 } as const
/** And a few that are sent while the last tick is late. */
const atMostEvents = (pace.perSecond * pace.forMs) / 1_000 + 500

/** Connections that each follow payments of their own, of which each is paid once. */
export async function measureDistinct(
  what: string,
  server: StreamServer,
  connections: number,
  limit: string | null,
): Promise<Measurement[]> {
  const perSubscriber = Math.ceil(atMostEvents / connections)
  const payments = Array.from({ length: connections * perSubscriber }, (_, payment) => payment)
  const subscribers = await server.subscribersOf(payments, perSubscriber)
  await using crowd = new Crowd(server.url, subscribers)
  const before = await server.memory()
  await crowd.open('open')
  const after = await server.memory()
  const heapKb = (after.heapUsed - before.heapUsed) / 1_024 / connections
  const residentKb = (after.rss - before.rss) / 1_024 / connections
  await crowd.openStreams(payments.length)
  let payment = 0
  const next = () => ({
    id: checkoutRequestIdOf(stepped(payment++, payments.length, connections)),
    receipt: nextReceipt(),
  })
  const { p50Ms, p99Ms } = await measureScreenTimes(crowd, server.hook, pace, 1, next)
  const among = `${connections.toLocaleString('en-GB')} who follow payments of their own`
  const share = (measured: string) => (limit === null ? {} : { shareOf: `${limit}: ${measured}` })
  const [heap, p50, p99] = [`heap of each of ${among}`, `on the screen at 500/s, ${among}, p50`, `the same, p99`]
  return [
    {
      name: `${what}: ${heap}`,
      value: heapKb,
      unit: 'KB',
      note: `resident ${residentKb.toFixed(1)} KB`,
      ...share(heap),
    },
    { name: `${what}: ${p50}`, value: p50Ms, unit: 'ms', ...share(p50) },
    { name: `${what}: ${p99}`, value: p99Ms, unit: 'ms', ...share(p99) },
  ]
}

/** One payment of each connection after the other, so that none is served twice in a row. */
function stepped(index: number, count: number, connections: number): number {
  const perSubscriber = count / connections
  return (index % connections) * perSubscriber + Math.floor(index / connections)
}
