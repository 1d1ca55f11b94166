export { MemoryAdapter } from './adapters/memory.ts'
export { PostgresAdapter, type PostgresClient, type PostgresPool, type PostgresResult } from './adapters/postgres.ts'
export { SqliteAdapter } from './adapters/sqlite.ts'
export type { AuditCause, AuditEntry, AuditEvent, AuditEvidence, RecordedAuditEntry } from './core/audit/audit-entry.ts'
export type { MpesaConfig } from './core/config.ts'
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
export { maskMsisdn, normaliseMsisdn } from './core/payment/msisdn.ts'
export type { Payment, PaymentStatus, SettledStatus } from './core/payment/payment.ts'
export type { ExplainedPayment, InitiatedPayment, PaymentView, UnacceptedPayment } from './core/payment/payment-view.ts'
export type {
  CallbackRecord,
  Clock,
  Logger,
  PaymentKey,
  PaymentRecord,
  ReserveOutcome,
  Store,
  Transition,
  TransitionOutcome,
} from './core/ports.ts'
export type { CallbackDisposition, CallbackEvidence } from './core/receive/callback-evidence.ts'
export type { ProcessedCallback } from './core/receive/receive-callback.ts'
export { MpesaStk, type MpesaStkOptions, type SettledEvent, type SettledHandler } from './mpesa-stk.ts'
