import { Agent, request } from 'node:http'
import { paidBody } from '../../e2e/callback-bodies.ts'

const connections = 64

let lastNumber = 0

/** Posts callbacks that are all different over 64 connections, for so long. How many a second were acknowledged. */
export async function postCallbacks(url: string, forMs: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const { hostname, port, pathname } = new URL(url)
  const began = performance.now()
  let acknowledged = 0
  const post = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(paidBody(`ws_CO_${++lastNumber}`, 'UHH0AB12CD'))
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const sent = request({ agent, hostname, port, path: pathname, method: 'POST', headers }, response => {
        response.resume()
        response.on('end', () => {
          if (response.statusCode !== 200) return reject(new Error(`HTTP ${response.statusCode}`))
          acknowledged++
          resolve()
        })
      })
      sent.on('error', reject)
      sent.end(body)
    })
  async function postOnAndOn(): Promise<void> {
    while (performance.now() - began < forMs) await post()
  }
  await Promise.all(Array.from({ length: connections }, postOnAndOn))
  agent.destroy()
  return (acknowledged * 1_000) / (performance.now() - began)
}
