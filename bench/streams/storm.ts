import type { Measurement } from '../measurement.ts'
import { postSteadily } from '../relay/post-steadily.ts'
import { Crowd } from './crowd.ts'
import { nextReceipt } from './screen-times.ts'
import { checkoutRequestIdOf, type StreamServer } from './stream-server.ts'

const perSecond = 100
const forMs = 2_000
const withinMs = 120_000
/** Payments that no other bench made. */
const firstPayment = 10_000_000

/** The relay is killed and started again, and everybody comes back by the published client while payments go on. */
export async function measureStorm(what: string, server: StreamServer, connections: number): Promise<Measurement[]> {
  const payments = Array.from({ length: connections }, (_, index) => firstPayment + index)
  await using crowd = new Crowd(server.url, await server.subscribersOf(payments, 1))
  await crowd.open('open-clients')
  await crowd.until(({ live }) => live === connections, withinMs)
  const readyAtMs = await server.restart()
  let index = 0
  const next = () => ({ id: checkoutRequestIdOf(payments[index++ % connections] ?? 0), receipt: nextReceipt() })
  const { dueAtMs } = await postSteadily(server.hook, perSecond, forMs, next)
  const receiptsOf = (received: readonly (readonly [string, number])[]) => new Set(received.map(([receipt]) => receipt))
  const { live, lastLiveAtMs, received } = await crowd.until(
    report => report.live === connections && receiptsOf(report.received).size >= dueAtMs.size,
    withinMs,
  )
  const lost = dueAtMs.size - receiptsOf(received).size
  if (live !== connections || lost !== 0 || received.length !== dueAtMs.size) {
    throw new Error(
      `${live} of ${connections} came back; of ${dueAtMs.size} events ${lost} are lost, ${received.length} came`,
    )
  }
  const name = `${what}: all ${connections.toLocaleString('en-GB')} live again after the relay was killed`
  return [
    { name, value: lastLiveAtMs - readyAtMs, unit: 'ms', note: `${dueAtMs.size} events meanwhile, each came once` },
  ]
}
