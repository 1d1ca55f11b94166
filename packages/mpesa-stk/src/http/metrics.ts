import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { CircuitCounts } from '../core/deliver/circuit.ts'
import type { IntakeOutcome } from '../relay/intake.ts'
import type { RelayObserver } from '../relay/observer.ts'

/** The relay's numbers, as Prometheus reads them. No label holds an id, a number or a URL. */
export type RelayMetrics = {
  readonly observer: RelayObserver
  received(outcome: IntakeOutcome, durationMs: number): void
  /** What is looked up when somebody asks. */
  set(numbers: {
    readonly circuits: CircuitCounts
    readonly spoolFiles: number
    readonly spoolBytes: number
    readonly queued: number
    readonly pending: number
    readonly oldestPendingS: number
    readonly appsOverQuota: number
    readonly streams: Readonly<Record<string, number>>
  }): void
  text(): Promise<string>
  readonly contentType: string
}

const secondBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function createMetrics(): RelayMetrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const callbacks = new Counter({
    name: 'relay_callbacks_total',
    help: 'Bodies that came in at a hook, by what became of them.',
    labelNames: ['outcome', 'reason'],
    registers,
  })
  const sources = new Counter({
    name: 'relay_callback_sources_total',
    help: 'Bodies that came in at a hook, by whether they came from a known address.',
    labelNames: ['known'],
    registers,
  })
  const ingest = new Histogram({
    name: 'relay_ingest_seconds',
    help: 'From a body to its acknowledgement.',
    buckets: secondBuckets,
    registers,
  })
  const batches = new Histogram({
    name: 'relay_batch_events',
    help: 'Events in one commit.',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    registers,
  })
  const commits = new Histogram({
    name: 'relay_commit_seconds',
    help: 'One commit.',
    buckets: secondBuckets,
    registers,
  })
  const attempts = new Counter({
    name: 'relay_delivery_attempts_total',
    help: 'Attempts to deliver, by what they came to.',
    labelNames: ['outcome'],
    registers,
  })
  const delivery = new Histogram({
    name: 'relay_delivery_seconds',
    help: 'One attempt to deliver.',
    buckets: secondBuckets,
    registers,
  })
  const alerts = new Counter({
    name: 'relay_alerts_total',
    help: 'Alerts that this process raised, by type.',
    labelNames: ['type'],
    registers,
  })
  const circuits = new Gauge({
    name: 'relay_circuits',
    help: 'Endpoints by the state of their circuit breaker in this process.',
    labelNames: ['state'],
    registers,
  })
  const removed = new Counter({
    name: 'relay_removed_total',
    help: 'Rows that were removed, or emptied, because they had been kept for long enough.',
    labelNames: ['what'],
    registers,
  })
  const streamEvents = new Counter({
    name: 'relay_stream_events_total',
    help: 'Events that were sent to those who stream.',
    registers,
  })
  const streamGaps = new Counter({
    name: 'relay_stream_gaps_total',
    help: 'Subscribers who were told that something cannot be streamed any more, by why.',
    labelNames: ['reason'],
    registers,
  })
  const streamReads = new Counter({
    name: 'relay_stream_catch_up_reads_total',
    help: 'Pages of the store that were read for subscribers who catch up.',
    registers,
  })
  const streamEnds = new Counter({
    name: 'relay_stream_ends_total',
    help: 'Streaming connections that the relay ended, by why; too_slow: they read too slowly.',
    labelNames: ['code'],
    registers,
  })
  const streams = new Gauge({
    name: 'relay_streams',
    help: 'Connections that stream, by how.',
    labelNames: ['transport'],
    registers,
  })
  const gauge = (name: string, help: string): Gauge => new Gauge({ name, help, registers })
  const spoolFiles = gauge('relay_spool_files', 'Files on the local disk that wait for the store.')
  const spoolBytes = gauge('relay_spool_bytes', 'Bytes on the local disk that wait for the store.')
  const queued = gauge('relay_ingest_queue', 'Events that wait for a commit.')
  const pending = gauge('relay_pending_events', 'Events that are not delivered and not dead.')
  const oldest = gauge('relay_oldest_pending_seconds', 'For how long the oldest of them has been due.')
  const overQuota = gauge('relay_apps_over_quota', 'Apps that took more events today than their quota.')
  const swept = gauge(
    'relay_last_sweep_timestamp_seconds',
    'When a sweep of what is old last came to its end here; 0: not yet.',
  )
  return {
    contentType: registry.contentType,
    observer: {
      committed(events, durationMs) {
        batches.observe(events)
        commits.observe(durationMs / 1_000)
      },
      attempted(failure, durationMs) {
        attempts.inc({ outcome: failure ?? 'delivered' })
        delivery.observe(durationMs / 1_000)
      },
      alerted(type) {
        alerts.inc({ type })
      },
      removed(what, count) {
        removed.inc({ what }, count)
      },
      swept(at) {
        swept.set(at.getTime() / 1_000)
      },
      sourced(isKnown) {
        sources.inc({ known: String(isKnown) })
      },
      streams: {
        sent: () => streamEvents.inc(),
        gapped: reason => streamGaps.inc({ reason }),
        caughtUp: () => streamReads.inc(),
        ended: code => streamEnds.inc({ code }),
      },
    },
    received(outcome, durationMs) {
      callbacks.inc({ outcome: outcome.outcome, reason: 'reason' in outcome ? outcome.reason : '' })
      ingest.observe(durationMs / 1_000)
    },
    set(numbers) {
      for (const [state, count] of Object.entries(numbers.circuits)) circuits.set({ state }, count)
      for (const [transport, count] of Object.entries(numbers.streams)) streams.set({ transport }, count)
      spoolFiles.set(numbers.spoolFiles)
      spoolBytes.set(numbers.spoolBytes)
      queued.set(numbers.queued)
      pending.set(numbers.pending)
      oldest.set(numbers.oldestPendingS)
      overQuota.set(numbers.appsOverQuota)
    },
    text: () => registry.metrics(),
  }
}
