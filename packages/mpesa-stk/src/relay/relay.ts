import type { ValidationVerdict } from '../core/deliver/c2b-validation.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { describeError, MpesaStkError } from '../core/errors.ts'
import type { Clock, Logger, Random } from '../core/ports.ts'
import { createSender, type Sender } from '../outbound/send.ts'
import { Spool } from '../spool/spool.ts'
import { DeliveryWorker } from '../workers/delivery-worker.ts'
import { withinDeadline } from '../workers/within-deadline.ts'
import { AppBook } from './app-book.ts'
import { AppRegister } from './app-register.ts'
import { Intake, type IntakeOutcome, storeDeadlineMs } from './intake.ts'
import type { RelayObserver } from './observer.ts'
import { QuarantineBudget, quarantineRowBytes } from './quarantine-budget.ts'
import type { ReceivedBody } from './received-body.ts'
import { Recorder } from './recorder.ts'
import { SpoolBudget } from './spool-budget.ts'
import { Validator } from './validator.ts'
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

const tickEveryMs = 1_000
const mebibyte = 1024 * 1024
const dayMs = 24 * 3_600_000

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
  readonly #validator: Validator
  readonly #steadyNow: () => Date
  #starting: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null
  #ticking: Promise<void> | null = null

  constructor(ports: RelayPorts, settings: RelaySettings) {
    const { storage, clock, monotonicMs } = ports
    const { quarantineBudgetBytes } = settings
    this.storage = storage
    this.#ports = ports
    this.#settings = settings
    const vault = createVault(settings.encryptionKey)
    this.#sender = createSender({ allowPrivateTargets: settings.allowPrivateTargets })
    const began = { at: clock.now().getTime(), monotonicMs: monotonicMs() }
    this.#steadyNow = () => new Date(began.at + monotonicMs() - began.monotonicMs)
    this.apps = new AppBook(storage, vault, monotonicMs)
    this.#validator = new Validator({ ...ports, apps: this.apps }, settings.allowPrivateTargets)
    this.register = new AppRegister({ storage, clock, apps: this.apps, vault }, settings)
    this.spool = Spool.open(settings.spoolFolder, ports.logger)
    this.deliveries = new DeliveryWorker({
      ...ports,
      steadyNow: this.#steadyNow,
      onAttempt: ports.observer.attempted,
      send: request => this.#sender.send(request),
      findApp: appId => this.apps.open(appId),
      disableApp: async (appId, reason) => {
        await this.register.change(appId, app => ({ ...app, isDisabled: true, disabledReason: reason }))
      },
    })
    const countQuarantined = (appId: string): Promise<number> =>
      storage.countQuarantined(appId, new Date(clock.now().getTime() - dayMs), quarantineRowBytes)
    this.intake = new Intake({
      ...ports,
      recorder: new Recorder({
        ...ports,
        steadyNow: this.#steadyNow,
        deliveries: this.deliveries,
        onBatch: ports.observer.committed,
      }),
      spool: this.spool,
      spoolBudget: new SpoolBudget({ junk: quarantineBudgetBytes, unseenApps: 512 * mebibyte }),
      quarantineBudget: new QuarantineBudget(quarantineBudgetBytes, countQuarantined, monotonicMs),
      apps: this.apps,
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
    await this.#validator.close()
  }

  /** Keeps what came in at a hook. Never rejects. */
  receive(received: ReceivedBody): Promise<IntakeOutcome> {
    return this.intake.receive(received)
  }

  /** Answers whether a C2B payment may be made. Never rejects. */
  validate(received: ReceivedBody): Promise<ValidationVerdict> {
    return this.#validator.validate(received)
  }

  /** Makes the next events of every replay due, and begins to deliver them. Never rejects. */
  async advanceReplays(): Promise<void> {
    try {
      if ((await this.storage.advanceReplays(this.#steadyNow())) > 0) void this.deliveries.claimDue()
    } catch (cause) {
      this.#ports.logger.warn({ error: describeError(cause) }, 'replays wait: the store fails')
    }
  }

  async #start(): Promise<void> {
    try {
      await withinDeadline(storeDeadlineMs, checkKey(this.storage, this.#settings.encryptionKey))
    } catch (cause) {
      if (cause instanceof MpesaStkError) throw cause
      // A store that is away is no reason to let Safaricom's callbacks go: they wait on the disk.
      this.#ports.logger.warn({ error: describeError(cause) }, 'the store is away; callbacks go to the local disk')
    }
    this.deliveries.start()
    this.#timer ??= setInterval(() => this.#tick(), tickEveryMs).unref()
    // Not waited for: what comes meanwhile is taken, however much there is to drain.
    this.#tick()
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
