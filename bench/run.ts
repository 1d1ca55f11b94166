import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { Measurement, RunBench } from './measurement.ts'

type Bench = {
  tells: string
  load: () => Promise<RunBench>
  /** What `--large` runs instead, for a person who has the time. */
  large?: { tells: string; load: () => Promise<RunBench> }
}

/** Every bench: what it tells, and where it is. Loaded only when it runs, so that listing them is quick. */
const benches: Record<string, Bench> = {
  baseline: {
    tells: 'what this machine can do at best: SQLite commits and JSON.parse',
    load: async () => (await import('./baseline.ts')).baseline,
  },
  relay: {
    tells: 'callbacks that the relay stores and delivers, as a share of what a bare server acknowledges, and how soon',
    load: async () => (await import('./relay.ts')).relayIngest,
    large: {
      tells:
        'the same beside millions of events in PostgreSQL, and memory under five minutes of load; 30 minutes, 8 GB',
      load: async () => (await import('./relay-large.ts')).relayLarge,
    },
  },
  streams: {
    tells:
      'how soon a callback is on 1,000 screens, what a connection holds, and how soon all are back after a kill -9',
    load: async () => (await import('./streams.ts')).streams,
    large: {
      tells: 'the same with 10,000 connections; needs `ulimit -n` of 12,000, 4 GB and ten minutes',
      load: async () => (await import('./streams.ts')).streamsLarge,
    },
  },
  tracing: {
    tells: 'what tracing costs a callback where no OpenTelemetry SDK is registered, beside functions that do nothing',
    load: async () => (await import('./tracing.ts')).tracing,
  },
  lifecycle: {
    tells: "callbacks settled on SQLite and PostgreSQL, as a share of the store's own limit",
    load: async () => (await import('./lifecycle.ts')).lifecycle,
    large: {
      tells: 'history and settlement beside a million payments in PostgreSQL; takes ten minutes and 8 GB there',
      load: async () => (await import('./lifecycle-large.ts')).lifecycleLarge,
    },
  },
}

const list = Object.entries(benches)
  .flatMap(([name, { tells, large }]) => [[name, tells], ...(large ? [[`${name} --large`, large.tells]] : [])])
  .map(([name = '', tells]) => `  ${name.padEnd(18)} ${tells}`)
  .join('\n')
const help = `npm run bench -- NAME [--large] [--json]\n\n${list}`

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { json: { type: 'boolean' }, large: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } },
  })
  const [name] = positionals
  if (values.help || name === undefined) {
    console.log(help)
    return
  }
  const bench = benches[name]
  if (!bench || positionals.length > 1) throw new Error(`no such bench: ${positionals.join(' ')}\n\n${help}`)
  const { load } = values.large ? (bench.large ?? {}) : bench
  if (!load) throw new Error(`${name} has no --large\n\n${help}`)
  const run = await load()
  const measurements = withShares(await run())
  if (values.json) console.log(JSON.stringify({ bench: name, machine: machine(), measurements }, null, 2))
  else print(measurements)
}

type Shown = Measurement & { percentOfLimit?: number }

function withShares(measurements: Measurement[]): Shown[] {
  return measurements.map(measurement => {
    if (measurement.shareOf === undefined) return measurement
    const limit = measurements.find(({ name }) => name === measurement.shareOf)
    if (!limit) throw new Error(`${measurement.name} is a share of ${measurement.shareOf}, which was not measured`)
    return { ...measurement, percentOfLimit: (measurement.value / limit.value) * 100 }
  })
}

function machine(): { processor: string; cores: number; node: string } {
  return { processor: cpus()[0]?.model ?? 'unknown', cores: availableParallelism(), node: process.version }
}

function print(measurements: readonly Shown[]): void {
  const { processor, cores, node } = machine()
  console.log(`${processor}, ${cores} cores, Node ${node}\n`)
  const width = Math.max(...measurements.map(({ name }) => name.length))
  for (const { name, value, unit, percentOfLimit, shareOf, note } of measurements) {
    const share = percentOfLimit === undefined ? '' : `  ${percentOfLimit.toFixed(0)} % of ${shareOf}`
    console.log(`${name.padEnd(width)}  ${readable(value).padStart(12)} ${unit}${share}${note ? `  (${note})` : ''}`)
  }
}

function readable(value: number): string {
  return value.toLocaleString('en-GB', { maximumFractionDigits: value < 100 ? 2 : 0 })
}

try {
  await main()
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`)
  process.exitCode = 1
}
