import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { relayAlertCases } from './relay-alert-cases.ts'
import { relayCases } from './relay-cases.ts'
import { relayLogCases } from './relay-log-cases.ts'
import { relayReplayCases } from './relay-replay-cases.ts'
import { relayRetentionCases } from './relay-retention-cases.ts'
import { relayStreamCases } from './relay-stream-cases.ts'
import type { ConformanceCase } from './store-conformance.ts'

/** How to make storages of the adapter under test. */
export type RelayStorageFixture = {
  /** A fresh, empty, migrated storage. The case closes it. */
  open(): Promise<RelayStorage>
}

/**
 * The promises of `RelayStorage` as cases for any test runner: each rejects when the adapter breaks its promise.
 *
 * ```ts
 * for (const { name, run } of relayStorageConformance({ open })) test(name, run)
 * ```
 */
export function relayStorageConformance({ open }: RelayStorageFixture): readonly ConformanceCase[] {
  const cases = [
    ...relayCases,
    ...relayReplayCases,
    ...relayLogCases,
    ...relayAlertCases,
    ...relayRetentionCases,
    ...relayStreamCases,
  ]
  return cases.map(({ name, run }) => ({
    name,
    async run() {
      const storage = await open()
      try {
        await run(storage)
      } finally {
        await storage.close()
      }
    },
  }))
}
