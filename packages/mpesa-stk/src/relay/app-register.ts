import { randomBytes, randomUUID } from 'node:crypto'
import type { C2bFallback } from '../core/deliver/c2b-validation.ts'
import type { AppReceives, AppSecrets, RelayApp } from '../core/deliver/relay-app.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { longestPauseMs } from '../core/deliver/retry-schedule.ts'
import { MpesaStkError } from '../core/errors.ts'
import type { Clock } from '../core/ports.ts'
import { refusal } from '../outbound/send.ts'
import type { AppBook, OpenedApp } from './app-book.ts'
import { checkKey, type Vault } from './vault.ts'

/** What a merchant may say of his app. */
export type AppChanges = {
  readonly targetUrl?: string | undefined
  readonly isDisabled?: boolean | undefined
  /** The pauses after failed attempts; null for the documented ones. */
  readonly scheduleMs?: readonly number[] | null | undefined
  /** Default `accept`: money that a customer wants to pay is not refused because a server was slow. */
  readonly c2bFallback?: C2bFallback | undefined
  /** Events of a Nairobi day after which its log is not read on until the next. Default null: none. */
  readonly dailyQuota?: number | null | undefined
  /** Default false: a page reads streams with a token alone. */
  readonly publicStreams?: boolean | undefined
  /** Whose pages may read streams, as browsers write origins; null, the default: whoever's. */
  readonly allowedOrigins?: readonly string[] | null | undefined
}

/** How long both signing secrets are good after a rotation, unless the merchant says otherwise. */
export const rotationOverlapMs = 24 * 3_600_000
const maxSaveAttempts = 5
const maxAttempts = 50
const maxOrigins = 20
const maxQuota = 1_000_000_000

type RegisterPorts = {
  readonly storage: RelayStorage
  readonly apps: AppBook
  readonly vault: Vault
  readonly clock: Clock
}

/** Makes apps, changes and deletes them. */
export class AppRegister {
  readonly #ports: RegisterPorts
  readonly #settings: { readonly encryptionKey: string; readonly allowPrivateTargets: boolean }

  constructor(
    ports: RegisterPorts,
    settings: { readonly encryptionKey: string; readonly allowPrivateTargets: boolean },
  ) {
    this.#ports = ports
    this.#settings = settings
  }

  /** @throws MpesaStkError `MPESA_STK_TARGET_REFUSED` */
  async create({
    targetUrl,
    scheduleMs = null,
    c2bFallback = 'accept',
    dailyQuota = null,
    receives = 'callbacks',
    publicStreams = false,
    allowedOrigins = null,
  }: AppChanges & { readonly targetUrl: string; readonly receives?: AppReceives | undefined }): Promise<OpenedApp> {
    this.#checkTarget(targetUrl)
    const secrets: AppSecrets = { signingSecret: createSecret(), streamSecret: createSecret(), previous: null }
    const app: RelayApp = {
      appId: randomUUID(),
      sourceId: randomUUID(),
      targetUrl: new URL(targetUrl).href,
      sealedSecrets: this.#ports.vault.close(secrets),
      isDisabled: false,
      disabledReason: null,
      scheduleMs: checkedSchedule(scheduleMs),
      c2bFallback,
      dailyQuota: checkedQuota(dailyQuota),
      createdAt: this.#ports.clock.now(),
      version: 1,
      receives,
      publicStreams,
      allowedOrigins: checkedOrigins(allowedOrigins),
    }
    // Before the first secret is sealed, so that a wrong key never writes one.
    await checkKey(this.#ports.storage, this.#settings.encryptionKey)
    await this.#ports.storage.createApp(app)
    this.#ports.apps.forget(app.appId)
    // So that it is known when the store goes away.
    if (receives === 'alerts') await this.#ports.apps.findOperators().catch(() => [])
    return { app, secrets }
  }

  /** @throws MpesaStkError `MPESA_STK_TARGET_REFUSED`, `MPESA_STK_APP_INVALID` */
  async update(
    appId: string,
    { targetUrl, isDisabled, scheduleMs, c2bFallback, dailyQuota, publicStreams, allowedOrigins }: AppChanges,
  ): Promise<OpenedApp | null> {
    if (targetUrl !== undefined) this.#checkTarget(targetUrl)
    return this.change(appId, app => ({
      ...app,
      targetUrl: targetUrl === undefined ? app.targetUrl : new URL(targetUrl).href,
      isDisabled: isDisabled ?? app.isDisabled,
      disabledReason: (isDisabled ?? app.isDisabled) ? (app.disabledReason ?? 'by request') : null,
      scheduleMs: scheduleMs === undefined ? app.scheduleMs : checkedSchedule(scheduleMs),
      c2bFallback: c2bFallback ?? app.c2bFallback,
      dailyQuota: dailyQuota === undefined ? app.dailyQuota : checkedQuota(dailyQuota),
      publicStreams: publicStreams ?? app.publicStreams,
      allowedOrigins: allowedOrigins === undefined ? app.allowedOrigins : checkedOrigins(allowedOrigins),
    }))
  }

  /** Gives an app a new signing secret. Deliveries are signed with both for `overlapMs`. */
  async rotateSigningSecret(appId: string, overlapMs = rotationOverlapMs): Promise<OpenedApp | null> {
    const untilMs = this.#ports.clock.now().getTime() + overlapMs
    return this.change(appId, app => {
      const { signingSecret, streamSecret } = this.#ports.vault.open(app.sealedSecrets)
      const secrets = { signingSecret: createSecret(), streamSecret, previous: { signingSecret, untilMs } }
      return { ...app, sealedSecrets: this.#ports.vault.close(secrets) }
    })
  }

  /** Gives an app a new stream secret. The old one is good no more, at once here and within seconds on other relays. */
  async rotateStreamSecret(appId: string): Promise<OpenedApp | null> {
    return this.change(appId, app => {
      const secrets = { ...this.#ports.vault.open(app.sealedSecrets), streamSecret: createSecret() }
      return { ...app, sealedSecrets: this.#ports.vault.close(secrets) }
    })
  }

  /** Changes an app by compare-and-set. Null for one that there is not. */
  async change(appId: string, change: (app: RelayApp) => RelayApp): Promise<OpenedApp | null> {
    for (let attempt = 0; attempt < maxSaveAttempts; attempt++) {
      const app = await this.#ports.storage.findApp(appId)
      if (app === null) return null
      const next = { ...change(app), version: app.version + 1 }
      if (!(await this.#ports.storage.saveApp(next))) continue
      this.#ports.apps.forget(appId)
      return { app: next, secrets: this.#ports.vault.open(next.sealedSecrets) }
    }
    throw new MpesaStkError('MPESA_STK_STORE_CONTENDED', 'the app changed under every attempt to change it; try again')
  }

  /** Forgets an app and its secrets: what still comes for it is quarantined, and its events that were not delivered are dead. */
  async delete(appId: string): Promise<boolean> {
    const isDeleted = await this.#ports.storage.deleteApp(appId)
    this.#ports.apps.forget(appId)
    return isDeleted
  }

  #checkTarget(targetUrl: string): void {
    const why = refusal(targetUrl, this.#settings.allowPrivateTargets)
    if (why === null) return
    throw new MpesaStkError(
      'MPESA_STK_TARGET_REFUSED',
      this.#settings.allowPrivateTargets
        ? `targetUrl cannot be delivered to: ${why}. It must begin with https:// or http://`
        : `targetUrl cannot be delivered to: ${why}. It must be https on a public address; for development set RELAY_ALLOW_PRIVATE_TARGETS=1`,
    )
  }
}

function checkedSchedule(scheduleMs: readonly number[] | null): readonly number[] | null {
  if (scheduleMs === null) return null
  const isGood = scheduleMs.every(pauseMs => Number.isSafeInteger(pauseMs) && pauseMs >= 0 && pauseMs <= longestPauseMs)
  if (isGood && scheduleMs.length <= maxAttempts) return scheduleMs
  throw new MpesaStkError(
    'MPESA_STK_APP_INVALID',
    `scheduleMs must be at most ${maxAttempts} pauses, each from 0 to ${longestPauseMs} ms`,
  )
}

function checkedQuota(dailyQuota: number | null): number | null {
  if (dailyQuota === null || (Number.isSafeInteger(dailyQuota) && dailyQuota > 0 && dailyQuota <= maxQuota))
    return dailyQuota
  throw new MpesaStkError('MPESA_STK_APP_INVALID', `dailyQuota must be a whole number from 1 to ${maxQuota}, or null`)
}

function checkedOrigins(origins: readonly string[] | null): readonly string[] | null {
  if (origins === null || (origins.length <= maxOrigins && origins.every(isOrigin))) return origins
  throw new MpesaStkError(
    'MPESA_STK_APP_INVALID',
    `allowedOrigins must be at most ${maxOrigins} origins as browsers send them, such as https://shop.example: no path, no upper case, no default port`,
  )
}

/** To `URL` a star is a name as any other; whoever writes one means more. */
function isOrigin(text: string): boolean {
  return /^https?:[^*]+$/.test(text) && URL.canParse(text) && new URL(text).origin === text
}

function createSecret(): string {
  return randomBytes(32).toString('hex')
}
