import { Bench } from 'tinybench'

/** One number of a bench, with its unit. */
export type Measurement = {
  name: string
  value: number
  unit: 'per second' | 'ms' | 'microseconds' | 'bytes' | 'KB' | 'MB' | 'percent'
  /** The name of the limit, measured in the same run, that this is a share of. */
  shareOf?: string
  note?: string
}

/** What a file under bench/ exports. */
export type RunBench = () => Promise<Measurement[]>

/** How often a synchronous piece of work can be done in a second, and its slowest percentile. */
export async function measureRate(name: string, work: () => void, timeMs = 2_000): Promise<Measurement[]> {
  const bench = new Bench({ time: timeMs, warmupTime: timeMs / 10, throws: true })
  bench.add(name, work)
  const [task] = await bench.run()
  if (task?.result.state !== 'completed') throw new Error(`${name}: the measurement ended as ${task?.result.state}`)
  const { latency } = task.result
  // Not tinybench's mean throughput: a mean of rates hides the slow samples, and a disk's flush has many of them.
  const perSecond = 1_000 / latency.mean
  return [
    { name, value: perSecond, unit: 'per second', note: `within ${latency.rme.toFixed(1)} %` },
    { name: `${name}, p99`, value: latency.p99 * 1_000, unit: 'microseconds' },
  ]
}
