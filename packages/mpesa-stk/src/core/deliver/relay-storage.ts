import type { StreamStorage } from '../stream/stream-storage.ts'
import type { LogEntry, LogHead, LogSlice } from './event-log.ts'
import type { RelayApp } from './relay-app.ts'
import type {
  DeliveryAttempt,
  DeliveryResult,
  DeliveryStatus,
  LeasedEvent,
  NewRelayEvent,
  QuarantinedBody,
  QuarantinedHead,
  RelayEvent,
} from './relay-event.ts'
import type { NewReplayRun, ReplayFilter, ReplayRun } from './replay-run.ts'
import type { RetentionKind, RetentionStep } from './retention.ts'

/** The right to deliver events, until its time is over by the store's clock. */
export type DeliveryLease = { readonly leaseId: string; readonly leaseMs: number; readonly at: Date }

/** How many events are claimed at once. */
export type ClaimLimits = { readonly perApp: number; readonly total: number }

/** What became of each event of a batch, in its order. */
export type RecordedEvent =
  /** It is stored, and leased to whoever recorded it. */
  { readonly outcome: 'recorded'; readonly contradicts: string | null } | { readonly outcome: 'repeat' }

/** An app with events that have not been delivered for long. */
export type OverdueApp = { readonly appId: string; readonly since: Date }

export type EventFilter = {
  readonly status?: DeliveryStatus
  readonly kind?: string
  readonly from?: Date
  readonly to?: Date
  /** The last event that was seen: older ones follow. */
  readonly before?: string
}

/** Where the relay keeps what it was sent. Every method is one atomic step. */
export interface RelayStorage extends StreamStorage {
  /** Creates or upgrades the tables. Safe at every start. Throws `MPESA_STK_SCHEMA_NEWER` on a newer schema. */
  migrate(): Promise<void>
  /** Keeps a setting of this name unless there is one, and returns the one that stands. */
  keepSetting(name: string, value: string): Promise<string>
  /** The setting of this name; null where there is none. */
  findSetting(name: string): Promise<string | null>
  createApp(app: RelayApp): Promise<void>
  findApp(appId: string): Promise<RelayApp | null>
  countApps(): Promise<number>
  /** Newest first; `before` is the id of the last app that was seen. */
  listApps(before: string | null, limit: number): Promise<readonly RelayApp[]>
  /** Those that receive alerts. */
  listOperatorApps(): Promise<readonly RelayApp[]>
  /** Forgets an app, its secrets and its revocations. Its events stay, and those not delivered are dead. False for an app that there is not. */
  deleteApp(appId: string): Promise<boolean>
  /** Replaces an app if it still has the version before. False: somebody else changed it first. */
  saveApp(app: RelayApp): Promise<boolean>
  /**
   * Records a batch in one commit. No two of a batch have the same app, kind, key and result; they are sorted by these, so
   * that two batches never wait for each other in a circle. What is recorded and not held is leased to the caller, and
   * takes the next positions of its app's log.
   */
  recordEvents(events: readonly NewRelayEvent[], lease: DeliveryLease): Promise<readonly RecordedEvent[]>
  /** Keeps bodies that are no events. */
  quarantine(bodies: readonly QuarantinedBody[]): Promise<void>
  /** What was kept so on a budget since then, in bytes; each body costs `rowBytes` beside its own. */
  countQuarantined(budget: string, since: Date, rowBytes: number): Promise<number>
  /** How many bodies have this id or a later one; not counted further than `atMost`. */
  countQuarantinedFrom(firstId: string, atMost: number): Promise<number>
  /** Newest first, of each body the first 200 bytes. */
  listQuarantine(before: string | null, limit: number): Promise<readonly QuarantinedHead[]>
  findQuarantined(id: string): Promise<QuarantinedBody | null>
  /** Forgets a body that has become an event. False for one that there is not. */
  deleteQuarantined(id: string): Promise<boolean>
  /** Leases events that are due: of each app the oldest, and of no app that is disabled or among `exceptApps`. */
  claimDueEvents(
    lease: DeliveryLease,
    limits: ClaimLimits,
    exceptApps: readonly string[],
  ): Promise<readonly LeasedEvent[]>
  /**
   * Apps, those that wait longest first, with an event that has waited since before then to be delivered: since it was
   * received, or, once it was replayed, since it is due. Nothing of an app that is disabled or receives alerts waits, nor what is
   * leased. Of each app sixteen events are looked at, those that are due first.
   */
  findOverdueApps(before: Date, at: Date, limit: number): Promise<readonly OverdueApp[]>
  /** Begins a lease anew before an attempt that would outlast it. The ids of those that are still ours. */
  renewLeases(eventIds: readonly string[], lease: DeliveryLease): Promise<readonly string[]>
  /** Keeps what became of leases, in one commit. */
  finishDeliveries(results: readonly DeliveryResult[], at: Date): Promise<void>
  /**
   * Makes events due at once again, with the whole schedule before them. How many there were that have their body. An attempt
   * that is under way keeps the next one waiting until its lease is over, and its outcome no longer counts.
   */
  replayEvents(eventIds: readonly string[], at: Date): Promise<number>
  /** How many events a replay would make due. */
  countReplayable(appId: string, filter: ReplayFilter): Promise<number>
  /** Keeps a replay of all that there is for it now, and counts it; its first step is due at `at`. */
  startReplay(run: NewReplayRun, at: Date): Promise<ReplayRun>
  /** Makes the next events of each replay due whose second has come. How many. */
  advanceReplays(at: Date): Promise<number>
  findReplay(id: string): Promise<ReplayRun | null>
  /** Newest first. */
  listReplays(appId: string, limit: number): Promise<readonly ReplayRun[]>
  /** Ends a replay that is running; one that has ended is as it was. */
  cancelReplay(id: string, at: Date): Promise<void>
  /** Its body is null where it has been removed: it was kept for as long as it was to be. */
  findEvent(id: string): Promise<{ readonly event: RelayEvent; readonly body: Uint8Array | null } | null>
  /** The newest event of an app about a push. */
  findEventOfPush(appId: string, checkoutRequestId: string): Promise<RelayEvent | null>
  /** Newest first. */
  listEvents(appId: string, filter: EventFilter, limit: number): Promise<readonly RelayEvent[]>
  /** How an app's log stands; null before its first event. */
  findLog(appId: string, at: Date): Promise<LogHead | null>
  /** The events of an app's log that stand after a position, in its order. */
  readLog(appId: string, slice: LogSlice): Promise<readonly LogEntry[]>
  /** Apps that took more events today than their quota. */
  listOverQuota(at: Date): Promise<readonly RelayApp[]>
  /** The newest of them, the oldest first. */
  listAttempts(eventId: string, limit: number): Promise<readonly DeliveryAttempt[]>
  /** For the numbers: how many are due or to be due, and since when the oldest has been due. */
  countPending(): Promise<{ readonly pending: number; readonly oldestDueAt: Date | null }>
  /** True for who asks first within each stretch of time, by the store's clock. */
  takeTurn(name: string, everyMs: number, at: Date): Promise<boolean>
  /**
   * Looks at the next `limit` rows behind `after` (`''`: from the oldest) and removes what is of this kind and old enough. Of
   * events only what was delivered before then and is in no replay that runs. What somebody holds just now is left out.
   */
  retain(kind: RetentionKind, olderThan: Date, after: string, limit: number): Promise<RetentionStep>
  close(): Promise<void>
}
