import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSink } from '../../e2e/relay/relay-floor.ts'
import { startSweepingRelay } from '../../e2e/relay/start-sweeping-relay.ts'
import type { Measurement } from '../measurement.ts'
import { percentile } from './percentile.ts'
import { postCallbacks } from './post-callbacks.ts'
import { postSteadily } from './post-steadily.ts'

const fillMs = 10_000
const perSecond = 1_000
const warmUpMs = 500
const rounds = 6
const roundMs = 2_500

/** How soon a callback is acknowledged while a sweep empties the store beside it, as a share of what it takes without. */
export async function measureSweep(
  store: string,
  environment: Readonly<Record<string, string>>,
): Promise<Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-bench-'))
  const relay = await startSweepingRelay({ ...environment, RELAY_DATA_DIR: folder })
  try {
    await using sink = await openSink()
    sink.forget()
    const body = JSON.stringify({ targetUrl: sink.url, scheduleMs: [] })
    const headers = { 'content-type': 'application/json' }
    const made = await fetch(`${relay.url}/apps`, { method: 'POST', headers, body })
    const hook = `${relay.url}${((await made.json()) as { hookUrl: string }).hookUrl}`
    await postCallbacks(hook, fillMs)
    // By turns, so that what else the machine does falls on both.
    const quiet: number[] = []
    const beside: number[] = []
    await postSteadily(hook, perSecond, warmUpMs)
    for (let round = 0; round < rounds; round++) {
      for (const latencies of [quiet, beside]) {
        if (latencies === beside) relay.sweep()
        else relay.rest()
        await postSteadily(hook, perSecond, warmUpMs)
        latencies.push(...(await postSteadily(hook, perSecond, roundMs)).latenciesMs)
      }
    }
    if (await relay.hasSwept()) throw new Error('the sweep was over before the measurement: fill for longer')
    const removed = await relay.removed()
    const name = `${store}: acknowledged at ${perSecond.toLocaleString('en-GB')}/s between sweeps, p99`
    const note = `${Math.round((removed * 1_000) / (rounds * (warmUpMs + roundMs)))} rows a second removed`
    return [
      { name, value: percentile(quiet, 99), unit: 'ms' },
      { name: `${store}: the same beside a sweep`, value: percentile(beside, 99), unit: 'ms', shareOf: name, note },
    ]
  } finally {
    await relay.kill()
    rmSync(folder, { recursive: true, force: true })
  }
}
