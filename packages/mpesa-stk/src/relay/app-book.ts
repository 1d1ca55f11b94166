import type { AppSecrets, RelayApp } from '../core/deliver/relay-app.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import type { Vault } from './vault.ts'

export type OpenedApp = { readonly app: RelayApp; readonly secrets: AppSecrets }

type Looked = { readonly found: Promise<RelayApp | null>; readonly untilMs: number }

/** How long another process's change of an app may go unnoticed. */
const freshForMs = 2_000
const maxKept = 10_000

/** Apps, looked up in the store at most every two seconds each. */
export class AppBook {
  readonly #storage: RelayStorage
  readonly #vault: Vault
  readonly #monotonicMs: () => number
  readonly #looked = new Map<string, Looked>()
  /** As they were when they were last seen. Ids of apps that there are not, which cost a stranger nothing, are not in it. */
  readonly #seen = new Map<string, RelayApp>()

  /** By their public ids, which never change. */
  readonly #appIds = new Map<string, string>()

  #operators: readonly RelayApp[] = []

  readonly #openedApps = new WeakMap<RelayApp, OpenedApp>()

  constructor(storage: RelayStorage, vault: Vault, monotonicMs: () => number) {
    this.#storage = storage
    this.#vault = vault
    this.#monotonicMs = monotonicMs
  }

  /** Null for an app that there is not. Rejects when the store fails. */
  find(appId: string): Promise<RelayApp | null> {
    const nowMs = this.#monotonicMs()
    const known = this.#looked.get(appId)
    if (known !== undefined && known.untilMs > nowMs) return known.found
    if (this.#looked.size >= maxKept) this.#looked.clear()
    const found = this.#storage.findApp(appId).then(app => {
      this.#remember(appId, app)
      return app
    })
    this.#looked.set(appId, { found, untilMs: nowMs + freshForMs })
    // A failure is nobody's answer but of those who wait for it now.
    found.catch(() => this.forget(appId))
    return found
  }

  /**
   * The app with its secrets.
   *
   * @throws MpesaStkError `MPESA_STK_RELAY_KEY_WRONG`
   */
  async open(appId: string): Promise<OpenedApp | null> {
    const app = await this.find(appId)
    return app === null ? null : this.#opened(app)
  }

  /** By its public id. */
  async openBySource(sourceId: string): Promise<OpenedApp | null> {
    const known = this.#appIds.get(sourceId) ?? (await this.#storage.findAppBySource(sourceId))?.appId
    if (known === undefined) return null
    if (this.#appIds.size >= maxKept) this.#appIds.clear()
    this.#appIds.set(sourceId, known)
    return this.open(known)
  }

  /** As it was when it was last seen, for a time when the store does not answer. */
  lastSeen(appId: string): OpenedApp | null {
    const app = this.#seen.get(appId)
    return app === undefined ? null : this.#opened(app)
  }

  /** The operators' endpoints, to which alerts go. Rejects when the store fails. */
  async findOperators(): Promise<readonly RelayApp[]> {
    this.#operators = await this.#storage.listOperatorApps()
    return this.#operators
  }

  /** As they were when they were last seen. */
  lastSeenOperators(): readonly OpenedApp[] {
    return this.#operators.map(app => this.#opened(app))
  }

  hasSeen(appId: string): boolean {
    return this.#seen.has(appId)
  }

  /** What is known of it may be old. */
  forget(appId: string): void {
    this.#looked.delete(appId)
  }

  #opened(app: RelayApp): OpenedApp {
    const known = this.#openedApps.get(app)
    if (known !== undefined) return known
    const opened = { app, secrets: this.#vault.open(app.sealedSecrets) }
    this.#openedApps.set(app, opened)
    return opened
  }

  #remember(appId: string, app: RelayApp | null): void {
    this.#seen.delete(appId)
    if (app === null) return
    if (this.#seen.size >= maxKept) this.#seen.clear()
    this.#seen.set(appId, app)
  }
}
