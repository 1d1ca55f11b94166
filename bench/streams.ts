import type { Measurement } from './measurement.ts'
import { findStores } from './relay/find-stores.ts'
import { measureDistinct } from './streams/distinct.ts'
import { measureOneStream } from './streams/one-stream.ts'
import { measureStorm } from './streams/storm.ts'
import { openBareBroadcast, openStreamRelay } from './streams/stream-server.ts'

/**
 * How soon a callback that is posted is on a subscriber's screen, with many who follow a payment of their own and with many
 * who follow all; what a connection holds of the server's heap; and how soon all are back after the relay was killed. Beside a
 * bare `ws` server in the same run, which keeps nothing and looks nothing up.
 */
export const streams = (): Promise<Measurement[]> => measureStreams(1_000)
export const streamsLarge = (): Promise<Measurement[]> => measureStreams(10_000)

async function measureStreams(connections: number): Promise<Measurement[]> {
  const limit = 'bare ws'
  await using bare = await openBareBroadcast()
  const measurements: Measurement[] = []
  const keep = (some: readonly Measurement[]): void => {
    measurements.push(...some)
    for (const { name, value, unit } of some) console.error(`${name}: ${value.toFixed(1)} ${unit}`)
  }
  keep(await measureDistinct(limit, bare, connections, null))
  keep(await measureOneStream(limit, bare, connections, null))
  for (const { store, open } of await findStores()) {
    await using opened = await open()
    await using relay = await openStreamRelay(opened.environment)
    keep(await measureDistinct(store, relay, connections, limit))
    keep(await measureOneStream(store, relay, connections, limit))
    keep(await measureStorm(store, relay, connections))
  }
  return measurements
}
