import type { RelayStorage } from '../core/deliver/relay-storage.ts'

/**
 * How many events wait to be delivered. Nothing has to be done for them: they are rows that are due, and whatever relay is
 * started on this store takes them up when their time has come, or the lease of a relay that died has run out.
 */
export async function recoverPendingDeliveries(storage: RelayStorage): Promise<number> {
  return (await storage.countPending()).pending
}
