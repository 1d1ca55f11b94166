import { failedBody, paidBody } from '../../e2e/callback-bodies.ts'
import { openSink } from '../../e2e/relay/relay-floor.ts'
import type { Measurement } from '../measurement.ts'
import { type BenchApp, openBenchRelay } from './bench-relay.ts'
import { percentile } from './percentile.ts'
import { postSteadily } from './post-steadily.ts'

const perSecond = 500
const warmUpMs = 2_000
const measureMs = 8_000
/** Each contradicts itself once: so many alerts while it is measured. */
const troubledApps = 100

/** How soon callbacks are acknowledged beside contradictions of which nobody is told, and beside those that an operator is told of. */
export async function measureAlerts(
  store: string,
  environment: Readonly<Record<string, string>>,
): Promise<Measurement[]> {
  await using relay = await openBenchRelay(environment)
  await using operator = await openSink()
  const silent = { isDisabled: true }
  const calm = await relay.createApp(operator.url, silent)
  await postSteadily(calm.hook, perSecond, warmUpMs)
  async function beside(): Promise<number> {
    const apps: BenchApp[] = []
    for (let app = 0; app < troubledApps; app++) apps.push(await relay.createApp(operator.url, silent))
    const trouble = contradictThemselves(apps)
    const { latenciesMs } = await postSteadily(calm.hook, perSecond, measureMs)
    await trouble
    return percentile(latenciesMs, 99)
  }
  const untold = await beside()
  await relay.createApp(operator.url, { receives: 'alerts' })
  const told = await beside()
  await operator.have(troubledApps)
  const name = `${store}: acknowledged at ${perSecond}/s, contradictions in the log alone, p99`
  return [
    { name, value: untold, unit: 'ms' },
    {
      name: `${store}: the same, and ${troubledApps} alerts delivered meanwhile, p99`,
      value: told,
      unit: 'ms',
      shareOf: name,
    },
  ]
}

async function contradictThemselves(apps: readonly BenchApp[]): Promise<void> {
  for (const { hook } of apps) {
    for (const body of [paidBody('ws_CO_trouble', 'UHH0AB12CD'), failedBody('ws_CO_trouble', 1032)]) {
      await (await fetch(hook, { method: 'POST', body: JSON.stringify(body) })).arrayBuffer()
    }
    await new Promise(resolve => setTimeout(resolve, measureMs / apps.length / 2))
  }
}
