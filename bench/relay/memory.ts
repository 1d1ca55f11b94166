import { readFileSync } from 'node:fs'
import { openSink } from '../../e2e/relay/relay-floor.ts'
import type { Measurement } from '../measurement.ts'
import { openBenchRelay } from './bench-relay.ts'
import { postCallbacks } from './post-callbacks.ts'

const minutes = 5
const minuteMs = 60_000

/** The memory of a relay that stores and delivers at full speed for five minutes: it has an end, or it has none. */
export async function measureMemory(
  store: string,
  environment: Readonly<Record<string, string>>,
): Promise<Measurement[]> {
  await using relay = await openBenchRelay(environment)
  await using sink = await openSink()
  sink.forget()
  const { hook } = await relay.createApp(sink.url)
  const afterMb: number[] = []
  for (let minute = 0; minute < minutes; minute++) {
    await postCallbacks(hook, minuteMs)
    afterMb.push(residentMb(relay.pid))
    console.error(`${store}: ${Math.round(afterMb.at(-1) ?? 0)} MB after ${minute + 1} min of load`)
  }
  const [first = Number.NaN] = afterMb
  const name = `${store}: resident after 1 min of load`
  return [
    { name, value: first, unit: 'MB' },
    { name: `${store}: resident after ${minutes} min`, value: afterMb.at(-1) ?? Number.NaN, unit: 'MB', shareOf: name },
  ]
}

function residentMb(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) / 1_024
}
