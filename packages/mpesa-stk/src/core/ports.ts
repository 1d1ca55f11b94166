import type { AuditEntry, RecordedAuditEntry } from './audit/audit-entry.ts'
import type { AuditCheckpoint } from './audit/checkpoint.ts'
import type { TrailHead } from './audit/trail-chain.ts'
import type { DueWork, NewWork, ParkedWork, WorkKind, WorkResult } from './due/due-work.ts'
import type { Initiation, InitiationState, Intent } from './initiate/initiation.ts'
import type { Payment } from './payment/payment.ts'
import type { QueryPace } from './poll/query-pace.ts'
import type { CallbackDisposition, CallbackEvidence } from './receive/callback-evidence.ts'
import type { ReconciliationProgress, ReconciliationRange } from './reconcile/reconciliation.ts'

/** Everything the store knows of one payment. The payment appears once Daraja accepted, or a callback proved it. */
export type PaymentRecord = { readonly initiation: Initiation; readonly payment: Payment | null }

/** How to find a record. `token` is the SHA-256 of a callback token. */
export type PaymentKey =
  | { readonly paymentId: string }
  | { readonly idempotencyKey: string }
  | { readonly checkoutRequestId: string }
  | { readonly merchantRequestId: string }
  | { readonly tokenHash: string }

/** Whose trail to read: of one payment, or of every payment of a customer or a reference. */
export type TrailKey =
  | { readonly paymentId: string }
  | { readonly receipt: string }
  | { readonly checkoutRequestId: string }
  | { readonly merchantRequestId: string }
  | { readonly phoneNumber: string }
  | { readonly accountReference: string }

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
  /** The callback that caused the step, kept with its bytes as `applied`, unless it only proves that there is a payment. */
  readonly callback?: CallbackEvidence
  readonly disposition?: 'applied' | 'unconfirmed'
  readonly entry: AuditEntry
  /** Becomes due with the step, in its transaction: the outbox. */
  readonly work?: readonly NewWork[]
  /** Ids of work that the step makes needless, unless a callback of the payment waits to be confirmed; forgotten with the step. */
  readonly endsWork?: readonly string[]
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
  /** Becomes due with the entry, if that is written. */
  readonly entryWork?: readonly NewWork[]
  /**
   * Becomes due where no entry is written, unless it is there: a flood of callbacks may fill the trail, and must not keep the
   * true one from being looked at. It never begins anew what is there; only a lease on it ends, if these bytes are new,
   * because an attempt that is under way does not know of them.
   */
  readonly otherwiseWork?: readonly NewWork[]
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
  /**
   * Stores an intent unless its idempotency key is in use by one that was not refused. The same intent again (by its
   * `paymentId`: an acknowledgement was lost) is the one that is there.
   */
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
  /** Callbacks of a payment that were kept for this reason. Oldest first. */
  listCallbacks(
    paymentId: string,
    disposition: CallbackDisposition,
    limit: number,
    offset?: number,
  ): Promise<readonly CallbackEvidence[]>
  /** Pushes whose outcome is not known, or whose sender did not come back by `at`. Oldest first. */
  listUnresolved(at: Date, limit: number): Promise<readonly PaymentRecord[]>
  /** Payments of a shortcode by the time of their initiation (both ends included), and then by their id. */
  listPayments(range: PaymentRange, limit: number): Promise<readonly Payment[]>
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
  /** Stores what became of claims, `at` this time. A result whose lease is no longer the row's is ignored. */
  finishWork(results: readonly WorkResult[], at: Date): Promise<void>
  /** Makes work due that no step brings with it. Work of that id that is there already stays as it is. */
  addWork(work: readonly NewWork[], at: Date): Promise<void>
  /** Work that failed too often, the oldest first. */
  listParkedWork(limit: number): Promise<readonly ParkedWork[]>
  /** Makes parked work due at once, as if it had never been tried. True when there was such work. */
  releaseParkedWork(id: string, at: Date): Promise<boolean>
  /** Replaces the pace of a shortcode's queries by what `change` makes of it, one caller after another. */
  changeQueryPace(shortCode: string, change: (pace: QueryPace | null) => QueryPace): Promise<QueryPace>
  /**
   * Begins the reconciliation of a range, or takes up one that was broken off. One that is finished begins anew, unless it
   * is the run that the caller has waited for (or a later one): then it is `done`. Runs that were finished a month ago are
   * forgotten.
   */
  openReconciliation(range: ReconciliationRange, awaitedRun: number | null, lease: Lease): Promise<ReconciliationOpened>
  /** Stores how far it came, and renews the lease. False when somebody else has taken it over: nothing was written. */
  saveReconciliation(range: ReconciliationRange, progress: ReconciliationProgress, lease: Lease): Promise<boolean>
  /** The trails of the payments that fit, each in order, the oldest payment first; of the newest `limit` payments. */
  readTrail(key: TrailKey, limit: number): Promise<readonly RecordedAuditEntry[]>
  /** The trails of the payments whose ids follow `after`, in the order of ids, each read at one instant with its head. */
  readTrails(after: string, limit: number): Promise<readonly RecordedTrail[]>
  /** The hashes of all entries in the order in which they were written, each with its position. */
  readAuditHashes(after: number, through: number, limit: number): Promise<readonly PositionedHash[]>
  /** Entries of payments that there are not. */
  countOrphanedEntries(): Promise<number>
  /** A position that no entry before it can still be missing from, and the checkpoint before. */
  openCheckpoint(): Promise<{ readonly through: number; readonly previous: AuditCheckpoint | null }>
  /** Keeps a checkpoint. False when one of this number is there already. */
  saveCheckpoint(checkpoint: AuditCheckpoint): Promise<boolean>
  /** Checkpoints by their number, after `after`. */
  listCheckpoints(after: number, limit: number): Promise<readonly AuditCheckpoint[]>
  close(): Promise<void>
}

/** A right that one process has, until its time is over. */
export type Lease = { readonly leaseId: string; readonly at: Date; readonly leaseMs: number }

export type PaymentRange = {
  readonly shortCode: string
  readonly from: Date
  readonly to: Date
  /** The last one that was seen. */
  readonly after: { readonly initiatedAt: Date; readonly paymentId: string } | null
}

export type ReconciliationOpened =
  | { readonly outcome: 'opened'; readonly progress: ReconciliationProgress }
  | { readonly outcome: 'done'; readonly progress: ReconciliationProgress }
  /** Somebody else works on it, in this run. */
  | { readonly outcome: 'busy'; readonly run: number }

/** A trail with the head that the row of its intent names. */
export type RecordedTrail = {
  readonly paymentId: string
  readonly head: TrailHead
  readonly entries: readonly RecordedAuditEntry[]
}

export type PositionedHash = { readonly position: number; readonly hash: string }

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
      /**
       * `throttled`: we asked too often; `unclear`: an answer about the payment that we do not understand; `unanswered`:
       * no answer about the payment at all.
       */
      readonly reason: 'throttled' | 'unclear' | 'unanswered'
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
