import { Agent, request } from 'node:http'
import { paidBody } from '../../e2e/callback-bodies.ts'

const tickMs = 5

export type Posted = {
  /** From the time at which it was to be sent to its acknowledgement, of each callback. */
  readonly latenciesMs: readonly number[]
  /** When each was to be sent, by its CheckoutRequestID. */
  readonly dueAtMs: ReadonlyMap<string, number>
}

export type SteadyCallback = { readonly id: string; readonly receipt: string }

let lastNumber = 0
const nextCallback = (): SteadyCallback => ({ id: `ws_CO_steady_${++lastNumber}`, receipt: 'UHH0AB12CD' })

/**
 * Posts so many callbacks a second for so long, whatever the answers do: who waits for answers before he sends the next
 * measures a server only as fast as it is.
 */
export async function postSteadily(
  url: string,
  perSecond: number,
  forMs: number,
  next: () => SteadyCallback = nextCallback,
): Promise<Posted> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 })
  const { hostname, port, pathname } = new URL(url)
  const latenciesMs: number[] = []
  const dueAtMs = new Map<string, number>()
  const answers: Promise<void>[] = []
  const began = performance.now()
  const send = (due: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const { id, receipt } = next()
      dueAtMs.set(id, due)
      const body = JSON.stringify(paidBody(id, receipt))
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const sent = request({ agent, hostname, port, path: pathname, method: 'POST', headers }, response => {
        response.resume()
        response.on('end', () => {
          if (response.statusCode !== 200) return reject(new Error(`HTTP ${response.statusCode}`))
          latenciesMs.push(performance.now() - due)
          resolve()
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  for (let number = 0; number < (perSecond * forMs) / 1_000; ) {
    const elapsed = performance.now() - began
    for (; number < (perSecond * elapsed) / 1_000; number++) answers.push(send(began + (number * 1_000) / perSecond))
    await new Promise(resolve => setTimeout(resolve, tickMs))
  }
  await Promise.all(answers)
  agent.destroy()
  return { latenciesMs, dueAtMs }
}
