import { type AuditEntry, maxCallbackEntries, type RecordedAuditEntry } from '../core/audit/audit-entry.ts'
import type { AuditCheckpoint } from '../core/audit/checkpoint.ts'
import type { DueWork, NewWork, ParkedWork, WorkResult } from '../core/due/due-work.ts'
import { type Intent, reservedInitiation } from '../core/initiate/initiation.ts'
import type { Payment } from '../core/payment/payment.ts'
import type { QueryPace } from '../core/poll/query-pace.ts'
import type {
  CallbackRecord,
  DueClaim,
  Lease,
  PaymentKey,
  PaymentRange,
  PaymentRecord,
  PositionedHash,
  ReconciliationOpened,
  RecordedTrail,
  ReserveOutcome,
  SealedToken,
  Store,
  TokenAsk,
  TokenTaken,
  TrailKey,
  Transition,
  TransitionOutcome,
} from '../core/ports.ts'
import type { CallbackDisposition, CallbackEvidence } from '../core/receive/callback-evidence.ts'
import type { ReconciliationProgress, ReconciliationRange } from '../core/reconcile/reconciliation.ts'
import { type CallbackRow, type TokenRow, toAuditEntry, toCallback, toTokenTaken } from '../store/rows.ts'
import {
  append,
  countOrphanedEntries,
  entriesLike,
  listCheckpoints,
  openCheckpoint,
  readAuditHashes,
  readTrail,
  readTrails,
  saveCheckpoint,
} from '../store/sqlite/audit.ts'
import { callbackColumns, keep, listCallbacks, parkedFor } from '../store/sqlite/callbacks.ts'
import { openSqliteDatabase, type SqliteDatabase } from '../store/sqlite/database.ts'
import {
  addWork,
  addWorkBeside,
  claimDue,
  endWork,
  finishWork,
  listParkedWork,
  releaseParkedWork,
} from '../store/sqlite/due-work.ts'
import { migrateSqlite } from '../store/sqlite/migrate.ts'
import { paymentSchema } from '../store/sqlite/payment-schema.ts'
import { changeQueryPace } from '../store/sqlite/query-pace.ts'
import { listPayments, openReconciliation, saveReconciliation } from '../store/sqlite/reconciliations.ts'
import {
  find,
  findByRequestId,
  listUnresolved,
  putPayment,
  takenBy,
  updateInitiation,
} from '../store/sqlite/records.ts'
import { SqliteStatements } from '../store/sqlite/statements.ts'
import { inTransaction } from '../store/sqlite/transaction.ts'

export type { SqliteDatabase } from '../store/sqlite/database.ts'

/**
 * The embedded store: one SQLite file, owned by one process. A commit survives `kill -9`, and power loss on a disk that
 * honours flush.
 *
 * ```ts
 * const store = await SqliteAdapter.open('.data/payments.db')
 * await store.migrate()
 * ```
 */
export class SqliteAdapter implements Store {
  readonly #database: SqliteDatabase
  readonly #on: SqliteStatements

  /** For a database that you opened yourself; `SqliteAdapter.open` sets the durability that we promise. */
  constructor(database: SqliteDatabase) {
    this.#database = database
    this.#on = new SqliteStatements(database)
  }

  /**
   * Opens or creates a file (`:memory:` for none), for its owner's eyes only.
   *
   * @throws MpesaStkError `MPESA_STK_SQLITE_IN_USE` when another process has it, `MPESA_STK_SQLITE_DRIVER_MISSING`.
   */
  static async open(path: string): Promise<SqliteAdapter> {
    return new SqliteAdapter(await openSqliteDatabase(path))
  }

  async migrate(): Promise<void> {
    migrateSqlite(this.#database, paymentSchema, new Date())
  }

  async close(): Promise<void> {
    this.#on.clear()
    this.#database.close()
  }

  async reserveInitiation(intent: Intent, entry: AuditEntry): Promise<ReserveOutcome> {
    return inTransaction(this.#database, () => {
      const same = find(this.#on, { paymentId: intent.paymentId })
      if (same !== null) return { outcome: 'reserved', record: same }
      const holder = intent.idempotencyKey === null ? null : find(this.#on, { idempotencyKey: intent.idempotencyKey })
      if (holder !== null) return { outcome: 'exists', record: holder }
      const initiation = reservedInitiation(intent)
      this.#on.run(
        `INSERT INTO mpesa_initiations (payment_id, idempotency_key, state, phone_number, amount, account_reference,
           description, short_code, transaction_type, party_b, reserved_at)
         VALUES (?, ?, 'reserved', ?, ?, ?, ?, ?, ?, ?, ?)`,
        [
          intent.paymentId,
          intent.idempotencyKey,
          intent.phoneNumber,
          intent.amount,
          intent.accountReference,
          intent.description,
          intent.shortCode,
          intent.transactionType,
          intent.partyB,
          intent.reservedAt.getTime(),
        ],
      )
      append(this.#on, entry)
      return { outcome: 'reserved', record: { initiation, payment: null } }
    })
  }

  async commitTransition(transition: Transition): Promise<TransitionOutcome> {
    const { paymentId, expected, initiation, payment, callback, disposition = 'applied', entry } = transition
    return inTransaction(this.#database, () => {
      const current = find(this.#on, { paymentId })
      if (current === null) throw new Error(`no initiation ${paymentId}`)
      if (this.#on.get('SELECT 1 FROM mpesa_audit WHERE entry_id = ?', [entry.id]) !== undefined) {
        return { outcome: 'committed', record: current, parked: parkedFor(this.#on, current.payment) }
      }
      if (
        current.initiation.state !== expected.initiationState ||
        (current.payment?.version ?? null) !== expected.paymentVersion
      ) {
        return { outcome: 'conflict', record: current }
      }
      const taken = payment === null ? null : takenBy(this.#on, payment)
      if (taken !== null) return { outcome: 'taken', field: taken }
      updateInitiation(this.#on, initiation)
      if (payment !== null) putPayment(this.#on, payment, callback)
      if (callback !== undefined) keep(this.#on, callback, disposition, paymentId)
      append(this.#on, entry)
      for (const due of transition.work ?? []) addWork(this.#on, due, entry.at)
      endWork(this.#on, paymentId, transition.endsWork ?? [])
      const isNewId = current.payment?.checkoutRequestId !== payment?.checkoutRequestId
      const parked = isNewId ? parkedFor(this.#on, payment) : []
      return { outcome: 'committed', record: { initiation, payment }, parked }
    })
  }

  async recordCallback(record: CallbackRecord): Promise<{ isNew: boolean }> {
    const { callback, disposition, paymentId, entry, entryWork = [], otherwiseWork = [] } = record
    return inTransaction(this.#database, () => {
      const isNew = keep(this.#on, callback, disposition, paymentId)
      if (isNew && entry !== undefined && entriesLike(this.#on, entry) < maxCallbackEntries) {
        append(this.#on, entry)
        for (const due of entryWork) addWork(this.#on, due, entry.at)
      } else {
        for (const due of otherwiseWork) addWorkBeside(this.#on, due, callback.receivedAt, isNew)
      }
      return { isNew }
    })
  }

  async parkCallback(callback: CallbackEvidence): Promise<PaymentRecord | null> {
    return inTransaction(this.#database, () => {
      const record = findByRequestId(this.#on, callback)
      if (record === null) keep(this.#on, callback, 'parked', null)
      return record
    })
  }

  async findStrandedCallbacks(
    limit: number,
  ): Promise<readonly { readonly record: PaymentRecord; readonly callback: CallbackEvidence }[]> {
    return this.#on
      .all<CallbackRow>(
        `SELECT ${callbackColumns} FROM mpesa_callbacks WHERE disposition = 'parked' AND (
         checkout_request_id IN (SELECT checkout_request_id FROM mpesa_payments) OR (checkout_request_id IS NULL AND
         merchant_request_id IN (SELECT merchant_request_id FROM mpesa_payments))) ORDER BY received_at LIMIT ?`,
        [limit],
      )
      .flatMap(row => {
        const callback = toCallback(row)
        const record = findByRequestId(this.#on, callback)
        return record === null ? [] : [{ record, callback }]
      })
  }

  async findPayment(key: PaymentKey): Promise<PaymentRecord | null> {
    return find(this.#on, key)
  }

  async listCallbacks(
    paymentId: string,
    disposition: CallbackDisposition,
    limit: number,
    offset = 0,
  ): Promise<readonly CallbackEvidence[]> {
    return listCallbacks(this.#on, paymentId, disposition, limit, offset)
  }

  async listUnresolved(at: Date, limit: number): Promise<readonly PaymentRecord[]> {
    return listUnresolved(this.#on, at, limit)
  }

  async listPayments(range: PaymentRange, limit: number): Promise<readonly Payment[]> {
    return listPayments(this.#on, range, limit)
  }

  async readTrail(key: TrailKey, limit: number): Promise<readonly RecordedAuditEntry[]> {
    return readTrail(this.#on, key, limit).map(toAuditEntry)
  }

  async readTrails(after: string, limit: number): Promise<readonly RecordedTrail[]> {
    return readTrails(this.#on, after, limit)
  }

  async readAuditHashes(after: number, through: number, limit: number): Promise<readonly PositionedHash[]> {
    return readAuditHashes(this.#on, after, through, limit)
  }

  async countOrphanedEntries(): Promise<number> {
    return countOrphanedEntries(this.#on)
  }

  async openCheckpoint(): Promise<{ readonly through: number; readonly previous: AuditCheckpoint | null }> {
    return openCheckpoint(this.#on)
  }

  async saveCheckpoint(checkpoint: AuditCheckpoint): Promise<boolean> {
    return saveCheckpoint(this.#on, checkpoint)
  }

  async listCheckpoints(after: number, limit: number): Promise<readonly AuditCheckpoint[]> {
    return listCheckpoints(this.#on, after, limit)
  }

  async takeToken(name: string, ask: TokenAsk): Promise<TokenTaken> {
    return inTransaction(this.#database, () => {
      const taken = toTokenTaken(
        this.#on.get<TokenRow>('SELECT * FROM mpesa_access_tokens WHERE name = ?', [name]),
        ask,
      )
      if (taken.outcome === 'fetch') {
        this.#on.run('INSERT OR REPLACE INTO mpesa_access_tokens VALUES (?, NULL, NULL, NULL, ?)', [
          name,
          ask.fetchUntil.getTime(),
        ])
      }
      return taken
    })
  }

  async putToken(name: string, token: SealedToken | null, fetchUntil: Date): Promise<void> {
    this.#on.run(
      `UPDATE mpesa_access_tokens SET sealed = ?, digest = ?, ends_at = ?, fetched_until = NULL
       WHERE name = ? AND fetched_until = ?`,
      [token?.sealed ?? null, token?.digest ?? null, token?.endsAt.getTime() ?? null, name, fetchUntil.getTime()],
    )
  }

  async dropToken(name: string, digest: string): Promise<void> {
    this.#on.run('DELETE FROM mpesa_access_tokens WHERE name = ? AND digest = ?', [name, digest])
  }

  async claimDue(claim: DueClaim): Promise<readonly DueWork[]> {
    return claimDue(this.#on, claim)
  }

  async finishWork(results: readonly WorkResult[], at: Date): Promise<void> {
    inTransaction(this.#database, () => finishWork(this.#on, results, at))
  }

  async addWork(work: readonly NewWork[], at: Date): Promise<void> {
    inTransaction(this.#database, () => {
      for (const due of work) addWorkBeside(this.#on, due, at, false)
    })
  }

  async listParkedWork(limit: number): Promise<readonly ParkedWork[]> {
    return listParkedWork(this.#on, limit)
  }

  async releaseParkedWork(id: string, at: Date): Promise<boolean> {
    return releaseParkedWork(this.#on, id, at)
  }

  async changeQueryPace(shortCode: string, change: (pace: QueryPace | null) => QueryPace): Promise<QueryPace> {
    return inTransaction(this.#database, () => changeQueryPace(this.#on, shortCode, change))
  }

  async openReconciliation(
    range: ReconciliationRange,
    awaitedRun: number | null,
    lease: Lease,
  ): Promise<ReconciliationOpened> {
    return inTransaction(this.#database, () => openReconciliation(this.#on, range, awaitedRun, lease))
  }

  async saveReconciliation(
    range: ReconciliationRange,
    progress: ReconciliationProgress,
    lease: Lease,
  ): Promise<boolean> {
    return inTransaction(this.#database, () => saveReconciliation(this.#on, range, progress, lease))
  }
}
