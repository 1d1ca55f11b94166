import { type RelayProcess, startRelay } from './relay-process.ts'

const script = new URL('sweeping-relay.ts', import.meta.url)

/** A relay to whom all that was delivered is old when it is told to sweep. */
export type SweepingRelay = RelayProcess & {
  /** Begins a sweep, or goes on with it. */
  sweep(): void
  /** Ends it early. */
  rest(): void
  /** How many rows it has removed. */
  removed(): Promise<number>
  /** Whether a sweep has come to its end. */
  hasSwept(): Promise<boolean>
}

export async function startSweepingRelay(environment: Readonly<Record<string, string>>): Promise<SweepingRelay> {
  const relay = await startRelay(environment, undefined, script)
  const sumOf = async (metric: string): Promise<number> => {
    const text = await (await fetch(`${relay.url}/metrics`)).text()
    const lines = text.split('\n').filter(line => line.startsWith(metric))
    return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
  }
  return {
    ...relay,
    sweep: () => void process.kill(relay.pid, 'SIGUSR2'),
    rest: () => void process.kill(relay.pid, 'SIGHUP'),
    removed: () => sumOf('relay_removed_total'),
    hasSwept: async () => (await sumOf('relay_last_sweep_timestamp_seconds')) > 0,
  }
}
