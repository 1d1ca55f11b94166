import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { withinDeadline } from '../workers/within-deadline.ts'

/** Safaricom waits for a few seconds: a store that answers later is away. */
export const storeDeadlineMs = 3_000
/** What an operator asks for may be of millions of events; he waits. */
const patience: Readonly<Partial<Record<keyof RelayStorage, number>>> = {
  countReplayable: 60_000,
  startReplay: 60_000,
  advanceReplays: 30_000,
  listEvents: 30_000,
  listQuarantine: 30_000,
  countPending: 30_000,
  deleteApp: 30_000,
}

/** `recordEvents`: what comes of it late is handed over to be delivered all the same, and who waits for it has his own deadline. */
const unbounded: ReadonlySet<PropertyKey> = new Set<keyof RelayStorage>(['migrate', 'close', 'recordEvents'])

/**
 * A storage whose every answer comes in time, or not at all: a connection that hangs, which may last a quarter of an hour,
 * would else keep whoever asked it waiting as long, and everything that waits for him.
 */
export function boundStorage(storage: RelayStorage): RelayStorage {
  const bounded = new Map<PropertyKey, unknown>()
  return new Proxy(storage, {
    get(target, name) {
      const known = bounded.get(name)
      if (known !== undefined) return known
      const method: unknown = Reflect.get(target, name)
      if (typeof method !== 'function') return method
      const ms = unbounded.has(name) ? null : (patience[name as keyof RelayStorage] ?? storeDeadlineMs)
      const call = (...args: unknown[]): Promise<unknown> => {
        const answer: Promise<unknown> = Reflect.apply(method, target, args)
        return ms === null ? answer : withinDeadline(ms, answer)
      }
      bounded.set(name, call)
      return call
    },
  })
}
