import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { openSink } from '../e2e/relay/relay-floor.ts'
import { startRelay } from '../e2e/relay/relay-process.ts'
import { openRelaySchema } from '../e2e/relay/relay-schema.ts'
import { findServices } from '../scripts/services/find.ts'
import type { Measurement } from './measurement.ts'
import { postCallbacks } from './relay/post-callbacks.ts'

const warmUpMs = 1_500
const measureMs = 6_000
const limit = 'a bare server that parses the body and stores nothing'

/**
 * Callbacks a second that are stored and acknowledged over 64 connections, as a share of what a bare server on the same
 * machine acknowledges in the same run; then the same with each delivered to a local endpoint at once.
 */
export async function relayIngest(): Promise<Measurement[]> {
  const measurements: Measurement[] = [{ name: limit, value: await measureBare(), unit: 'per second' }]
  const { postgres } = await findServices()
  for (const isDelivered of [false, true]) {
    const what = isDelivered ? 'stored, and delivered meanwhile' : 'stored'
    const sqlite = await measureRelay({}, isDelivered)
    measurements.push({ name: `SQLite: ${what}`, value: sqlite, unit: 'per second', shareOf: limit })
    if (postgres === undefined) {
      console.error('PostgreSQL is not there and was left out: npm run services -- start')
      continue
    }
    await using schema = await openRelaySchema(postgres.url)
    const value = await measureRelay({ DATABASE_URL: schema.url() }, isDelivered)
    measurements.push({ name: `PostgreSQL: ${what}`, value, unit: 'per second', shareOf: limit })
  }
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
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-bench-'))
  await using sink = await openSink()
  const relay = await startRelay({ ...environment, PORT: '0', RELAY_DATA_DIR: folder, LOG_LEVEL: 'error' })
  const created = await fetch(`${relay.url}/apps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ targetUrl: sink.url }),
  })
  const { appId, hookUrl, signingSecret } = (await created.json()) as Record<string, string>
  if (!isDelivered) {
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${signingSecret}` }
    const body = JSON.stringify({ isDisabled: true })
    await fetch(`${relay.url}/apps/${appId}`, { method: 'PATCH', headers, body })
  }
  await postCallbacks(`${relay.url}${hookUrl}`, warmUpMs)
  const perSecond = await postCallbacks(`${relay.url}${hookUrl}`, measureMs)
  await relay.kill()
  rmSync(folder, { recursive: true, force: true })
  return perSecond
}
