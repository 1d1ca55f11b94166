import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openSink } from '../e2e/relay/relay-floor.ts'
import type { Measurement } from './measurement.ts'
import { measureAlerts } from './relay/alerts.ts'
import { openBenchRelay } from './relay/bench-relay.ts'
import { findStores } from './relay/find-stores.ts'
import { measureLatency, measureNeighbours } from './relay/latency.ts'
import { postCallbacks } from './relay/post-callbacks.ts'
import { measureSweep } from './relay/retention.ts'

const warmUpMs = 1_500
const measureMs = 6_000
const limit = 'a bare server that parses the body and stores nothing'

/**
 * Callbacks a second that are stored and acknowledged over 64 connections, as a share of what a bare server on the same
 * machine acknowledges in the same run; the same with each delivered to a local endpoint at once; and how soon that is at a
 * steady pace, alone, beside a sweep of what is old, beside alerts and beside hostile endpoints.
 */
export async function relayIngest(): Promise<Measurement[]> {
  const measurements: Measurement[] = [{ name: limit, value: await measureBare(), unit: 'per second' }]
  for (const { store, open } of await findStores()) {
    for (const isDelivered of [false, true]) {
      const what = isDelivered ? 'stored, and delivered meanwhile' : 'stored'
      await using opened = await open()
      const value = await measureRelay(opened.environment, isDelivered)
      measurements.push({ name: `${store}: ${what}`, value, unit: 'per second', shareOf: limit })
    }
    await using opened = await open()
    measurements.push(...(await measureLatency(store, opened.environment)))
    await using swept = await open()
    measurements.push(...(await measureSweep(store, swept.environment)))
    await using troubled = await open()
    measurements.push(...(await measureAlerts(store, troubled.environment)))
  }
  measurements.push(...(await measureNeighbours({})))
  return measurements
}

async function measureBare(): Promise<number> {
  const script = fileURLToPath(new URL('relay/bare-server.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', 'tsx', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const url = `${line.replace('ready ', '')}/`
  await postCallbacks(url, warmUpMs)
  const perSecond = await postCallbacks(url, measureMs)
  child.kill('SIGKILL')
  return perSecond
}

async function measureRelay(environment: Readonly<Record<string, string>>, isDelivered: boolean): Promise<number> {
  await using sink = await openSink()
  await using relay = await openBenchRelay(environment)
  const { hook } = await relay.createApp(sink.url, { isDisabled: !isDelivered })
  await postCallbacks(hook, warmUpMs)
  // Awaited here: the relay is closed when this function returns.
  return await postCallbacks(hook, measureMs)
}
