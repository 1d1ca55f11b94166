import { join } from 'node:path'
import { type Logger, type MpesaStk, SqliteAdapter } from 'mpesa-stk'
import { createSimulator, type Simulator, type SimulatorOptions } from 'mpesa-stk-simulator'
import { openDoor } from './door.ts'
import { openOrderEvents } from './order-events.ts'
import { createOrders, type Orders } from './orders.ts'
import { createShopApp } from './shop-app.ts'
import { cannotListen, cannotSimulate, cannotStore } from './start-failure.ts'

export type ShopOptions = {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly simulatorPort: number
  /** The folder of `shop.db` and `orders.jsonl`. */
  readonly data: string
  readonly latency: NonNullable<SimulatorOptions['latency']>
  readonly logger: Logger
  /** How soon Safaricom is asked about a payment whose callback does not come. Default: the library's. */
  readonly pollIntervalMs?: number
}

/** A running shop with its own Safaricom beside it. */
export type Shop = {
  readonly url: string
  readonly simulator: Simulator
  readonly mpesa: MpesaStk
  close(): Promise<void>
}

/**
 * Opens port, simulator and store, and closes again what was open when one of them fails. The store comes last, so that
 * a start that fails for a port leaves no data folder behind.
 */
export async function openShop(options: ShopOptions): Promise<Shop> {
  const { host, port, simulatorPort, data, latency, logger, pollIntervalMs } = options
  const fail = (explain: (error: unknown, attempt: ShopOptions) => unknown) => (error: unknown) => {
    throw explain(error, options)
  }
  const opened: { close(): Promise<void> }[] = []
  try {
    const door = await openDoor(host, port).catch(fail(cannotListen))
    opened.unshift(door)
    const simulator = await createSimulator({ host, port: simulatorPort, latency }).catch(fail(cannotSimulate))
    opened.unshift(simulator)
    const store = await openStore(data).catch(fail(cannotStore))
    opened.unshift(store)
    const orders = await openOrders(data, logger).catch(fail(cannotStore))
    const { url } = door
    const { app, mpesa } = createShopApp({ store, url, simulatorUrl: simulator.url, orders, logger, pollIntervalMs })
    await mpesa.start()
    await packWhatIsPaid(mpesa, orders)
    door.open(request => app.fetch(request))
    return {
      url,
      simulator,
      mpesa,
      async close() {
        // The simulator goes before the answers under way are waited for: a push that waits for it then ends as
        // unknown, and that is still stored.
        door.shut()
        await simulator.close()
        await door.close()
        await mpesa.stop()
        await store.close()
      },
    }
  } catch (error) {
    for (const each of opened) await each.close()
    throw error
  }
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
