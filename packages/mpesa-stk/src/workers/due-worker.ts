import { type DueWork, judgeFailure, type WorkKind, type WorkResult } from '../core/due/due-work.ts'
import { describeError } from '../core/errors.ts'
import type { Clock, Logger, Random, Store } from '../core/ports.ts'
import { createTimeOrderedId } from '../core/time-ordered-id.ts'

export type DueWorkerPorts = {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** As many as are begun at once: a lease covers only what starts now. */
const atOnce = 10
/** Far longer than a handler should take. A process that is slower or dead is followed by another. */
const leaseMs = 5 * 60_000
/** How often a started worker looks for work that became due, or was left by a process that died. */
const lookEveryMs = 1_000

/**
 * Claims due work and runs it, in this process and beside others: the store hands a row to one of them at a time. Nothing
 * but the store remembers work, so a timer that is lost loses nothing. Each piece ends on its own, so that one that hangs
 * holds up nobody else; when its lease has run out, it is claimed again.
 */
export class DueWorker {
  readonly #ports: DueWorkerPorts
  readonly #kinds: () => readonly WorkKind[]
  readonly #run: (work: DueWork) => Promise<void>
  readonly #inFlight = new Set<Promise<void>>()
  #claiming: Promise<unknown> = Promise.resolve()
  #timer: NodeJS.Timeout | null = null

  /**
   * @param kinds what this process can run just now; nothing else is claimed
   * @param run does one piece; a rejection is tried again on the schedule
   */
  constructor(ports: DueWorkerPorts, kinds: () => readonly WorkKind[], run: (work: DueWork) => Promise<void>) {
    this.#ports = ports
    this.#kinds = kinds
    this.#run = run
  }

  /** Runs what is due until nothing is or `maxMs` have passed, and resolves with how many pieces it ran. Never rejects. */
  async runDueWork(maxMs: number): Promise<number> {
    const { clock } = this.#ports
    const began = clock.now().getTime()
    let ran = 0
    for (;;) {
      const begun = await this.#claim()
      ran += begun.length
      await Promise.all(begun)
      if (begun.length < atOnce || clock.now().getTime() - began >= maxMs) return ran
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
  #claim(): Promise<readonly Promise<void>[]> {
    const claimed = this.#claiming.then(async () => {
      const { store, clock, random, logger } = this.#ports
      const kinds = this.#kinds()
      const limit = atOnce - this.#inFlight.size
      if (kinds.length === 0 || limit <= 0) return []
      const at = clock.now()
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

  #begin(work: DueWork): Promise<void> {
    const attempt = this.#attempt(work).finally(() => this.#inFlight.delete(attempt))
    this.#inFlight.add(attempt)
    return attempt
  }

  async #attempt(work: DueWork): Promise<void> {
    const { store, clock, logger } = this.#ports
    const { id, leaseId, paymentId, kind, attempts } = work
    let result: WorkResult = { id, leaseId, outcome: 'done' }
    try {
      await this.#run(work)
    } catch (cause) {
      const error = describeError(cause)
      result = judgeFailure(work, `${error['name']}: ${error['message'] ?? ''}`, clock.now())
      logger.error(
        { paymentId, kind, attempt: attempts + 1, next: result.outcome, error },
        'an attempt of due work failed',
      )
    }
    try {
      await store.finishWork([result])
    } catch (cause) {
      logger.error(
        { paymentId, kind, error: describeError(cause) },
        'the end of due work could not be stored; it is run again when its lease has run out',
      )
    }
  }
}
