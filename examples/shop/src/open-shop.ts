import { join } from 'node:path'
import { type Logger, type MpesaStk, SqliteAdapter } from 'mpesa-stk'
import { createSimulator, type Simulator, type SimulatorOptions } from 'mpesa-stk-simulator'
import { type Door, openDoor } from './door.ts'
import { createOrders } from './orders.ts'
import { createShopApp } from './shop-app.ts'
import { cannotListen, cannotSimulate, cannotStore } from './start-failure.ts'

export type ShopOptions = {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly simulatorPort: number
  /** The folder of `shop.db`. */
  readonly data: string
  readonly latency: NonNullable<SimulatorOptions['latency']>
  readonly logger: Logger
}

/** A running shop with its own Safaricom beside it. */
export type Shop = {
  readonly url: string
  readonly simulator: Simulator
  readonly mpesa: MpesaStk
  close(): Promise<void>
}

/** Opens store, port and simulator, in that order, and closes again what was open when one of them fails. */
export async function openShop(options: ShopOptions): Promise<Shop> {
  const { host, port, simulatorPort, data, latency, logger } = options
  const fail = (explain: (error: unknown, attempt: ShopOptions) => unknown) => (error: unknown) => {
    throw explain(error, options)
  }
  const store = await openStore(data).catch(fail(cannotStore))
  let door: Door | undefined
  try {
    const opened = await openDoor(host, port).catch(fail(cannotListen))
    door = opened
    const simulator = await createSimulator({ host, port: simulatorPort, latency }).catch(fail(cannotSimulate))
    const { url } = opened
    const { app, mpesa } = createShopApp({ store, url, simulatorUrl: simulator.url, orders: createOrders(), logger })
    await mpesa.start()
    opened.open(request => app.fetch(request))
    return {
      url,
      simulator,
      mpesa,
      async close() {
        // The simulator goes before the answers under way are waited for: a push that waits for it then ends as
        // unknown, and that is still stored.
        opened.shut()
        await simulator.close()
        await opened.close()
        await mpesa.idle()
        await store.close()
      },
    }
  } catch (error) {
    await door?.close()
    await store.close()
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
