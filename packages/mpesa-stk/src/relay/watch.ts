import { hostname } from 'node:os'
import type { AlertThresholds, RaiseAlert } from '../core/deliver/alerts.ts'
import { appMark } from '../core/deliver/app-mark.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { describeError } from '../core/errors.ts'
import type { Clock, Logger } from '../core/ports.ts'
import { createTimeOrderedId } from '../core/time-ordered-id.ts'
import type { Spool } from '../spool/spool.ts'
import type { AppBook } from './app-book.ts'

export type WatchPorts = {
  readonly storage: RelayStorage
  readonly spool: Pick<Spool, 'isEmpty' | 'files' | 'bytes'>
  readonly apps: AppBook
  readonly raise: RaiseAlert
  readonly clock: Clock
  readonly steadyNow: () => Date
  readonly monotonicMs: () => number
  readonly logger: Logger
}

const minuteMs = 60_000
/** The oldest of them; the others follow when these are mended, or by the look of another hour. */
const overdueAppsAtOnce = 100
const smallestRandom = new Uint8Array(16)

/** Looks for what no event tells by itself: what lasts too long, and what grows. Every relay does; an alert is told once. */
export class Watch {
  readonly #ports: WatchPorts
  readonly #thresholds: AlertThresholds
  readonly #host = hostname()
  #spoolSinceMs: number | null = null
  #isSpoolTold = false
  #lookedAtMs: number
  #looking: Promise<void> | null = null

  constructor(ports: WatchPorts, thresholds: AlertThresholds) {
    this.#ports = ports
    this.#thresholds = thresholds
    this.#lookedAtMs = ports.monotonicMs()
  }

  /** To be called every second. The store is asked less often. */
  tick(): void {
    this.#watchSpool()
    const nowMs = this.#ports.monotonicMs()
    if (nowMs - this.#lookedAtMs < this.#thresholds.lookEveryMs || this.#looking !== null) return
    this.#lookedAtMs = nowMs
    void this.look()
  }

  /** Resolves when the store is not being looked at. */
  async idle(): Promise<void> {
    await this.#looking
  }

  #watchSpool(): void {
    const { spool, raise, monotonicMs } = this.#ports
    const nowMs = monotonicMs()
    const forMs = nowMs - (this.#spoolSinceMs ?? nowMs)
    const seconds = Math.round(forMs / 1_000)
    if (spool.isEmpty) {
      if (this.#isSpoolTold) raise('spool.drained', this.#host, { seconds })
      this.#spoolSinceMs = null
      this.#isSpoolTold = false
      return
    }
    this.#spoolSinceMs ??= nowMs
    if (forMs < this.#thresholds.spoolActiveMs) return
    raise('spool.active', this.#host, { seconds, files: spool.files, bytes: spool.bytes })
    this.#isSpoolTold = true
  }

  /** Looks at the store. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  async #look(): Promise<void> {
    const { apps, logger } = this.#ports
    try {
      // So that they are known when the store is away.
      await apps.findOperators()
      await this.#lookForOverdue()
      await this.#lookAtQuarantine()
      await this.#lookForOverQuota()
    } catch (cause) {
      logger.warn({ error: describeError(cause) }, 'the store could not be looked at for alerts')
    }
  }

  async #lookForOverdue(): Promise<void> {
    const { storage, raise, clock, steadyNow } = this.#ports
    const nowMs = clock.now().getTime()
    const before = new Date(nowMs - this.#thresholds.pendingAgeMs)
    for (const { appId, since } of await storage.findOverdueApps(before, steadyNow(), overdueAppsAtOnce)) {
      raise('pending.age', appMark(appId), { minutes: Math.floor((nowMs - since.getTime()) / minuteMs) })
    }
  }

  async #lookForOverQuota(): Promise<void> {
    const { storage, raise, steadyNow } = this.#ports
    for (const { appId, dailyQuota } of await storage.listOverQuota(steadyNow())) {
      raise('quota.exceeded', appMark(appId), { quota: dailyQuota ?? 0 })
    }
  }

  async #lookAtQuarantine(): Promise<void> {
    const { storage, raise, clock } = this.#ports
    const { quarantinedBodies: bodies, quarantinedWithinMs } = this.#thresholds
    const since = new Date(clock.now().getTime() - quarantinedWithinMs)
    const count = await storage.countQuarantinedFrom(createTimeOrderedId(since, smallestRandom), bodies + 1)
    if (count <= bodies) return
    raise('quarantine.growing', 'quarantine', { bodies, minutes: Math.round(quarantinedWithinMs / minuteMs) })
  }
}
