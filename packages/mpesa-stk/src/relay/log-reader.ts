import {
  formatCursor,
  isOfAnother,
  judgeQuota,
  type LogCursor,
  type LogEntry,
  type LogPlace,
  type LogSlice,
  logBeginning,
  type Quota,
  type Resumption,
  restart,
  resume,
} from '../core/deliver/event-log.ts'
import type { RelayApp } from '../core/deliver/relay-app.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { createSignal, type Signal } from '../core/signal.ts'

type Slice = Omit<LogSlice, 'after'>

export type LogRequest = Slice & { readonly waitMs: number; readonly signal: AbortSignal }

export type LogPage = {
  readonly entries: readonly (LogEntry & { readonly cursor: string })[]
  /** Where the next page begins. */
  readonly cursor: string
  /** Something between where this page should have begun and its first entry cannot be read any more. */
  readonly isGap: boolean
}

/** How often to look for what another relay recorded. */
const lookEveryMs = 1_000
/** More who wait than this are answered at once. */
const maxWaiting = 1_000
/** One app’s followers must leave places for those of others. */
const maxWaitingOfApp = 100

/** Reads the logs of apps, and waits for what is not there yet. */
export class LogReader {
  readonly #storage: RelayStorage
  readonly #now: () => Date
  /** Of each app those who look or wait now: a signal each, which is gone with them. */
  readonly #waiting = new Map<string, Set<Signal>>()
  #waiters = 0
  #isStopped = false

  constructor(storage: RelayStorage, now: () => Date) {
    this.#storage = storage
    this.#now = now
  }

  /** Something was recorded for this app, here: whoever waits for it need not wait for his next look. */
  wake(appId: string): void {
    for (const recorded of this.#waiting.get(appId) ?? []) recorded.happen()
  }

  /** Whoever waits is answered at once, so that nobody holds up the end. */
  stop(): void {
    this.#isStopped = true
    for (const appId of this.#waiting.keys()) this.wake(appId)
  }

  start(): void {
    this.#isStopped = false
  }

  async quotaOf({ appId, dailyQuota }: RelayApp): Promise<Quota> {
    return judgeQuota(dailyQuota, await this.#storage.findLog(appId, this.#now()))
  }

  /** Those that are not read on today. */
  appsOverQuota(): Promise<readonly RelayApp[]> {
    return this.#storage.listOverQuota(this.#now())
  }

  /** The cursor after which comes what is not there yet. */
  async headOf(appId: string): Promise<LogCursor> {
    const head = await this.#storage.findLog(appId, this.#now())
    if (head === null) return logBeginning
    const { epoch, position } = head
    const [last] = await this.#storage.readLog(appId, { after: position - 1, limit: 1, withBodies: false })
    return { epoch, position, eventId: last?.position === position ? last.event.id : null }
  }

  /** What stands after the cursor. Waits up to `waitMs` for the first where there is none. */
  async read(appId: string, cursor: LogCursor, { waitMs, signal, ...slice }: LogRequest): Promise<LogPage> {
    const untilMs = performance.now() + waitMs
    for (;;) {
      // Before the look: what is recorded between it and the waiting wakes us all the same.
      const recorded = this.#expect(appId)
      try {
        const page = await this.#look(appId, cursor, slice)
        const leftMs = untilMs - performance.now()
        const isEnough = page.entries.length > 0 || page.isGap || leftMs <= 0
        if (isEnough || signal.aborted || this.#isStopped || !this.#hasPlace(appId)) return page
        this.#waiters++
        await happensWithin(Math.min(lookEveryMs, leftMs), recorded.happened, signal)
        this.#waiters--
      } finally {
        this.#forget(appId, recorded)
      }
    }
  }

  #hasPlace(appId: string): boolean {
    return this.#waiters < maxWaiting && (this.#waiting.get(appId)?.size ?? 0) <= maxWaitingOfApp
  }

  #expect(appId: string): Signal {
    const recorded = createSignal()
    this.#waiting.set(appId, (this.#waiting.get(appId) ?? new Set()).add(recorded))
    return recorded
  }

  #forget(appId: string, recorded: Signal): void {
    const waiting = this.#waiting.get(appId)
    waiting?.delete(recorded)
    if (waiting?.size === 0) this.#waiting.delete(appId)
  }

  async #look(appId: string, cursor: LogCursor, slice: Slice): Promise<LogPage> {
    const head = (await this.#storage.findLog(appId, this.#now())) ?? logBeginning
    const { after, isGap, found } = await this.#goOn(appId, cursor, head, slice)
    const { epoch, position } = head
    const entries = found.map(entry => ({
      ...entry,
      cursor: formatCursor({ epoch, position: entry.position, eventId: entry.event.id }),
    }))
    const [first] = entries
    // All that stood there may be gone: then it goes on behind the head.
    const end = after === position && !isGap ? cursor : { epoch, position, eventId: null }
    return {
      entries,
      cursor: entries.at(-1)?.cursor ?? formatCursor(end),
      isGap: isGap || (first === undefined ? after < position : first.position > after + 1),
    }
  }

  async #goOn(
    appId: string,
    cursor: LogCursor,
    head: LogPlace,
    slice: Slice,
  ): Promise<Resumption & { readonly found: readonly LogEntry[] }> {
    const { after, isGap } = resume(cursor, head)
    if (after > 0) {
      // From the cursor's own event on, which must be the one that was read there.
      const found = await this.#storage.readLog(appId, { ...slice, after: after - 1, limit: slice.limit + 1 })
      if (!isOfAnother(cursor, found)) {
        return { after, isGap, found: found.filter(entry => entry.position > after).slice(0, slice.limit) }
      }
    }
    return { ...restart(cursor), found: await this.#storage.readLog(appId, { ...slice, after: 0 }) }
  }
}

/** Resolves when it has happened, or the time is over, or nobody waits any more. */
async function happensWithin(ms: number, happened: Promise<void>, signal: AbortSignal): Promise<void> {
  await new Promise<void>(resolve => {
    const end = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', end)
      resolve()
    }
    const timer = setTimeout(end, ms)
    void happened.then(end)
    signal.addEventListener('abort', end)
  })
}
