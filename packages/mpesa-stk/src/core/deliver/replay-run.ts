import type { DeliveredKind, DeliveryStatus } from './relay-event.ts'

/** What may be replayed by the many: whatever has been tried. */
export const replayableStatuses = ['DEAD', 'FAILED', 'DELIVERED'] as const satisfies readonly DeliveryStatus[]

/** Which events of an app are replayed. */
export type ReplayFilter = {
  readonly status: (typeof replayableStatuses)[number]
  readonly kind: DeliveredKind | null
  /** Received at or after. */
  readonly from: Date | null
  /** Received at or before. */
  readonly to: Date | null
}

/**
 * - `RUNNING`: makes so many events due each second, over restarts, oldest first.
 * - `DONE`: it has come to the newest event that was there when it began.
 * - `CANCELLED`: somebody stopped it; what it has made due already is delivered.
 */
export const replayStates = ['RUNNING', 'DONE', 'CANCELLED'] as const

export type NewReplayRun = {
  /** Time-ordered. */
  readonly id: string
  readonly appId: string
  readonly filter: ReplayFilter
  /** At most so many events are made due in a second. */
  readonly perSecond: number
  readonly createdAt: Date
}

/** A replay of many events. One row of `relay_replays`. */
export type ReplayRun = NewReplayRun & {
  readonly state: (typeof replayStates)[number]
  /** How many events there were for it when it began. */
  readonly matched: number
  /** How many it has made due. */
  readonly replayed: number
  readonly endedAt: Date | null
}
