import { type C2bFallback, judgeValidation, type ValidationVerdict } from '../core/deliver/c2b-validation.ts'
import { prepareDelivery } from '../core/deliver/prepare-delivery.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { describeError, MpesaStkError } from '../core/errors.ts'
import type { Clock, Logger, Random } from '../core/ports.ts'
import { createTimeOrderedId } from '../core/time-ordered-id.ts'
import { createSender, type Sender } from '../outbound/send.ts'
import { Spool } from '../spool/spool.ts'
import { DeliveryWorker } from '../workers/delivery-worker.ts'
import { AppBook } from './app-book.ts'
import { AppRegister } from './app-register.ts'
import { Intake, type IntakeOutcome } from './intake.ts'
import type { RelayObserver } from './observer.ts'
import type { ReceivedBody } from './received-body.ts'
import { checkKey, createVault } from './vault.ts'

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

/** Safaricom waits for about eight seconds. [documented] */
const validationDeadlineMs = 6_000
const tickEveryMs = 1_000

/** The relay, wired: takes callbacks, keeps them, delivers them. HTTP is somebody else's. */
export class Relay {
  readonly storage: RelayStorage
  readonly apps: AppBook
  readonly register: AppRegister
  readonly intake: Intake
  readonly deliveries: DeliveryWorker
  readonly spool: Spool
  readonly #ports: RelayPorts
  readonly #settings: RelaySettings
  readonly #sender: Sender
  readonly #asker: Sender
  #starting: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null
  #ticking: Promise<void> | null = null

  constructor(ports: RelayPorts, settings: RelaySettings) {
    const { storage, clock } = ports
    this.storage = storage
    this.#ports = ports
    this.#settings = settings
    const vault = createVault(settings.encryptionKey)
    this.#sender = createSender({ allowPrivateTargets: settings.allowPrivateTargets })
    this.#asker = createSender({ allowPrivateTargets: settings.allowPrivateTargets, deadlineMs: validationDeadlineMs })
    this.apps = new AppBook(storage, vault, clock)
    this.register = new AppRegister({ storage, clock, apps: this.apps, vault }, settings)
    this.spool = Spool.open(settings.spoolFolder, ports.logger)
    this.deliveries = new DeliveryWorker({
      ...ports,
      onAttempt: ports.observer.attempted,
      send: request => this.#sender.send(request),
      findApp: appId => this.apps.find(appId),
      disableApp: async (appId, reason) => {
        await this.register.change(appId, app => ({ ...app, isDisabled: true, disabledReason: reason }))
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
    await this.#ticking
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

  /** Makes the next events of every replay due, and begins to deliver them. Never rejects. */
  async advanceReplays(): Promise<void> {
    try {
      if ((await this.storage.advanceReplays(this.#ports.clock.now())) > 0) void this.deliveries.claimDue()
    } catch (cause) {
      this.#ports.logger.warn({ error: describeError(cause) }, 'replays wait: the store fails')
    }
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
    this.#timer ??= setInterval(() => this.#tick(), tickEveryMs).unref()
    await this.#drain()
  }

  #tick(): void {
    this.#ticking ??= this.#drain()
      .then(() => this.advanceReplays())
      .finally(() => {
        this.#ticking = null
      })
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
}
