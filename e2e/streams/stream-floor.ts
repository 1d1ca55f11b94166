import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectRelay, type RelayLink } from 'mpesa-stk'
import { findFreePort, type RelayProcess, startRelay } from '../relay/relay-process.ts'
import { type Customer, paidByCustomer } from './customer.ts'

export type StreamApp = {
  readonly appId: string
  readonly signingSecret: string
  readonly streamSecret: string
  readonly sourceId: string
  readonly hookUrl: string
  /** The merchant's server. */
  readonly link: RelayLink
}

export type Pay = {
  readonly checkoutRequestId: string
  readonly receipt?: string
  readonly amount?: number
  readonly customer?: Customer
}

const adminToken = 'the-token-of-the-operator'

/** A relay as anybody runs it, in a process of its own, that comes back at the same address after it was stopped or killed. */
export type StreamRelay = AsyncDisposable & {
  readonly url: string
  readonly port: number
  readonly log: () => string
  createApp(more?: object): Promise<StreamApp>
  /** Posts what Safaricom would; resolves when it is acknowledged. */
  pay(app: Pick<StreamApp, 'hookUrl'>, pay: Pay): Promise<void>
  /** As the operator. */
  read<Answer>(path: string): Promise<Answer>
  kill(): Promise<void>
  stop(): Promise<void>
  start(): Promise<void>
}

export async function openStreamRelay(environment: Readonly<Record<string, string>> = {}): Promise<StreamRelay> {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-streams-'))
  const port = await findFreePort()
  const url = `http://127.0.0.1:${port}`
  const run = (): Promise<RelayProcess> =>
    startRelay({ RELAY_ADMIN_TOKEN: adminToken, ...environment, PORT: String(port), RELAY_DATA_DIR: folder })
  const headers = { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' }
  let relay = await run()
  let isRunning = true
  return {
    url,
    port,
    log: () => relay.log(),
    async createApp(more = {}) {
      // Nobody delivers here: the promise of deliveries has tests of its own.
      const body = JSON.stringify({ targetUrl: 'http://127.0.0.1:9/', scheduleMs: [], ...more })
      const response = await fetch(`${url}/apps`, { method: 'POST', headers, body })
      if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
      const app = (await response.json()) as Omit<StreamApp, 'link'>
      return { ...app, link: connectRelay({ url, appId: app.appId, signingSecret: app.signingSecret }) }
    },
    async pay({ hookUrl }, pay) {
      const response = await fetch(`${url}${hookUrl}`, { method: 'POST', body: JSON.stringify(paidByCustomer(pay)) })
      if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
      await response.arrayBuffer()
    },
    async read<Answer>(path: string) {
      const response = await fetch(`${url}${path}`, { headers })
      if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
      return (await response.json()) as Answer
    },
    async kill() {
      isRunning = false
      await relay.kill()
    },
    async stop() {
      isRunning = false
      await relay.stop()
    },
    async start() {
      relay = await run()
      isRunning = true
    },
    async [Symbol.asyncDispose]() {
      if (isRunning) await relay.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
