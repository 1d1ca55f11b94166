import { type DueWork, judgeFailure, type WorkKind, type WorkOutcome } from '../core/due/due-work.ts'
import { describeError } from '../core/errors.ts'
import type { Clock, Logger, Random, Store } from '../core/ports.ts'
import { createTimeOrderedId } from '../core/time-ordered-id.ts'

export type DueWorkerPorts = {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** What a piece of work came to. `not-now`: nothing was tried, and nothing of this lane can be for so long. */
export type LaneOutcome = WorkOutcome | { readonly outcome: 'not-now'; readonly waitMs: number }

/** One sort of work, which waits for no other sort. */
export type Lane = {
  /** What this process can run just now; nothing else is claimed. */
  readonly kinds: () => readonly WorkKind[]
  /** As many as are claimed at once: a lease covers only what starts now. */
  readonly claimAtOnce: number
  /** Longer than a piece may take. A process that is slower or dead is followed by another. */
  readonly leaseMs: number
  /** Does one piece; a rejection is judged by `judge`. */
  readonly run: (work: DueWork) => Promise<LaneOutcome>
  /** What to do after a rejection. Default: try again on the schedule, then park it. */
  readonly judge?: (work: DueWork, error: string) => WorkOutcome
}

/** As many as run at once in this lane. */
const atOnce = 10
/** How often a started worker looks for work that became due, or was left by a process that died. */
const lookEveryMs = 1_000

/**
 * Claims due work and runs it, in this process and beside others: the store hands a row to one of them at a time. Nothing
 * but the store remembers work, so a timer that is lost loses nothing. Each piece ends on its own, so that one that hangs
 * holds up nobody else; when its lease has run out, it is claimed again.
 */
export class DueWorker {
  readonly #ports: DueWorkerPorts
  readonly #lane: Lane
  readonly #inFlight = new Set<Promise<boolean>>()
  #claiming: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | null = null
  #wake: NodeJS.Timeout | undefined
  #restUntilMs = Number.NEGATIVE_INFINITY

  constructor(ports: DueWorkerPorts, lane: Lane) {
    this.#ports = ports
    this.#lane = lane
  }

  get isStarted(): boolean {
    return this.#timer !== null
  }

  /**
   * Runs what is due until nothing is, or none of it may be run yet, or `maxMs` have passed. Resolves with how many pieces
   * were run. Never rejects.
   */
  async runDueWork(maxMs: number): Promise<number> {
    const { clock } = this.#ports
    const began = clock.now().getTime()
    let ran = 0
    for (;;) {
      const begun = await this.#claim()
      const wereRun = await Promise.all(begun)
      ran += wereRun.filter(Boolean).length
      const isAll = begun.length < this.#lane.claimAtOnce
      if (isAll || clock.now().getTime() - began >= maxMs) return ran
    }
  }

  /** Looks for due work regularly, until `stop`. Starting twice is starting once. Alone it keeps no process alive. */
  start(): void {
    this.#timer ??= setInterval(() => void this.runDueWork(lookEveryMs), lookEveryMs).unref()
  }

  /** Looks no more, and resolves when what was begun has ended. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    clearTimeout(this.#wake)
    await this.idle()
  }

  /** Resolves when nothing is being claimed or run. */
  async idle(): Promise<void> {
    let claiming: Promise<unknown>
    do {
      claiming = this.#claiming
      await claiming
      await Promise.all(this.#inFlight)
    } while (claiming !== this.#claiming || this.#inFlight.size > 0)
  }

  /** Begins as much as there is room for. One claim at a time, or two would both take the same room. */
  #claim(): Promise<readonly Promise<boolean>[]> {
    const claimed = this.#claiming.then(async () => {
      const { store, clock, random, logger } = this.#ports
      const { leaseMs, claimAtOnce } = this.#lane
      const kinds = this.#lane.kinds()
      const limit = Math.min(claimAtOnce, atOnce - this.#inFlight.size)
      const at = clock.now()
      if (kinds.length === 0 || limit <= 0 || at.getTime() < this.#restUntilMs) return []
      const leaseId = createTimeOrderedId(at, random(16))
      try {
        return (await store.claimDue({ kinds, at, leaseMs, leaseId, limit })).map(work => this.#begin(work))
      } catch (cause) {
        logger.error({ error: describeError(cause) }, 'due work could not be claimed; it stays in the store')
        return []
      }
    })
    this.#claiming = claimed
    return claimed
  }

  #begin(work: DueWork): Promise<boolean> {
    const attempt = this.#attempt(work).finally(() => this.#inFlight.delete(attempt))
    this.#inFlight.add(attempt)
    return attempt
  }

  /** Whether it was run. */
  async #attempt(work: DueWork): Promise<boolean> {
    const { store, clock, logger } = this.#ports
    const { id, leaseId, paymentId, kind } = work
    const outcome = await this.#run(work)
    try {
      await store.finishWork([{ id, leaseId, ...outcome }], clock.now())
    } catch (cause) {
      logger.error(
        { paymentId, kind, error: describeError(cause) },
        'the end of due work could not be stored; it is run again when its lease has run out',
      )
    }
    return outcome !== givenBack
  }

  async #run(work: DueWork): Promise<WorkOutcome> {
    const { clock, logger } = this.#ports
    const { run, judge = judgeFailure } = this.#lane
    try {
      const outcome = await run(work)
      if (outcome.outcome !== 'not-now') return outcome
      this.#rest(clock.now().getTime(), outcome.waitMs)
      return givenBack
    } catch (cause) {
      const { paymentId, kind, attempts } = work
      const error = describeError(cause)
      const outcome = judge(work, `${error['name']}: ${error['message'] ?? ''}`)
      logger.error(
        { paymentId, kind, attempt: attempts + 1, next: outcome.outcome, error },
        'an attempt of due work failed',
      )
      return outcome
    }
  }

  /** A rest may end long before the next regular look, or just after it: a turn that nobody takes is lost to all. */
  #rest(nowMs: number, waitMs: number): void {
    this.#restUntilMs = nowMs + waitMs
    if (!this.isStarted) return
    clearTimeout(this.#wake)
    this.#wake = setTimeout(() => void this.runDueWork(lookEveryMs), waitMs + timerErrorMs).unref()
  }
}

/** A timer may be a millisecond early by the clock. */
const timerErrorMs = 2

const givenBack = { outcome: 'again', delayMs: null, isAttempt: false, error: null } as const
