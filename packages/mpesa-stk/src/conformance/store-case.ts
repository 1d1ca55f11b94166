import type { Store } from '../core/ports.ts'

/** One promise of `Store`, on a fresh store. */
export type StoreCase = { readonly name: string; run(store: Store): Promise<void> }

/** One promise of a store that keeps what it was given, across closing and opening again. */
export type DurabilityCase = {
  readonly name: string
  run(store: Store, reopen: (store: Store) => Promise<Store>): Promise<void>
}
