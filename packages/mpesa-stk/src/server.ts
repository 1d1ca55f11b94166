export { PostgresRelayAdapter } from './adapters/relay-postgres.ts'
export { SqliteRelayAdapter } from './adapters/relay-sqlite.ts'
export type { AppSecrets, RelayApp } from './core/deliver/relay-app.ts'
export type {
  DeliveryAttempt,
  DeliveryOutcome,
  DeliveryResult,
  DeliveryStatus,
  LeasedEvent,
  NewRelayEvent,
  QuarantinedBody,
  QuarantinedHead,
  RelayEvent,
} from './core/deliver/relay-event.ts'
export type { DeliveryLease, EventFilter, RecordedEvent, RelayStorage } from './core/deliver/relay-storage.ts'
export type { RetentionKind, RetentionPolicy, RetentionStep } from './core/deliver/retention.ts'
export { signBody, standardWebhooksSecret, verifySignature } from './core/deliver/sign.ts'
export type { NewPaymentReport, PaymentReport } from './core/stream/payment-report.ts'
export type {
  Revocation,
  StreamEntry,
  StreamFanout,
  StreamHead,
  StreamSlice,
  StreamView,
} from './core/stream/stream-storage.ts'
export { createRelayServer, type RelayServer, type RelayServerOptions } from './http/relay-server.ts'
export { type AttachOptions, attachStreams, type UpgradeServer } from './http/streams/attach-streams.ts'
export { recoverPendingDeliveries } from './relay/recover-pending-deliveries.ts'
