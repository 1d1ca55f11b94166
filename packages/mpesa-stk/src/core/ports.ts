import type { AuditEntry, RecordedAuditEntry } from './audit/audit-entry.ts'
import type { DueWork, NewWork, ParkedWork, WorkKind, WorkResult } from './due/due-work.ts'
import type { Initiation, InitiationState, Intent } from './initiate/initiation.ts'
import type { Payment } from './payment/payment.ts'
import type { CallbackDisposition, CallbackEvidence } from './receive/callback-evidence.ts'

/** Everything the store knows of one payment. The payment appears once Daraja accepted, or a callback proved it. */
export type PaymentRecord = { readonly initiation: Initiation; readonly payment: Payment | null }

/** How to find a record. `token` is the SHA-256 of a callback token. */
export type PaymentKey =
  | { readonly paymentId: string }
  | { readonly idempotencyKey: string }
  | { readonly checkoutRequestId: string }
  | { readonly merchantRequestId: string }
  | { readonly tokenHash: string }

export type ReserveOutcome =
  | { readonly outcome: 'reserved'; readonly record: PaymentRecord }
  /** The key is in use by an intent that was not refused. Nothing was written. */
  | { readonly outcome: 'exists'; readonly record: PaymentRecord }

/**
 * One atomic step of a payment: its next rows, what they were decided upon, the evidence and the audit entry. The
 * single compare-and-set through which every state of every payment passes.
 */
export type Transition = {
  readonly paymentId: string
  /** The step is taken only if the record still looks like this. */
  readonly expected: { readonly initiationState: InitiationState; readonly paymentVersion: number | null }
  readonly initiation: Initiation
  readonly payment: Payment | null
  /** The callback that caused the step, kept with its bytes. */
  readonly callback?: CallbackEvidence
  readonly entry: AuditEntry
  /** Becomes due with the step, in its transaction: the outbox. */
  readonly work?: readonly NewWork[]
}

export type TransitionOutcome =
  | {
      /** Also when this very step (by the id of its entry) had been committed before. */
      readonly outcome: 'committed'
      readonly record: PaymentRecord
      /** When the step made the payment known: the callbacks that had been parked for its ids, oldest first. */
      readonly parked: readonly CallbackEvidence[]
    }
  /** Somebody else was first. `record` is what stands now; nothing was written. */
  | { readonly outcome: 'conflict'; readonly record: PaymentRecord }
  /** Another payment has this receipt or CheckoutRequestID already. Nothing was written. */
  | { readonly outcome: 'taken'; readonly field: 'receipt' | 'checkoutRequestId' }

/** A callback that changes no payment, and why it is kept. */
export type CallbackRecord = {
  readonly callback: CallbackEvidence
  readonly disposition: Exclude<CallbackDisposition, 'applied' | 'parked'>
  readonly paymentId: string | null
  /**
   * Written only when these bytes were not kept before for this payment and disposition, and the trail has fewer than
   * `maxCallbackEntries` of this kind: no flood of callbacks can grow a trail that is never trimmed.
   */
  readonly entry?: AuditEntry
}

/**
 * Where payments live. Before 1.0 this port grows with the library: a store of your own will have to follow.
 *
 * Every method is one whole atomic step: it happens completely or not at all, and what it
 * returned survives a crash as far as the adapter promises. Adapters prove themselves with `mpesa-stk/testing`.
 */
export interface Store {
  /** Creates or upgrades the tables. Safe at every start. Throws `MPESA_STK_SCHEMA_NEWER` on a newer schema. */
  migrate(): Promise<void>
  /** Stores an intent unless its idempotency key is in use by one that was not refused. */
  reserveInitiation(intent: Intent, entry: AuditEntry): Promise<ReserveOutcome>
  /** Takes one step of a payment if nobody else took one first. */
  commitTransition(transition: Transition): Promise<TransitionOutcome>
  /**
   * Keeps a callback that changes nothing. The same bytes for the same payment and disposition count one copy more.
   * Takes its place in the payment's trail one after another, whoever else writes there.
   */
  recordCallback(record: CallbackRecord): Promise<{ readonly isNew: boolean }>
  /**
   * Parks a callback whose payment is not known yet. Atomic with the acceptance of the same ids: either the record is
   * returned and nothing was parked, or the step that makes the payment known returns this callback.
   */
  parkCallback(callback: CallbackEvidence): Promise<PaymentRecord | null>
  /** Parked callbacks whose payment is known by now: a process died before it applied them. Oldest first. */
  findStrandedCallbacks(
    limit: number,
  ): Promise<readonly { readonly record: PaymentRecord; readonly callback: CallbackEvidence }[]>
  findPayment(key: PaymentKey): Promise<PaymentRecord | null>
  /**
   * The access token kept under `name`, if it is still good at `goodUntil`; else the right to fetch the next one, which one
   * process at a time has, until `fetchUntil`.
   */
  takeToken(name: string, ask: TokenAsk): Promise<TokenTaken>
  /**
   * Keeps a token that was fetched and ends the right to fetch; null ends the right alone. `fetchUntil` names the right:
   * whoever no longer has it writes nothing.
   */
  putToken(name: string, token: SealedToken | null, fetchUntil: Date): Promise<void>
  /** Forgets the token of this digest, because Daraja refused it. A newer one stays. */
  dropToken(name: string, digest: string): Promise<void>
  /**
   * Leases work that is due, the oldest first, to one caller at a time. A lease that has run out is claimed like any other
   * work. By the store's own time where it has one, so that no clock of a caller can take a lease early.
   */
  claimDue(claim: DueClaim): Promise<readonly DueWork[]>
  /** Stores what became of attempts. A result whose lease is no longer the row's is ignored. */
  finishWork(results: readonly WorkResult[]): Promise<void>
  /** Work that failed too often, the oldest first. */
  listParkedWork(limit: number): Promise<readonly ParkedWork[]>
  /** The audit trail of one payment, in order. Empty for an unknown one. */
  readTrail(paymentId: string): Promise<readonly RecordedAuditEntry[]>
  close(): Promise<void>
}

export type DueClaim = {
  readonly kinds: readonly WorkKind[]
  readonly at: Date
  readonly leaseMs: number
  readonly leaseId: string
  readonly limit: number
}

/** An access token as a store may keep it: encrypted by the caller, known by the SHA-256 of the token. */
export type SealedToken = { readonly sealed: Uint8Array; readonly digest: string; readonly endsAt: Date }

export type TokenAsk = { readonly at: Date; readonly goodUntil: Date; readonly fetchUntil: Date }

export type TokenTaken =
  | { readonly outcome: 'kept'; readonly token: SealedToken }
  | { readonly outcome: 'fetch' }
  /** Somebody else is fetching it. */
  | { readonly outcome: 'wait' }

/** The part of a store that access tokens need. */
export type TokenStore = Pick<Store, 'takeToken' | 'putToken' | 'dropToken'>

/** One push request to Daraja, ready to be signed. */
export type PushRequest = Pick<
  Intent,
  'phoneNumber' | 'amount' | 'accountReference' | 'description' | 'shortCode' | 'transactionType' | 'partyB'
> & { readonly callbackUrl: string }

/** What is known after a push: queued, proven not queued, or not known. */
export type PushOutcome =
  | { readonly outcome: 'accepted'; readonly checkoutRequestId: string; readonly merchantRequestId: string }
  | PushRefusal
  | { readonly outcome: 'unknown'; readonly code: string; readonly message: string; readonly httpStatus: number | null }

/** Proof that nobody was prompted. */
export type PushRefusal = {
  readonly outcome: 'refused'
  /** Daraja's code, or ours where no answer carries one (`NOT_SENT`, `HTTP_400_EMPTY`). */
  readonly code: string
  readonly message: string
  readonly httpStatus: number | null
}

/** What an STK query said. Only `settled` may ever settle a payment, and it never carries a receipt. */
export type QueryOutcome =
  | { readonly outcome: 'settled'; readonly resultCode: string; readonly resultDesc: string }
  | { readonly outcome: 'in-progress'; readonly code: string; readonly message: string }
  | {
      readonly outcome: 'indeterminate'
      readonly code: string
      readonly message: string
      readonly httpStatus: number | null
      /** From `Retry-After`, where Daraja sent one. */
      readonly retryAfterMs: number | null
    }

/** Safaricom, seen from here. Methods never throw for anything that Safaricom or the network does. */
export interface Daraja {
  /**
   * Makes sure of an access token. Asked before the right to push is claimed: a process that dies while it waits for a
   * token has then sent nothing, and the store knows it.
   */
  authorise(): Promise<{ readonly outcome: 'authorised' } | PushRefusal>
  push(request: PushRequest): Promise<PushOutcome>
  query(request: { readonly shortCode: string; readonly checkoutRequestId: string }): Promise<QueryOutcome>
}

/** Time as a port, so that every decision can be tested for every instant. */
export interface Clock {
  now(): Date
  sleep(durationMs: number): Promise<void>
}

/** Cryptographically strong random bytes. */
export type Random = (length: number) => Uint8Array

/** Shaped like pino's methods. Fields never hold a phone number or a secret. */
export interface Logger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}
