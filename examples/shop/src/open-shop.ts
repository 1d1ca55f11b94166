import { join } from 'node:path'
import { type Logger, type MpesaStk, SqliteAdapter } from 'mpesa-stk'
import { attachStreams } from 'mpesa-stk/server'
import { createSimulator, type Simulator, type SimulatorOptions } from 'mpesa-stk-simulator'
import { openDoor } from './door.ts'
import { openRelay, type ShopRelay } from './open-relay.ts'
import { openOrderEvents } from './order-events.ts'
import { createOrders, type Orders } from './orders.ts'
import { findRelayApp } from './relay-app.ts'
import type { RelayApp } from './relay-app-file.ts'
import { callbackPath, createShopApp } from './shop-app.ts'
import { cannotListen, cannotRelay, cannotSimulate, cannotStore } from './start-failure.ts'

export type ShopOptions = {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly simulatorPort: number
  readonly relayPort: number
  /** The folder of `shop.db`, `orders.jsonl`, `relay-app.json` and the relay's own data. */
  readonly data: string
  readonly latency: NonNullable<SimulatorOptions['latency']>
  readonly logger: Logger
  /** How soon Safaricom is asked about a payment whose callback does not come. Default: the library's. */
  readonly pollIntervalMs?: number | undefined
  /** For an app that is made: the pauses after failed deliveries, in milliseconds. Default: the relay's. */
  readonly scheduleMs?: readonly number[] | undefined
}

/** A running shop with its own Safaricom, and a relay between them. */
export type Shop = {
  readonly url: string
  readonly simulator: Simulator
  readonly relay: ShopRelay
  /** The shop's app at the relay. */
  readonly relayApp: RelayApp
  readonly mpesa: MpesaStk
  /**
   * Resolves when Safaricom has nothing more to send, the relay nothing to deliver, and no handler runs. A delivery that
   * failed and is due again later is not waited for.
   */
  settled(): Promise<void>
  /** While it is down, the callback route answers 503. */
  setDown(isDown: boolean): void
  close(): Promise<void>
}

/**
 * Opens ports, simulator, stores and relay, and closes again what was open when one of them fails. The stores come last,
 * so that a start that fails for a port leaves no data folder behind.
 */
export async function openShop(options: ShopOptions): Promise<Shop> {
  const { host, port, simulatorPort, relayPort, data, latency, logger, pollIntervalMs, scheduleMs } = options
  const fail = (explain: (error: unknown, attempt: ShopOptions) => unknown) => (error: unknown) => {
    throw explain(error, options)
  }
  const opened: { close(): Promise<void> }[] = []
  try {
    const door = await openDoor(host, port).catch(fail(cannotListen))
    opened.unshift(door)
    const simulator = await createSimulator({ host, port: simulatorPort, latency }).catch(fail(cannotSimulate))
    opened.unshift(simulator)
    const relayDoor = await openDoor(loopbackOf(host), relayPort).catch(fail(cannotRelay))
    opened.unshift(relayDoor)
    const store = await openStore(data).catch(fail(cannotStore))
    opened.unshift(store)
    const orders = await openOrders(data, logger).catch(fail(cannotStore))
    const relay = await openRelay(relayDoor, join(data, 'relay'), logger).catch(fail(cannotStore))
    opened.unshift({ close: () => relay.stop().then(relay.close) })
    const { url } = door
    const file = join(data, 'relay-app.json')
    const targetUrl = `${url}${callbackPath}`
    const relayApp = await findRelayApp({ file, relayUrl: relay.url, targetUrl, scheduleMs }).catch(fail(cannotStore))
    const { app, mpesa, idle } = createShopApp({
      store,
      callbackUrl: `${relay.url}${relayApp.hookUrl}`,
      relayUrl: relay.url,
      appId: relayApp.appId,
      signingSecret: relayApp.signingSecret,
      simulatorUrl: simulator.url,
      orders,
      logger,
      pollIntervalMs,
    })
    await mpesa.start()
    await packWhatIsPaid(mpesa, orders)
    let isDown = false
    let isClosing = false
    door.open((request, env) => {
      const { pathname } = new URL(request.url)
      if (pathname === callbackPath ? isDown : isClosing) return new Response(null, { status: 503 })
      return pathname.startsWith(streamsPath) ? relay.server.fetch(request, env) : app.fetch(request)
    })
    // A tablet at the till reaches the shop's address, and not a relay that only this machine may post to. So streams, and
    // nothing else of the relay, are to be had at the shop's door as well; elsewhere a reverse proxy does this.
    attachStreams(door.server, relay.server)
    // Now that the shop answers: what was waiting is delivered at once.
    await relay.server.start()
    return {
      url,
      simulator,
      relay,
      relayApp,
      mpesa,
      async settled() {
        await simulator.idle()
        await relay.server.relay.deliveries.idle()
        await idle()
      },
      setDown: isSo => {
        isDown = isSo
      },
      async close() {
        // The shop takes no new customer, but what the relay still delivers: at a door that is shut, each delivery would
        // fail and wait for half a minute of the next run. The simulator goes before the answers under way are waited for:
        // a push that waits for it then ends as unknown, and that is still stored.
        // The relay's own door is the last to close, so that it still hears of what was settled.
        isClosing = true
        await simulator.close()
        await relay.stop()
        await door.close()
        await mpesa.stop()
        await idle()
        await relayDoor.close()
        await relay.close()
        await store.close()
      },
    }
  } catch (error) {
    for (const each of opened) await each.close()
    throw error
  }
}

/** Where pages listen that cannot have a WebSocket. */
const streamsPath = '/v1/streams/'

/** Only what runs on this machine posts to the relay, wherever the shop itself is to be reached from. */
function loopbackOf(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1'
  return host === '::' ? '::1' : host
}

async function openStore(data: string): Promise<SqliteAdapter> {
  const store = await SqliteAdapter.open(join(data, 'shop.db'))
  try {
    await store.migrate()
    return store
  } catch (error) {
    await store.close()
    throw error
  }
}

async function openOrders(data: string, logger: Logger): Promise<Orders> {
  return createOrders(openOrderEvents(join(data, 'orders.jsonl')), logger)
}

/** A process that died between the settlement and its handler left paid orders unpacked: nobody calls it a second time. */
async function packWhatIsPaid(mpesa: MpesaStk, orders: Orders): Promise<void> {
  for (const { reference, paymentIds } of orders.unpacked()) {
    const payments = await Promise.all(paymentIds.map(id => mpesa.getPayment(id)))
    if (payments.some(payment => payment?.status === 'SUCCESS')) orders.pack(reference)
  }
}
