import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import {
  cutoffOf,
  firstPace,
  paceAfter,
  type RetentionKind,
  type RetentionPolicy,
  retentionKinds,
} from '../core/deliver/retention.ts'
import { describeError } from '../core/errors.ts'
import type { Clock, Logger } from '../core/ports.ts'
import { createSignal } from '../core/signal.ts'
import type { RelayObserver } from './observer.ts'

export type SweeperPorts = {
  readonly storage: RelayStorage
  readonly clock: Clock
  /** A time that never jumps, for turns. */
  readonly steadyNow: () => Date
  readonly monotonicMs: () => number
  readonly logger: Logger
  readonly observer: Pick<RelayObserver, 'removed' | 'swept'>
  /** Whether callbacks wait for the store just now: a step waits for them. */
  readonly isBusy: () => boolean
  /** Whether callbacks wait on the local disk: there is better to do for the store than to sweep. */
  readonly isStoreAway: () => boolean
}

type Counts = Readonly<Record<RetentionKind, number>>

/** One of all the relays on a store sweeps in an hour. */
const turnMs = 3_600_000
/** The first time so long after the start, which has enough to do. */
const askEveryMs = 300_000
/** What was late, delivered long after it came, is behind the place where a sweep left off: once a day all is walked anew. */
const walkAnewAfterMs = 24 * 3_600_000

/** Removes what has been kept for long enough, a few rows at a time, and gives way to callbacks. */
export class RetentionSweeper {
  readonly #ports: SweeperPorts
  readonly #policy: RetentionPolicy
  readonly #places = new Map<RetentionKind, string>()
  #walkBeganMs = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | null = null
  #sweeping: Promise<Counts> | null = null
  #stopped = createSignal()
  #isStopping = false

  constructor(ports: SweeperPorts, policy: RetentionPolicy) {
    this.#ports = ports
    this.#policy = policy
  }

  /** Sweeps each hour in which no other relay did, until `stop`. Starting twice is starting once. */
  start(): void {
    this.#timer ??= setInterval(() => void this.sweepInTurn(), askEveryMs).unref()
  }

  /** Begins no further step, and resolves when the one under way has ended. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    this.#isStopping = true
    this.#stopped.happen()
    await this.#sweeping
    this.#isStopping = false
    this.#stopped = createSignal()
  }

  /** Sweeps, if nobody has within the hour. Never rejects. */
  async sweepInTurn(): Promise<void> {
    const { storage, steadyNow, isStoreAway, logger } = this.#ports
    if (this.#sweeping !== null || isStoreAway()) return
    try {
      if (!(await storage.takeTurn('retention', turnMs, steadyNow()))) return
    } catch (cause) {
      logger.warn({ error: describeError(cause) }, 'what is old stays for now: the store fails')
      return
    }
    // Stopped while it was asked.
    if (this.#timer !== null) await this.sweep()
  }

  /** How many rows of each kind were removed. Never rejects; whoever asks meanwhile gets the sweep that is under way. */
  sweep(): Promise<Counts> {
    this.#sweeping ??= this.#sweepAll().finally(() => {
      this.#sweeping = null
    })
    return this.#sweeping
  }

  async #sweepAll(): Promise<Counts> {
    const { clock, monotonicMs, logger, observer } = this.#ports
    if (monotonicMs() - this.#walkBeganMs >= walkAnewAfterMs) {
      this.#walkBeganMs = monotonicMs()
      this.#places.clear()
    }
    const removed = { delivered: 0, bodies: 0, attempts: 0, quarantine: 0 }
    try {
      for (const kind of retentionKinds) {
        const olderThan = cutoffOf(kind, this.#policy, clock.now())
        if (olderThan === null) continue
        for await (const count of this.#walk(kind, olderThan)) {
          removed[kind] += count
          observer.removed(kind, count)
        }
      }
      observer.swept(clock.now())
      logger.info(removed, 'what had been kept for long enough is gone')
    } catch (cause) {
      if (cause instanceof GaveWay) {
        logger.info({ ...removed, because: cause.message }, 'a sweep of what is old gave way; the next one goes on')
      } else {
        logger.warn({ ...removed, error: describeError(cause) }, 'a sweep of what is old ended: the store fails')
      }
    }
    return removed
  }

  async *#walk(kind: RetentionKind, olderThan: Date): AsyncGenerator<number> {
    const { storage, monotonicMs } = this.#ports
    for (let pace = firstPace, isDone = false; !isDone; ) {
      await this.#rest(pace.pauseMs)
      const began = monotonicMs()
      const step = await storage.retain(kind, olderThan, this.#places.get(kind) ?? '', pace.limit)
      this.#places.set(kind, step.after)
      yield step.removed
      isDone = step.isDone
      pace = paceAfter(pace, monotonicMs() - began)
    }
  }

  /** Until nobody waits for the store. */
  async #rest(pauseMs: number): Promise<void> {
    const { clock, isBusy, isStoreAway } = this.#ports
    do {
      await Promise.race([clock.sleep(pauseMs), this.#stopped.happened])
      if (this.#isStopping) throw new GaveWay('the relay is stopping')
      if (isStoreAway()) throw new GaveWay('callbacks wait on the local disk')
    } while (isBusy())
  }
}

/** A sweep ends for what is more important. */
class GaveWay extends Error {}
