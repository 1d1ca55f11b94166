import type { RaiseAlert } from '../core/deliver/alerts.ts'
import { appMark } from '../core/deliver/app-mark.ts'
import { mergeCopies } from '../core/deliver/merge-copies.ts'
import type { LeasedEvent, NewRelayEvent } from '../core/deliver/relay-event.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import type { Random } from '../core/ports.ts'
import { createTimeOrderedId } from '../core/time-ordered-id.ts'
import { endRecords, startRecords } from '../telemetry/relay-spans.ts'
import { type DeliveryWorker, deliveryLeaseMs } from '../workers/delivery-worker.ts'
import { isDataError } from './data-error.ts'

export type RecorderPorts = {
  readonly storage: RelayStorage
  readonly deliveries: DeliveryWorker
  readonly random: Random
  readonly raise: RaiseAlert
  /** A time that never jumps, for leases. */
  readonly steadyNow: () => Date
  readonly monotonicMs: () => number
  readonly onBatch: (events: number, durationMs: number) => void
  /** An event was added to this app's log. */
  readonly onRecorded: (appId: string) => void
}

/** What became of an event that was to be recorded. */
export type Recording =
  | { readonly outcome: 'recorded' | 'repeat'; readonly eventId: string; readonly contradicts: string | null }
  /** The store takes everything but this: it would fail for ever. */
  | { readonly outcome: 'unstorable' }

/** Records events, a batch in one commit, and hands those that are new to whoever delivers. */
export class Recorder {
  readonly #ports: RecorderPorts

  constructor(ports: RecorderPorts) {
    this.#ports = ports
  }

  /** Where the data of somebody in the batch is refused, one by one, so that he fails alone. */
  async record(events: readonly NewRelayEvent[]): Promise<readonly Recording[]> {
    try {
      return await this.#recordTraced(events)
    } catch (cause) {
      if (!isDataError(cause)) throw cause
    }
    const recordings: Recording[] = []
    for (const event of events) {
      try {
        recordings.push(...(await this.#recordTraced([event])))
      } catch (cause) {
        if (!isDataError(cause)) throw cause
        recordings.push({ outcome: 'unstorable' })
      }
    }
    return recordings
  }

  #recordTraced(came: readonly NewRelayEvent[]): Promise<readonly Recording[]> {
    const spans = startRecords(came)
    const recording = this.#recordTogether(came)
    return spans === null ? recording : endRecords(spans, came.length, recording)
  }

  async #recordTogether(came: readonly NewRelayEvent[]): Promise<readonly Recording[]> {
    const { storage, deliveries, random, monotonicMs, steadyNow, raise, onBatch, onRecorded } = this.#ports
    const { events, places } = mergeCopies(came)
    const at = steadyNow()
    const leasedAtMs = monotonicMs()
    // Nobody here delivers: whoever looks next may have it at once.
    const leaseMs = deliveries.isStarted ? deliveryLeaseMs : 0
    const lease = { leaseId: createTimeOrderedId(at, random(16)), leaseMs, at }
    const outcomes = await storage.recordEvents(events, lease)
    onBatch(came.length, monotonicMs() - leasedAtMs)
    const leased: LeasedEvent[] = []
    for (const [index, event] of events.entries()) {
      const outcome = outcomes[index]
      if (outcome?.outcome !== 'recorded') continue
      onRecorded(event.appId)
      const { contradicts } = outcome
      if (leaseMs > 0 && !event.isHeld)
        leased.push({ ...event, contradicts, attemptCount: 0, failures: 0, leaseId: lease.leaseId })
      if (contradicts === null) continue
      const { id, appId, kind } = event
      raise('contradiction', appMark(appId), { eventId: id, kind, contradicts })
    }
    deliveries.handOver(leased, leasedAtMs)
    return places.map(({ index, isFirst }) => {
      const outcome = outcomes[index]
      const eventId = events[index]?.id ?? ''
      if (outcome?.outcome !== 'recorded' || !isFirst) return { outcome: 'repeat', eventId, contradicts: null }
      return { ...outcome, eventId }
    })
  }
}
