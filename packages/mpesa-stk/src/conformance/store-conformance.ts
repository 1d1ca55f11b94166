import type { Store } from '../core/ports.ts'
import { callbackCases } from './callback-cases.ts'
import { durabilityCases } from './durability-cases.ts'
import { initiationCases } from './initiation-cases.ts'
import { lifecycleCases } from './lifecycle-cases.ts'
import { reconciliationCases } from './reconciliation-cases.ts'
import { settlementCases } from './settlement-cases.ts'
import { tokenCases } from './token-cases.ts'
import { trailCases } from './trail-cases.ts'
import { workCases } from './work-cases.ts'

/** How to make stores of the adapter under test. */
export type StoreFixture = {
  /** A fresh, empty, migrated store. The case closes it. */
  open(): Promise<Store>
  /**
   * Opens again what `store` wrote, as a new process would, after closing it. Leave it out for a store that keeps
   * nothing; the cases that need it are then not in the list.
   */
  reopen?(store: Store): Promise<Store>
}

export type ConformanceCase = { readonly name: string; run(): Promise<void> }

/**
 * The promises of `Store` as cases for any test runner: each rejects when the adapter breaks its promise.
 *
 * ```ts
 * for (const { name, run } of storeConformance({ open })) test(name, run)
 * ```
 */
export function storeConformance(fixture: StoreFixture): readonly ConformanceCase[] {
  const { open, reopen } = fixture
  const cases: ConformanceCase[] = [
    ...initiationCases,
    ...settlementCases,
    ...callbackCases,
    ...tokenCases,
    ...workCases,
    ...lifecycleCases,
    ...reconciliationCases,
    ...trailCases,
  ].map(({ name, run }) => ({
    name,
    async run() {
      const store = await open()
      try {
        await run(store)
      } finally {
        await store.close()
      }
    },
  }))
  if (reopen === undefined) return cases
  const durable = durabilityCases.map(({ name, run }) => ({
    name,
    async run() {
      let store = await open()
      try {
        await run(store, async current => {
          store = await reopen(current)
          return store
        })
      } finally {
        await store.close()
      }
    },
  }))
  return [...cases, ...durable]
}
