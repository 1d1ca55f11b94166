export { MemoryAdapter } from './adapters/memory.ts'
export { PostgresAdapter, type PostgresClient, type PostgresPool, type PostgresResult } from './adapters/postgres.ts'
export { SqliteAdapter } from './adapters/sqlite.ts'
export type {
  AuditCause,
  AuditEntry,
  AuditEvent,
  AuditEvidence,
  RecordedAuditEntry,
  ResolutionSource,
} from './core/audit/audit-entry.ts'
export type { AuditCheckpoint } from './core/audit/checkpoint.ts'
export type { TrailHead } from './core/audit/trail-chain.ts'
export type { AuditProblem, AuditVerification } from './core/audit/verify-trail.ts'
export type { MpesaConfig, MpesaSettings } from './core/config.ts'
export type { CredentialProvider, Credentials } from './core/credentials.ts'
export type { DueWork, NewWork, ParkedWork, SettledCause, WorkKind, WorkResult } from './core/due/due-work.ts'
export { errorCodes, MpesaStkError, type MpesaStkErrorCode } from './core/errors.ts'
export {
  type CatalogueApi,
  type CodeCategory,
  type Confidence,
  type Explanation,
  explain,
  type FixableBy,
} from './core/explain/explain.ts'
export type { Initiation, InitiationState, Intent, TransactionType } from './core/initiate/initiation.ts'
export type { PaymentRequest } from './core/initiate/intent.ts'
export { PushRefusedError } from './core/initiate/push-refused-error.ts'
export type { AmountLimits } from './core/payment/amount.ts'
export type { HistoryKey } from './core/payment/history-key.ts'
export { maskMsisdn, normaliseMsisdn } from './core/payment/msisdn.ts'
export type { Payment, PaymentStatus, SettledStatus } from './core/payment/payment.ts'
export type { ExplainedPayment, InitiatedPayment, PaymentView, UnacceptedPayment } from './core/payment/payment-view.ts'
export type {
  CallbackRecord,
  Clock,
  Lease,
  Logger,
  PaymentKey,
  PaymentRange,
  PaymentRecord,
  PositionedHash,
  ReconciliationOpened,
  RecordedTrail,
  ReserveOutcome,
  Store,
  TrailKey,
  Transition,
  TransitionOutcome,
} from './core/ports.ts'
export type { CallbackDisposition, CallbackEvidence } from './core/receive/callback-evidence.ts'
export type { ProcessedCallback } from './core/receive/receive-callback.ts'
export type {
  ReconciliationMismatch,
  ReconciliationProgress,
  ReconciliationRange,
  ReconciliationResult,
} from './core/reconcile/reconciliation.ts'
export type { Resolution } from './core/resolve/resolve-payment.ts'
export type { ResolvedBy, UnresolvedPayment } from './core/resolve/unresolved.ts'
export type { ContradictionReason } from './core/settle/decide-settlement.ts'
export type { Discrepancy, DiscrepancyEvent } from './core/settle/discrepancy.ts'
export { credentialsFromEnvironment } from './credentials/credentials-from-environment.ts'
export { credentialsFromFile } from './credentials/credentials-from-file.ts'
export { MpesaStk, type MpesaStkOptions, type ResolvedPayment } from './mpesa-stk.ts'
export {
  connectRelay,
  type PageToken,
  type PendingReport,
  type RelayLink,
  type RelayLinkOptions,
  type ReportOutcome,
  type TokenRequest,
} from './relay-link/connect-relay.ts'
export type { DiscrepancyHandler, SettledEvent, SettledHandler } from './workers/handler-lane.ts'
