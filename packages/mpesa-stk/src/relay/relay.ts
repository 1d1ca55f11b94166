import { randomBytes, randomUUID } from 'node:crypto'
import { type C2bFallback, judgeValidation, type ValidationVerdict } from '../core/deliver/c2b-validation.ts'
import { prepareDelivery } from '../core/deliver/prepare-delivery.ts'
import type { AppSecrets, RelayApp } from '../core/deliver/relay-app.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { longestPauseMs } from '../core/deliver/retry-schedule.ts'
import { describeError, MpesaStkError } from '../core/errors.ts'
import type { Clock, Logger, Random } from '../core/ports.ts'
import { createTimeOrderedId } from '../core/time-ordered-id.ts'
import { createSender, refusal, type Sender } from '../outbound/send.ts'
import { Spool } from '../spool/spool.ts'
import { DeliveryWorker } from '../workers/delivery-worker.ts'
import { AppBook, type OpenedApp } from './app-book.ts'
import { Intake, type IntakeOutcome } from './intake.ts'
import type { RelayObserver } from './observer.ts'
import type { ReceivedBody } from './received-body.ts'
import { checkKey, createVault, type Vault } from './vault.ts'

export type RelayPorts = {
  readonly storage: RelayStorage
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly monotonicMs: () => number
  readonly observer: RelayObserver
}

export type RelaySettings = {
  readonly encryptionKey: string
  /** Where callbacks go while the store cannot take them. */
  readonly spoolFolder: string
  readonly allowPrivateTargets: boolean
  readonly quarantineBudgetBytes: number
}

/** What a merchant may say of his app. */
export type AppChanges = {
  readonly targetUrl?: string | undefined
  readonly isDisabled?: boolean | undefined
  /** The pauses after failed attempts; null for the documented ones. */
  readonly scheduleMs?: readonly number[] | null | undefined
  /** Default `accept`: money that a customer wants to pay is not refused because a server was slow. */
  readonly c2bFallback?: C2bFallback | undefined
}

/** Safaricom waits for about eight seconds. [documented] */
const validationDeadlineMs = 6_000
const drainEveryMs = 1_000
/** How long both signing secrets are good after a rotation, unless the merchant says otherwise. */
export const rotationOverlapMs = 24 * 3_600_000
const maxSaveAttempts = 5

/** The relay, wired: takes callbacks, keeps them, delivers them. HTTP is somebody else's. */
export class Relay {
  readonly storage: RelayStorage
  readonly apps: AppBook
  readonly intake: Intake
  readonly deliveries: DeliveryWorker
  readonly spool: Spool
  readonly #ports: RelayPorts
  readonly #settings: RelaySettings
  readonly #vault: Vault
  readonly #sender: Sender
  readonly #asker: Sender
  #starting: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null

  constructor(ports: RelayPorts, settings: RelaySettings) {
    const { storage, clock } = ports
    this.storage = storage
    this.#ports = ports
    this.#settings = settings
    this.#vault = createVault(settings.encryptionKey)
    this.#sender = createSender({ allowPrivateTargets: settings.allowPrivateTargets })
    this.#asker = createSender({ allowPrivateTargets: settings.allowPrivateTargets, deadlineMs: validationDeadlineMs })
    this.apps = new AppBook(storage, this.#vault, clock)
    this.spool = Spool.open(settings.spoolFolder, ports.logger)
    this.deliveries = new DeliveryWorker({
      ...ports,
      onAttempt: ports.observer.attempted,
      send: request => this.#sender.send(request),
      findApp: appId => this.apps.find(appId),
      disableApp: async (appId, reason) => {
        await this.changeApp(appId, app => ({ ...app, isDisabled: true, disabledReason: reason }))
      },
    })
    this.intake = new Intake({
      ...ports,
      onBatch: ports.observer.committed,
      spool: this.spool,
      apps: this.apps,
      deliveries: this.deliveries,
      quarantineBudgetBytes: settings.quarantineBudgetBytes,
    })
  }

  /**
   * Begins to deliver, and to bring to the store what waits on the disk. Starting twice is starting once.
   *
   * @throws MpesaStkError `MPESA_STK_RELAY_KEY_WRONG`
   */
  async start(): Promise<void> {
    this.#starting ??= this.#start().catch((error: unknown) => {
      this.#starting = null
      throw error
    })
    await this.#starting
  }

  /** Stops beginning, and resolves when what is under way has ended and is stored. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#starting = null
    await this.intake.idle()
    await this.deliveries.stop()
    await this.spool.close()
    await this.#sender.close()
    await this.#asker.close()
  }

  /** Keeps what came in at a hook. Never rejects. */
  receive(received: ReceivedBody): Promise<IntakeOutcome> {
    return this.intake.receive(received)
  }

  /**
   * Asks the merchant's endpoint whether a C2B payment may be made, and answers for it where it does not in time. No money has
   * moved yet, so nothing is kept. Never rejects.
   */
  async validate({ appId, token, body, receivedAt }: ReceivedBody): Promise<ValidationVerdict> {
    const { logger, random } = this.#ports
    let fallback: C2bFallback = 'accept'
    try {
      const found = await this.apps.find(appId)
      if (found === null || found.app.isDisabled) return judgeValidation(null, fallback)
      fallback = found.app.c2bFallback
      const id = createTimeOrderedId(receivedAt, random(16))
      const event = { id, body, callbackToken: token, contradicts: null }
      const answer = await this.#asker.send(
        prepareDelivery(event, found.app, found.secrets, receivedAt, 'c2b-validation'),
      )
      const verdict = judgeValidation(answer, fallback)
      logger.info({ appId, resultCode: verdict.ResultCode, answer: answer.outcome }, 'a C2B validation was answered')
      return verdict
    } catch (cause) {
      logger.warn({ appId, error: describeError(cause) }, 'a C2B validation was answered by the fallback of its app')
      return judgeValidation(null, fallback)
    }
  }

  /** @throws MpesaStkError `MPESA_STK_TARGET_REFUSED` */
  async createApp({
    targetUrl,
    scheduleMs = null,
    c2bFallback = 'accept',
  }: AppChanges & { readonly targetUrl: string }): Promise<OpenedApp> {
    this.#checkTarget(targetUrl)
    const secrets: AppSecrets = { signingSecret: createSecret(), streamSecret: createSecret(), previous: null }
    const app: RelayApp = {
      appId: randomUUID(),
      sourceId: randomUUID(),
      targetUrl,
      sealedSecrets: this.#vault.close(secrets),
      isDisabled: false,
      disabledReason: null,
      scheduleMs: checkedSchedule(scheduleMs),
      c2bFallback,
      createdAt: this.#ports.clock.now(),
      version: 1,
    }
    // Before the first secret is sealed, so that a wrong key never writes one.
    await checkKey(this.storage, this.#settings.encryptionKey)
    await this.storage.createApp(app)
    this.apps.forget(app.appId)
    return { app, secrets }
  }

  /** @throws MpesaStkError `MPESA_STK_TARGET_REFUSED`, `MPESA_STK_APP_INVALID` */
  async updateApp(
    appId: string,
    { targetUrl, isDisabled, scheduleMs, c2bFallback }: AppChanges,
  ): Promise<OpenedApp | null> {
    if (targetUrl !== undefined) this.#checkTarget(targetUrl)
    return this.changeApp(appId, app => ({
      ...app,
      targetUrl: targetUrl ?? app.targetUrl,
      isDisabled: isDisabled ?? app.isDisabled,
      disabledReason: (isDisabled ?? app.isDisabled) ? (app.disabledReason ?? 'by request') : null,
      scheduleMs: scheduleMs === undefined ? app.scheduleMs : checkedSchedule(scheduleMs),
      c2bFallback: c2bFallback ?? app.c2bFallback,
    }))
  }

  /** Gives an app a new signing secret. Deliveries are signed with both for `overlapMs`. */
  async rotateSigningSecret(appId: string, overlapMs = rotationOverlapMs): Promise<OpenedApp | null> {
    const untilMs = this.#ports.clock.now().getTime() + overlapMs
    return this.changeApp(appId, app => {
      const { signingSecret, streamSecret } = this.#vault.open(app.sealedSecrets)
      const secrets = { signingSecret: createSecret(), streamSecret, previous: { signingSecret, untilMs } }
      return { ...app, sealedSecrets: this.#vault.close(secrets) }
    })
  }

  /** Changes an app by compare-and-set. Null for one that there is not. */
  async changeApp(appId: string, change: (app: RelayApp) => RelayApp): Promise<OpenedApp | null> {
    for (let attempt = 0; attempt < maxSaveAttempts; attempt++) {
      const app = await this.storage.findApp(appId)
      if (app === null) return null
      const next = { ...change(app), version: app.version + 1 }
      if (!(await this.storage.saveApp(next))) continue
      this.apps.forget(appId)
      return { app: next, secrets: this.#vault.open(next.sealedSecrets) }
    }
    throw new MpesaStkError('MPESA_STK_STORE_CONTENDED', 'the app changed under every attempt to change it; try again')
  }

  async #start(): Promise<void> {
    try {
      await checkKey(this.storage, this.#settings.encryptionKey)
    } catch (cause) {
      if (cause instanceof MpesaStkError) throw cause
      // A store that is away is no reason to let Safaricom's callbacks go: they wait on the disk.
      this.#ports.logger.warn({ error: describeError(cause) }, 'the store is away; callbacks go to the local disk')
    }
    this.deliveries.start()
    this.#timer ??= setInterval(() => void this.#drain(), drainEveryMs).unref()
    await this.#drain()
  }

  async #drain(): Promise<void> {
    if (this.spool.isEmpty) return
    try {
      await this.intake.drain()
      this.#ports.logger.info({}, 'what had waited on the local disk is in the store')
    } catch (cause) {
      this.#ports.logger.warn({ error: describeError(cause) }, 'callbacks wait on the local disk: the store fails')
    }
  }

  #checkTarget(targetUrl: string): void {
    const why = refusal(targetUrl, this.#settings.allowPrivateTargets)
    if (why === null) return
    throw new MpesaStkError(
      'MPESA_STK_TARGET_REFUSED',
      `targetUrl cannot be delivered to: ${why}. It must be https on a public address; for development set RELAY_ALLOW_PRIVATE_TARGETS=1`,
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

const maxAttempts = 50

function createSecret(): string {
  return randomBytes(32).toString('hex')
}
