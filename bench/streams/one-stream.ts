import type { Measurement } from '../measurement.ts'
import { Crowd } from './crowd.ts'
import { measureScreenTimes, nextReceipt } from './screen-times.ts'
import type { StreamServer } from './stream-server.ts'

/** Each event is a frame to everybody: so many frames a second are what is written, however many follow. */
const framesPerSecond = 20_000
const forMs = 10_000

let lastNumber = 0

/** Connections that all follow every payment of the app. */
export async function measureOneStream(
  what: string,
  server: StreamServer,
  connections: number,
  limit: string | null,
): Promise<Measurement[]> {
  await using crowd = new Crowd(server.url, await server.subscribersOfAll(connections))
  const before = await server.memory()
  await crowd.open('open')
  const after = await server.memory()
  const heapKb = (after.heapUsed - before.heapUsed) / 1_024 / connections
  const perSecond = framesPerSecond / connections
  const next = () => ({ id: `ws_CO_all_${++lastNumber}`, receipt: nextReceipt() })
  const { p50Ms, p99Ms } = await measureScreenTimes(crowd, server.hook, { perSecond, forMs }, connections, next)
  const among = `${connections.toLocaleString('en-GB')} who follow all`
  const share = (measured: string) => (limit === null ? {} : { shareOf: `${limit}: ${measured}` })
  const [heap, p50, p99] = [
    `heap of each of ${among}`,
    `on every screen at ${perSecond}/s, ${among}, p50`,
    `on every screen at ${perSecond}/s, p99`,
  ]
  return [
    { name: `${what}: ${heap}`, value: heapKb, unit: 'KB', ...share(heap) },
    { name: `${what}: ${p50}`, value: p50Ms, unit: 'ms', ...share(p50) },
    { name: `${what}: ${p99}`, value: p99Ms, unit: 'ms', ...share(p99) },
  ]
}
