import type { AppSecrets, RelayApp } from '../core/deliver/relay-app.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import type { Clock } from '../core/ports.ts'
import type { Vault } from './vault.ts'

export type OpenedApp = { readonly app: RelayApp; readonly secrets: AppSecrets }

/** How long another process's change of an app may go unnoticed. */
const freshForMs = 2_000
const maxKept = 10_000

/** Apps with their secrets, looked up in the store at most every two seconds each. */
export class AppBook {
  readonly #storage: RelayStorage
  readonly #vault: Vault
  readonly #clock: Clock
  readonly #kept = new Map<string, { readonly found: Promise<OpenedApp | null>; readonly untilMs: number }>()

  constructor(storage: RelayStorage, vault: Vault, clock: Clock) {
    this.#storage = storage
    this.#vault = vault
    this.#clock = clock
  }

  /** Null for an app that there is not. Rejects when the store fails. */
  find(appId: string): Promise<OpenedApp | null> {
    const nowMs = this.#clock.now().getTime()
    const kept = this.#kept.get(appId)
    if (kept !== undefined && kept.untilMs > nowMs) return kept.found
    if (this.#kept.size >= maxKept) this.#kept.clear()
    const found = this.#open(appId)
    this.#kept.set(appId, { found, untilMs: nowMs + freshForMs })
    // A failure is nobody's answer but of those who wait for it now.
    found.catch(() => this.forget(appId))
    return found
  }

  forget(appId: string): void {
    this.#kept.delete(appId)
  }

  async #open(appId: string): Promise<OpenedApp | null> {
    const app = await this.#storage.findApp(appId)
    return app === null ? null : { app, secrets: this.#vault.open(app.sealedSecrets) }
  }
}
