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
    `payments are kept in ${near.startsWith('..') ? file : near}, orders in orders.jsonl beside it; no account and no money are involved`,
  )
  console.log(`ready  shop ${shop.url}  phone (simulator) ${shop.simulator.url}`)
  await stop
  await shop.close()
  return 0
}

/** Listened for from the start, so that a signal while we open still closes everything. A second one ends us at once. */
function stopRequested(): Promise<unknown> {
  return Promise.race(
    (['SIGINT', 'SIGTERM'] as const).map(signal => new Promise(resolve => process.once(signal, resolve))),
  )
}
