import { type AuditEntry, maxCallbackEntries, type RecordedAuditEntry } from '../core/audit/audit-entry.ts'
import type { DueWork, ParkedWork, WorkResult } from '../core/due/due-work.ts'
import { type Intent, reservedInitiation } from '../core/initiate/initiation.ts'
import type {
  CallbackRecord,
  DueClaim,
  PaymentKey,
  PaymentRecord,
  ReserveOutcome,
  SealedToken,
  Store,
  TokenAsk,
  TokenTaken,
  Transition,
  TransitionOutcome,
} from '../core/ports.ts'
import type { CallbackEvidence } from '../core/receive/callback-evidence.ts'
import {
  type AuditRow,
  type CallbackRow,
  type TokenRow,
  toAuditEntry,
  toCallback,
  toTokenTaken,
} from '../store/rows.ts'
import { append, entriesLike } from '../store/sqlite/audit.ts'
import { callbackColumns, keep, parkedFor } from '../store/sqlite/callbacks.ts'
import { openSqliteDatabase, type SqliteDatabase } from '../store/sqlite/database.ts'
import { addWork, claimDue, finishWork, listParkedWork } from '../store/sqlite/due-work.ts'
import { migrateSqlite } from '../store/sqlite/migrate.ts'
import { find, findByRequestId, putPayment, takenBy, updateInitiation } from '../store/sqlite/records.ts'
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
    migrateSqlite(this.#database, new Date())
  }

  async close(): Promise<void> {
    this.#on.clear()
    this.#database.close()
  }

  async reserveInitiation(intent: Intent, entry: AuditEntry): Promise<ReserveOutcome> {
    return inTransaction(this.#database, () => {
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
    const { paymentId, expected, initiation, payment, callback, entry } = transition
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
      if (callback !== undefined) keep(this.#on, callback, 'applied', paymentId)
      append(this.#on, entry)
      for (const due of transition.work ?? []) addWork(this.#on, due)
      const parked = current.payment === null ? parkedFor(this.#on, payment) : []
      return { outcome: 'committed', record: { initiation, payment }, parked }
    })
  }

  async recordCallback({ callback, disposition, paymentId, entry }: CallbackRecord): Promise<{ isNew: boolean }> {
    return inTransaction(this.#database, () => {
      const isNew = keep(this.#on, callback, disposition, paymentId)
      if (isNew && entry !== undefined && entriesLike(this.#on, entry) < maxCallbackEntries) append(this.#on, entry)
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

  async readTrail(paymentId: string): Promise<readonly RecordedAuditEntry[]> {
    return this.#on
      .all<AuditRow>('SELECT * FROM mpesa_audit WHERE payment_id = ? ORDER BY sequence', [paymentId])
      .map(toAuditEntry)
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

  async finishWork(results: readonly WorkResult[]): Promise<void> {
    inTransaction(this.#database, () => finishWork(this.#on, results))
  }

  async listParkedWork(limit: number): Promise<readonly ParkedWork[]> {
    return listParkedWork(this.#on, limit)
  }
}
