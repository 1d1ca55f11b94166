import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Logger, MemoryAdapter, type Store } from 'mpesa-stk'
import type { Simulator } from 'mpesa-stk-simulator'
import { openDoor } from './door.ts'
import { openRelay } from './open-relay.ts'
import { rememberOrderEvents } from './order-events.ts'
import { createOrders } from './orders.ts'
import { findRelayApp } from './relay-app.ts'
import { callbackPath, createShopApp } from './shop-app.ts'

export const quiet: Logger = { info: () => {}, warn: () => {}, error: () => {} }

/** A relay of its own for a file of tests. */
export async function openTestRelay() {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-shop-relay-'))
  const door = await openDoor('127.0.0.1', 0)
  const relay = await openRelay(door, folder, quiet)
  await relay.server.start()
  let apps = 0
  return {
    url: relay.url,
    idle: () => relay.server.relay.deliveries.idle(),
    makeApp: (targetUrl: string) =>
      findRelayApp({ file: join(folder, `app-${++apps}.json`), relayUrl: relay.url, targetUrl }),
    async close() {
      await relay.stop()
      await door.close()
      await relay.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export type TestRelay = Awaited<ReturnType<typeof openTestRelay>>

/** The shop on a real socket, so that the relay finds it; the memory store unless told otherwise. */
export async function openTestShop(
  simulator: Simulator,
  relay: TestRelay,
  options: { readonly store?: Store; readonly now?: () => Date; readonly relayUrl?: string } = {},
) {
  const { store = new MemoryAdapter(), now, relayUrl = relay.url } = options
  const door = await openDoor('127.0.0.1', 0)
  const orders = createOrders(rememberOrderEvents(), quiet)
  const { appId, hookUrl, signingSecret } = await relay.makeApp(`${door.url}${callbackPath}`)
  const { app, idle } = createShopApp({
    store,
    callbackUrl: `${relay.url}${hookUrl}`,
    relayUrl,
    appId,
    signingSecret,
    simulatorUrl: simulator.url,
    orders,
    logger: quiet,
    ...(now && { now }),
  })
  door.open(request => app.fetch(request))
  const post = (body: unknown, headers: Record<string, string> = {}) =>
    app.request('/api/payments', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    })
  async function settled(): Promise<void> {
    await simulator.idle()
    await relay.idle()
    await idle()
  }
  return { app, orders, signingSecret, post, settled, [Symbol.asyncDispose]: () => door.close() }
}
