import { join, relative } from 'node:path'
import { openShop, type ShopOptions } from './open-shop.ts'
import { createShopLog } from './shop-log.ts'

/** Runs the shop until somebody stops it. */
export async function runShop(options: Omit<ShopOptions, 'logger'>): Promise<number> {
  const stop = stopRequested()
  const logger = createShopLog(line => console.error(line))
  const shop = await openShop({ ...options, logger })
  const file = join(options.data, 'shop.db')
  const near = relative(process.cwd(), file)
  console.log(
    `payments are kept in ${near.startsWith('..') ? file : near}, orders in orders.jsonl and callbacks in relay/ beside it; no account and no money are involved`,
  )
  console.log(`the till, for the cashier's tablet: ${shop.url}/pos`)
  console.log(`ready  shop ${shop.url}  phone (simulator) ${shop.simulator.url}  relay ${shop.relay.url}`)
  await stop
  await shop.close()
  console.log('stopped')
  return 0
}

/**
 * Listened for from the start, so that a signal while we open still closes everything. npm and tsx pass a Ctrl-C on, so that
 * one arrives as several: only what comes a second later is somebody who has lost patience.
 */
function stopRequested(): Promise<unknown> {
  return new Promise(resolve => {
    let askedAt: number | null = null
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => {
        if (askedAt !== null && performance.now() - askedAt > 1_000) process.exit(130)
        askedAt ??= performance.now()
        resolve(signal)
      })
    }
  })
}
