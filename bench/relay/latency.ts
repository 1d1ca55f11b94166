import { openSink, type Sink } from '../../e2e/relay/relay-floor.ts'
import type { Measurement } from '../measurement.ts'
import { openBenchRelay } from './bench-relay.ts'
import { percentile } from './percentile.ts'
import { type Posted, postSteadily } from './post-steadily.ts'

const warmUpMs = 2_000
const measureMs = 10_000
const idOf = (body: string): string => /ws_CO_steady_\d+/.exec(body)?.[0] ?? ''

/** How soon a callback is acknowledged at a steady 1,000 a second, and reaches its merchant at 500 a second. */
export async function measureLatency(
  store: string,
  environment: Readonly<Record<string, string>>,
): Promise<Measurement[]> {
  await using relay = await openBenchRelay(environment)
  await using sink = await openSink()
  const silent = await relay.createApp(sink.url, { isDisabled: true })
  await postSteadily(silent.hook, 1_000, warmUpMs)
  const { latenciesMs } = await postSteadily(silent.hook, 1_000, measureMs)
  const delivered = await relay.createApp(sink.url)
  await deliver(delivered.hook, sink, 500, warmUpMs)
  const reachedMs = await deliver(delivered.hook, sink, 500, measureMs)
  return [
    { name: `${store}: acknowledged at 1,000/s, p99`, value: percentile(latenciesMs, 99), unit: 'ms' },
    { name: `${store}: merchant reached at 500/s, p99`, value: percentile(reachedMs, 99), unit: 'ms' },
  ]
}

/** What an app's deliveries cost beside endpoints that hang, drip, reset and fail, as a share of what they cost alone. */
export async function measureNeighbours(environment: Readonly<Record<string, string>>): Promise<Measurement[]> {
  await using relay = await openBenchRelay(environment)
  await using good = await openSink()
  await using bad = await openSink()
  bad.answer((request, response) => misbehave[Number(/\d/.exec(request.url ?? '')?.[0] ?? 0)]?.(response))
  const app = await relay.createApp(good.url)
  await deliver(app.hook, good, 200, warmUpMs)
  const quiet = percentile(await deliver(app.hook, good, 200, measureMs), 99)
  const hostile = await Promise.all(misbehave.map((_, kind) => relay.createApp(`${bad.url}/${kind}`)))
  const floods = hostile.map(({ hook }) => postSteadily(hook, 50, measureMs + 2 * warmUpMs))
  await deliver(app.hook, good, 200, warmUpMs)
  const beside = percentile(await deliver(app.hook, good, 200, measureMs), 99)
  await Promise.all(floods)
  const name = 'merchant reached at 200/s alone, p99'
  return [
    { name, value: quiet, unit: 'ms' },
    { name: `the same beside ${misbehave.length} hostile endpoints, p99`, value: beside, unit: 'ms', shareOf: name },
  ]
}

type Response = import('node:http').ServerResponse

/** What the endpoints do with a delivery. */
const misbehave: readonly ((response: Response) => void)[] = [
  () => {},
  response => void response.writeHead(200, { 'content-length': '1000' }).write('x'),
  response => void response.socket?.destroy(),
  response => void response.writeHead(500).end(),
]

/** From when each callback was to be sent to its arrival at the merchant's. */
async function deliver(hook: string, sink: Sink, perSecond: number, forMs: number): Promise<readonly number[]> {
  const before = sink.delivered.length
  const offsetMs = Date.now() - performance.now()
  const posted: Posted = await postSteadily(hook, perSecond, forMs)
  await sink.have(before + posted.dueAtMs.size)
  return sink.delivered.slice(before).flatMap(({ body, at }) => {
    const due = posted.dueAtMs.get(idOf(body))
    return due === undefined ? [] : [at - offsetMs - due]
  })
}
