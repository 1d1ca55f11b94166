import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { findFreePort, type RelayProcess, startRelay } from '../../e2e/relay/relay-process.ts'
import type { Subscriber } from './subscriber-orders.ts'

const bareScript = fileURLToPath(new URL('bare-broadcast.ts', import.meta.url))
const json = { 'content-type': 'application/json' }
/** As many as the relay takes in one report. */
const reportAtOnce = 100
const mintAtOnce = 8

/** A server with streams, be it the relay or the bare one: where callbacks go, and who may read what. */
export type StreamServer = AsyncDisposable & {
  readonly url: string
  readonly hook: string
  /** Makes payments known, and a subscriber for each `perSubscriber` of them. Callbacks name the `n`th as `checkoutRequestIdOf(n)`. */
  subscribersOf(payments: readonly number[], perSubscriber: number): Promise<readonly Subscriber[]>
  subscribersOfAll(count: number): Promise<readonly Subscriber[]>
  memory(): Promise<NodeJS.MemoryUsage>
  /** `kill -9`, and again at the same address; resolves with when it was ready, by the wall's clock. */
  restart(): Promise<number>
}

export const checkoutRequestIdOf = (payment: number): string => `ws_CO_bench_${payment}`

export async function openStreamRelay(environment: Readonly<Record<string, string>>): Promise<StreamServer> {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-bench-'))
  const memoryFile = join(folder, 'memory.json')
  const settings = { ...environment, PORT: String(await findFreePort()), RELAY_DATA_DIR: folder, LOG_LEVEL: 'silent' }
  const start = (): Promise<RelayProcess> =>
    startRelay({ ...settings, BENCH_MEMORY_FILE: memoryFile }, undefined, new URL('measured-relay.ts', import.meta.url))
  let relay = await start()
  const { url } = relay
  const body = JSON.stringify({ targetUrl: 'http://127.0.0.1:9/', scheduleMs: [60_000] })
  const created = await fetch(`${url}/apps`, { method: 'POST', headers: json, body })
  const { appId, hookUrl, signingSecret } = (await created.json()) as Record<string, string>
  const headers = { ...json, authorization: `Bearer ${signingSecret}` }
  // Deliveries have a bench of their own.
  await fetch(`${url}/apps/${appId}`, { method: 'PATCH', headers, body: '{"isDisabled":true}' })
  async function post<Answer>(path: string, what: object): Promise<Answer> {
    const response = await fetch(`${url}${path}`, { method: 'POST', headers, body: JSON.stringify({ appId, ...what }) })
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
    return (await response.json()) as Answer
  }
  const mint = async (streams: readonly string[]): Promise<Subscriber> => {
    const { token } = await post<{ token: string }>('/v1/tokens', { streams, ttlSeconds: 900 })
    return { token, streams }
  }
  return {
    url,
    hook: `${url}${hookUrl}`,
    async subscribersOf(payments, perSubscriber) {
      for (const some of inParts(payments, reportAtOnce)) {
        const events = some.map(payment => ({
          type: 'payment.pending',
          paymentId: `pay_${payment}`,
          checkoutRequestId: checkoutRequestIdOf(payment),
        }))
        await post('/v1/events', { events })
      }
      return inTurns(
        inParts(payments, perSubscriber).map(some => some.map(payment => `payment:pay_${payment}`)),
        mint,
      )
    },
    subscribersOfAll: count =>
      inTurns(
        Array.from({ length: count }, () => ['source']),
        mint,
      ),
    memory: () => askMemory(relay.pid, memoryFile),
    async restart() {
      await relay.kill()
      relay = await start()
      return Date.now()
    },
    async [Symbol.asyncDispose]() {
      await relay.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export async function openBareBroadcast(): Promise<StreamServer> {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-bench-'))
  const memoryFile = join(folder, 'memory.json')
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', bareScript], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, BENCH_MEMORY_FILE: memoryFile },
  })
  if (child.stdout === null) throw new Error('no stdout')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const url = line.replace('ready ', '')
  return {
    url,
    hook: `${url}/`,
    async subscribersOf(payments, perSubscriber) {
      const streams = payments.map(payment => `payment:${checkoutRequestIdOf(payment)}`)
      return inParts(streams, perSubscriber).map(some => ({ token: 'x', streams: some }))
    },
    subscribersOfAll: async count => Array.from({ length: count }, () => ({ token: 'x', streams: ['source'] })),
    memory: () => askMemory(child.pid ?? 0, memoryFile),
    restart: () => Promise.reject(new Error('it has nothing to come back to')),
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await once(child, 'exit')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function askMemory(pid: number, file: string): Promise<NodeJS.MemoryUsage> {
  rmSync(file, { force: true })
  process.kill(pid, 'SIGUSR2')
  while (!existsSync(file)) await new Promise(resolve => setTimeout(resolve, 20))
  return JSON.parse(readFileSync(file, 'utf8')) as NodeJS.MemoryUsage
}

function inParts<Value>(values: readonly Value[], size: number): Value[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, part) =>
    values.slice(part * size, part * size + size),
  )
}

async function inTurns<Value, Made>(
  values: readonly Value[],
  make: (value: Value) => Promise<Made>,
): Promise<readonly Made[]> {
  const made: Made[] = []
  for (const some of inParts(values, mintAtOnce)) made.push(...(await Promise.all(some.map(make))))
  return made
}
