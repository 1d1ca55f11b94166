import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { connectPayments, type PaymentsClient, type StorageLike } from 'mpesa-stk-client'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type FaultyProxy, openFaultyProxy } from './faulty-proxy.ts'
import { PlainClient } from './plain-client.ts'
import { openStreamRelay, type StreamApp, type StreamRelay } from './stream-floor.ts'

const receipt = (number: number): string => `UHH0A${String(number).padStart(5, '0')}`
const receipts = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => receipt(from + index))

function memoryStorage(): StorageLike {
  const kept = new Map<string, string>()
  return {
    getItem: key => kept.get(key) ?? null,
    setItem: (key, value) => void kept.set(key, value),
    removeItem: key => void kept.delete(key),
  }
}

type Followed = { readonly handled: string[]; readonly gaps: string[]; readonly isLive: () => boolean }

/** The client as a server or a till has it, and what its handler was called with. */
function follow({ url }: Pick<FaultyProxy, 'url'>, app: StreamApp): PaymentsClient & Followed {
  const handled: string[] = []
  const gaps: string[] = []
  const client = connectPayments({
    url,
    webSocket: WebSocket as never,
    storage: memoryStorage(),
    transports: ['websocket'],
    getToken: () => app.link.mintToken({ streams: ['source'], actions: ['read', 'ack'] }),
  })
  const subscription = client.subscribe('source', {
    ack: true,
    onEvent: event => void handled.push(event.MpesaReceiptNumber ?? ''),
    onState: ({ state, reason }) => void (state === 'gap' && gaps.push(String(reason))),
  })
  const isLive = (): boolean => subscription.status.state === 'live'
  return Object.assign(client, { handled, gaps, isLive })
}

async function payAll(relay: StreamRelay, app: StreamApp, from: number, to: number): Promise<void> {
  for (const each of receipts(from, to)) await relay.pay(app, { checkoutRequestId: `ws_CO_${each}`, receipt: each })
}

/** In the order of the log: some are posted at once. */
async function payMany(relay: StreamRelay, app: StreamApp, count: number): Promise<readonly string[]> {
  for (let from = 0; from < count; from += 50) {
    const some = receipts(from, Math.min(count, from + 50))
    await Promise.all(some.map(each => relay.pay(app, { checkoutRequestId: `ws_CO_${each}`, receipt: each })))
  }
  const { token } = await app.link.mintToken({ streams: ['source'] })
  using plain = await PlainClient.open(relay.url, { token })
  plain.send({ type: 'subscribe', id: 1, stream: 'source' })
  await plain.until(({ type }) => type === 'live')
  return plain.of('event').map(({ event }) => (event as Record<string, string>)['MpesaReceiptNumber'] ?? '')
}

describe('a relay that is killed', { timeout: 120_000 }, () => {
  test('after it sent and before it was told so: what was handled is not handled again, and nothing is missing', async () => {
    await using relay = await openStreamRelay()
    await using way = await openFaultyProxy(relay.port)
    const app = await relay.createApp()
    const client = follow(way, app)
    await payAll(relay, app, 0, 1)
    await expect.poll(() => client.handled).toEqual(receipts(0, 1))
    for (let round = 1; round <= 3; round++) {
      await expect.poll(client.isLive).toBe(true)
      // Everything reaches the client, and no word of his the relay.
      await way.suffer({ kind: 'one-way', towards: 'client' })
      await payAll(relay, app, round * 10, round * 10 + 10)
      await expect.poll(() => client.handled.at(-1)).toBe(receipt(round * 10 + 9))
      await relay.kill()
      way.dropAll()
      await way.suffer({ kind: 'none' })
      await relay.start()
    }
    await payAll(relay, app, 50, 51)
    await expect.poll(() => client.handled.at(-1)).toBe(receipt(50))
    expect(client.handled).toEqual([...receipts(0, 1), ...receipts(10, 40), ...receipts(50, 51)])
    expect(client.gaps).toEqual([])
    client.close()
  })

  test('in the middle of a replay that was cut twice already: it goes on where it was', async () => {
    await using relay = await openStreamRelay()
    await using way = await openFaultyProxy(relay.port)
    const app = await relay.createApp()
    const count = 400
    const inOrder = await payMany(relay, app, count)
    expect(inOrder.length).toBe(count)
    await way.suffer({ kind: 'cut', afterBytes: 20_000 })
    const client = follow(way, app)
    // A cut gives it some, and takes the rest away.
    await expect.poll(() => way.total).toBeGreaterThan(2)
    expect(client.handled.length).toBeLessThan(count)
    await relay.kill()
    await relay.start()
    await way.suffer({ kind: 'none' })
    await expect.poll(() => client.handled.length).toBe(count)
    expect(client.handled).toEqual(inOrder)
    expect(client.gaps).toEqual([])
    client.close()
  })
})

const script = fileURLToPath(new URL('mortal-page.ts', import.meta.url))

/** Runs it until it dies or is live, and tells what it said. */
async function runMortal(environment: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const child = spawn(process.execPath, ['--conditions=@mpesa-stk/source', '--import', 'tsx', script], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    if (line === 'stream live') child.kill('SIGKILL')
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return lines
}

test('a client that dies between receiving and having handled gets it again, and what it has handled it does not', async () => {
  await using relay = await openStreamRelay()
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-mortal-'))
  const app = await relay.createApp()
  await payAll(relay, app, 0, 5)
  const { token } = await app.link.mintToken({ streams: ['source'], actions: ['read', 'ack'] })
  const environment = { RELAY_URL: relay.url, TOKEN: token, CURSORS: join(folder, 'cursors.json') }
  const both = (from: number, to: number) => receipts(from, to).flatMap(each => [`received ${each}`, `handled ${each}`])
  expect(await runMortal({ ...environment, DIE_AT: receipt(2) })).toEqual([...both(0, 2), `received ${receipt(2)}`])
  expect(await runMortal(environment)).toEqual([...both(2, 5), 'stream live'])
  expect(await runMortal(environment)).toEqual(['stream live'])
  rmSync(folder, { recursive: true, force: true })
})
