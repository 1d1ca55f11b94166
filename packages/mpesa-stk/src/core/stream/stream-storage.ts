import type { LogEntry, LogHead } from '../deliver/event-log.ts'
import type { RelayApp } from '../deliver/relay-app.ts'
import type { NewPaymentReport } from './payment-report.ts'

/** Which entries of a log are read: those of a payment, by the library's id or by Safaricom's, or all. */
export type StreamView =
  | { readonly kind: 'source' }
  | { readonly kind: 'payment'; readonly paymentId: string }
  /** A payment that no library reported. */
  | { readonly kind: 'push'; readonly businessKey: string }

/** The entries of a view with positions over `after` up to `until`, the first `limit` of them, in order, with their bodies. */
export type StreamSlice = {
  readonly view: StreamView
  readonly after: number
  readonly until: number
  readonly limit: number
}

/**
 * An entry of a stream. Which payment it is about, and what belongs to it, are functions of positions alone, so that whoever
 * reads an entry, whenever, reads the same: entries are committed in the order of their positions.
 */
export type StreamEntry = LogEntry & {
  /** The library's id of the payment, where it was reported at a lower position, or is by this entry; else null. */
  readonly paymentId: string | null
  /**
   * Of the first report of a payment that names its push: callbacks of that push with lower positions, which were nobody's
   * until now: the first twenty, in order. They are read with this entry, and a payment's view does not have them at their own
   * positions.
   */
  readonly earlier: readonly LogEntry[]
}

/** How a log stands for those who stream it. */
export type StreamHead = LogHead & {
  /** Nothing at or below it is streamed any more: it was cleared. */
  readonly floor: number
  /** How often it was cleared: part of the epoch that subscribers see. */
  readonly clears: number
}

/** Tokens that were taken back: one, or all of a subject that were issued before. */
export type Revocation = {
  readonly tokenId: string | null
  readonly subject: string | null
  readonly at: Date
  /** When none of them can be good any more. */
  readonly keepUntil: Date
}

/** What streams ask of a relay's store. Every method is one atomic step. */
export interface StreamStorage {
  /** By its public id. */
  findAppBySource(sourceId: string): Promise<RelayApp | null>
  /**
   * Records what a merchant's server said of its payments: events of the kind `lifecycle`, which nobody delivers, at the next
   * positions of the app's log. Those that are there already (same payment, same mark) are repeats. How many were new.
   */
  reportPayments(appId: string, reports: readonly NewPaymentReport[], epoch: string, at: Date): Promise<number>
  readStream(appId: string, slice: StreamSlice): Promise<readonly StreamEntry[]>
  /** How the logs of these apps stand; those that have not begun are left out. */
  listStreamHeads(appIds: readonly string[], at: Date): Promise<ReadonlyMap<string, StreamHead>>
  /** The position behind the last entry that is older than `since`, of those before the first that is not. */
  findStreamFloor(appId: string, since: Date): Promise<number>
  /** Nothing that is there now is streamed any more. False for an app that has no log. */
  clearStream(appId: string): Promise<boolean>
  revokeTokens(appId: string, revocation: Revocation): Promise<void>
  /** Those that may still matter. */
  listRevocations(appId: string, at: Date): Promise<readonly Revocation[]>
  /** Tells other relays on this store; null where there can be none. */
  readonly fanout: StreamFanout | null
}

/**
 * How relays that share a store tell each other that logs have grown. It may lose anything: whoever streams also looks by
 * himself, every second.
 */
export interface StreamFanout {
  /** Never rejects, and is never waited for. */
  announce(heads: ReadonlyMap<string, number>): void
  /** Begins to listen; null stands for "something may have been missed". Resolves with how to end it. Never rejects. */
  listen(onGrown: (appId: string | null) => void): Promise<() => Promise<void>>
}
