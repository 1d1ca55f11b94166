import type { AlertThresholds } from '../core/deliver/alerts.ts'
import type { ValidationVerdict } from '../core/deliver/c2b-validation.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import type { ReplayFilter, ReplayRun } from '../core/deliver/replay-run.ts'
import type { RetentionPolicy } from '../core/deliver/retention.ts'
import { describeError, MpesaStkError } from '../core/errors.ts'
import type { Clock, Logger, Random } from '../core/ports.ts'
import type { PaymentReport } from '../core/stream/payment-report.ts'
import { createTimeOrderedId } from '../core/time-ordered-id.ts'
import { createSender, type Sender } from '../outbound/send.ts'
import { Spool } from '../spool/spool.ts'
import { DeliveryWorker } from '../workers/delivery-worker.ts'
import { Alarm } from './alarm.ts'
import { AppBook } from './app-book.ts'
import { AppRegister } from './app-register.ts'
import { boundStorage } from './bounded-storage.ts'
import { Intake, type IntakeOutcome } from './intake.ts'
import { LogReader } from './log-reader.ts'
import type { RelayObserver } from './observer.ts'
import { QuarantineBudget, quarantineRowBytes } from './quarantine-budget.ts'
import type { ReceivedBody } from './received-body.ts'
import { Recorder } from './recorder.ts'
import { type Release, release } from './release.ts'
import { RetentionSweeper } from './retention-sweeper.ts'
import { SourceBook } from './source-book.ts'
import type { SourceSettings } from './source-settings.ts'
import { SpoolBudget } from './spool-budget.ts'
import { StreamHub } from './streams/stream-hub.ts'
import { Validator } from './validator.ts'
import { checkKey, createVault } from './vault.ts'
import { Watch } from './watch.ts'

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
  readonly alertThresholds: AlertThresholds
  readonly retention: RetentionPolicy
  readonly sources: SourceSettings
  /** For how long events can be streamed again. */
  readonly streamHours: number
}

const tickEveryMs = 1_000
/** A file of the spool that its process has not touched for so long is nobody's. */
const abandonedAfterMs = 60_000
const mebibyte = 1024 * 1024
const dayMs = 24 * 3_600_000

/** The relay, wired: takes callbacks, keeps them, delivers them. HTTP is somebody else's. */
export class Relay {
  readonly storage: RelayStorage
  readonly apps: AppBook
  readonly register: AppRegister
  readonly sources: SourceBook
  readonly intake: Intake
  readonly deliveries: DeliveryWorker
  readonly log: LogReader
  readonly spool: Spool
  readonly alarm: Alarm
  readonly watch: Watch
  readonly retention: RetentionSweeper
  readonly streams: StreamHub
  readonly #ports: RelayPorts
  readonly #settings: RelaySettings
  readonly #sender: Sender
  readonly #validator: Validator
  readonly #steadyNow: () => Date
  #starting: Promise<void> | null = null
  #isStopped = false
  #timer: NodeJS.Timeout | null = null
  #ticking: Promise<void> | null = null

  constructor(ports: RelayPorts, settings: RelaySettings) {
    const { clock, monotonicMs } = ports
    const storage = boundStorage(ports.storage)
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
    this.sources = new SourceBook({ ...ports, onSource: ports.observer.sourced }, settings.sources)
    this.streams = new StreamHub(
      {
        ...ports,
        storage,
        apps: this.apps,
        now: () => clock.now(),
        steadyNow: this.#steadyNow,
        chance: () => chanceOf(ports.random),
        observer: ports.observer.streams,
      },
      { encryptionKey: settings.encryptionKey, historyMs: settings.streamHours * 3_600_000 },
    )
    this.spool = Spool.open(settings.spoolFolder, ports.logger)
    this.log = new LogReader(storage, this.#steadyNow)
    this.alarm = new Alarm({
      ...ports,
      apps: this.apps,
      record: events => recorder.record(events),
      send: request => this.#sender.send(request),
      onAlert: ports.observer.alerted,
    })
    const { raise } = this.alarm
    this.deliveries = new DeliveryWorker({
      ...ports,
      storage,
      raise,
      steadyNow: this.#steadyNow,
      onAttempt: ports.observer.attempted,
      send: request => this.#sender.send(request),
      findApp: appId => this.apps.open(appId),
      disableApp: async (appId, reason) => {
        await this.register.change(appId, app => ({ ...app, isDisabled: true, disabledReason: reason }))
      },
    })
    const recorder = new Recorder({
      ...ports,
      storage,
      raise,
      steadyNow: this.#steadyNow,
      deliveries: this.deliveries,
      onBatch: ports.observer.committed,
      onRecorded: appId => this.#onRecorded(appId),
    })
    const countQuarantined = (appId: string): Promise<number> =>
      storage.countQuarantined(appId, new Date(clock.now().getTime() - dayMs), quarantineRowBytes)
    this.intake = new Intake({
      ...ports,
      storage,
      raise,
      recorder,
      spool: this.spool,
      spoolBudget: new SpoolBudget({ junk: quarantineBudgetBytes, unseenApps: 512 * mebibyte }),
      quarantineBudget: new QuarantineBudget(quarantineBudgetBytes, countQuarantined, monotonicMs),
      apps: this.apps,
    })
    const watched = { ...ports, storage, raise, spool: this.spool, apps: this.apps, steadyNow: this.#steadyNow }
    this.watch = new Watch(watched, settings.alertThresholds)
    const sweeperPorts = {
      ...ports,
      storage,
      steadyNow: this.#steadyNow,
      isBusy: () => this.intake.queued > 0,
      isStoreAway: () => !this.spool.isEmpty,
    }
    this.retention = new RetentionSweeper(sweeperPorts, settings.retention)
  }

  /**
   * Begins to deliver, and to bring to the store what waits on the disk. Starting twice is starting once.
   *
   * @throws MpesaStkError `MPESA_STK_RELAY_KEY_WRONG`
   */
  async start(): Promise<void> {
    // Before anything is waited for: what comes now goes behind it.
    if (this.#starting === null) this.#takeOverSpool(0)
    this.#isStopped = false
    this.log.start()
    this.streams.start()
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
    this.#isStopped = true
    this.log.stop()
    const streamsEnded = this.streams.stop()
    await this.retention.stop()
    await this.intake.halt()
    await this.#ticking
    await this.intake.idle()
    await this.deliveries.stop()
    await this.watch.idle()
    await this.alarm.idle()
    await streamsEnded
    await this.spool.close()
    await this.#sender.close()
    await this.#validator.close()
  }

  /** Stopped, and not started again since. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** Keeps what came in at a hook. Never rejects. */
  receive(received: ReceivedBody): Promise<IntakeOutcome> {
    return this.intake.receive(received)
  }

  /** Answers whether a C2B payment may be made. Never rejects. */
  validate(received: ReceivedBody): Promise<ValidationVerdict> {
    return this.#validator.validate(received)
  }

  /** Delivers an event again. How many events there were: one or none. */
  async replayEvent(eventId: string): Promise<number> {
    const replayed = await this.storage.replayEvents([eventId], this.#steadyNow())
    if (replayed > 0) void this.deliveries.claimDue()
    return replayed
  }

  /** Makes a quarantined body an event after all. */
  release(id: string, appId: string | null): Promise<Release> {
    return release(this, id, appId)
  }

  /** Adds what a merchant's server says of its payments to his app's log. How many were new. */
  async report(appId: string, reports: readonly PaymentReport[]): Promise<number> {
    const { clock, random } = this.#ports
    const at = clock.now()
    const createId = (): string => createTimeOrderedId(at, random(16))
    const identified = reports.map(report => ({ ...report, id: createId(), at }))
    const added = await this.storage.reportPayments(appId, identified, createId(), this.#steadyNow())
    if (added > 0) this.#onRecorded(appId)
    return added
  }

  /** Begins to deliver many events again. */
  async startReplay(appId: string, filter: ReplayFilter, perSecond: number): Promise<ReplayRun> {
    const createdAt = this.#ports.clock.now()
    const id = createTimeOrderedId(createdAt, this.#ports.random(16))
    const run = await this.storage.startReplay({ id, appId, filter, perSecond, createdAt }, this.#steadyNow())
    await this.advanceReplays()
    return (await this.storage.findReplay(id)) ?? run
  }

  /** Makes the next events of every replay due, and begins to deliver them. Never rejects. */
  async advanceReplays(): Promise<void> {
    try {
      if ((await this.storage.advanceReplays(this.#steadyNow())) > 0) void this.deliveries.claimDue()
    } catch (cause) {
      this.#ports.logger.warn({ error: describeError(cause) }, 'replays wait: the store fails')
    }
  }

  /** Something was added to this app's log. */
  #onRecorded(appId: string): void {
    this.log.wake(appId)
    this.streams.grew(appId)
  }

  async #start(): Promise<void> {
    try {
      await checkKey(this.storage, this.#settings.encryptionKey)
      await this.apps.findOperators()
    } catch (cause) {
      if (cause instanceof MpesaStkError) throw cause
      // A store that is away is no reason to let Safaricom's callbacks go: they wait on the disk.
      this.#ports.logger.warn({ error: describeError(cause) }, 'the store is away; callbacks go to the local disk')
    }
    this.deliveries.start()
    this.retention.start()
    this.#timer ??= setInterval(() => this.#tick(), tickEveryMs).unref()
    // Not waited for: what comes meanwhile is taken, however much there is to drain.
    this.#tick()
  }

  #tick(): void {
    this.watch.tick()
    void this.alarm.flush()
    this.#ticking ??= this.#drain()
      .then(() => this.advanceReplays())
      .finally(() => {
        this.#ticking = null
      })
  }

  #takeOverSpool(untouchedForMs: number): void {
    try {
      this.spool.takeOver(untouchedForMs)
    } catch (cause) {
      this.#ports.logger.error({ error: describeError(cause) }, 'what others left on the local disk cannot be read')
    }
  }

  async #drain(): Promise<void> {
    this.#takeOverSpool(abandonedAfterMs)
    if (this.spool.isEmpty) return
    try {
      await this.intake.drain()
      this.#ports.logger.info({}, 'what had waited on the local disk is in the store')
    } catch (cause) {
      this.#ports.logger.warn({ error: describeError(cause) }, 'callbacks wait on the local disk: the store fails')
    }
  }
}

/** From 0 to 1. */
export function chanceOf(random: Random): number {
  return Buffer.from(random(4)).readUInt32BE() / 2 ** 32
}
