import type { AuditEntry, RecordedAuditEntry } from '../core/audit/audit-entry.ts'
import { MpesaStkError } from '../core/errors.ts'
import { type Initiation, type Intent, reservedInitiation } from '../core/initiate/initiation.ts'
import type { Payment } from '../core/payment/payment.ts'
import type {
  CallbackRecord,
  PaymentKey,
  PaymentRecord,
  ReserveOutcome,
  Store,
  Transition,
  TransitionOutcome,
} from '../core/ports.ts'
import type { CallbackDisposition, CallbackEvidence } from '../core/receive/callback-evidence.ts'
import {
  openSqliteDatabase,
  type SqliteDatabase,
  type SqliteStatement,
  type SqliteValue,
} from '../store/sqlite/database.ts'
import { migrateSqlite } from '../store/sqlite/migrate.ts'
import {
  type AuditRow,
  type CallbackRow,
  type InitiationRow,
  type PaymentRow,
  toAuditEntry,
  toCallback,
  toInitiation,
  toPayment,
} from '../store/sqlite/rows.ts'
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
  readonly #statements = new Map<string, SqliteStatement>()

  /** For a database that you opened yourself; `SqliteAdapter.open` sets the durability that we promise. */
  constructor(database: SqliteDatabase) {
    this.#database = database
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
    this.#statements.clear()
    this.#database.close()
  }

  async reserveInitiation(intent: Intent, entry: AuditEntry): Promise<ReserveOutcome> {
    return inTransaction(this.#database, () => {
      const holder = intent.idempotencyKey === null ? null : this.#find({ idempotencyKey: intent.idempotencyKey })
      if (holder !== null) return { outcome: 'exists', record: holder }
      const initiation = reservedInitiation(intent)
      this.#run(
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
      this.#append(entry)
      return { outcome: 'reserved', record: { initiation, payment: null } }
    })
  }

  async commitTransition(transition: Transition): Promise<TransitionOutcome> {
    const { paymentId, expected, initiation, payment, callback, entry } = transition
    return inTransaction(this.#database, () => {
      const current = this.#find({ paymentId })
      if (current === null) throw new Error(`no initiation ${paymentId}`)
      if (
        current.initiation.state !== expected.initiationState ||
        (current.payment?.version ?? null) !== expected.paymentVersion
      ) {
        return { outcome: 'conflict', record: current }
      }
      const taken = payment === null ? null : this.#takenBy(payment)
      if (taken !== null) return { outcome: 'taken', field: taken }
      this.#updateInitiation(initiation)
      if (payment !== null) this.#putPayment(payment, callback)
      if (callback !== undefined) this.#keep(callback, 'applied', paymentId)
      this.#append(entry)
      return { outcome: 'committed', record: { initiation, payment } }
    })
  }

  async recordCallback({ callback, disposition, paymentId, entry }: CallbackRecord): Promise<{ isNew: boolean }> {
    return inTransaction(this.#database, () => {
      const isNew = this.#keep(callback, disposition, paymentId)
      if (isNew && entry !== undefined) this.#append(entry)
      return { isNew }
    })
  }

  async findPayment(key: PaymentKey): Promise<PaymentRecord | null> {
    return this.#find(key)
  }

  async findParkedCallbacks(ids: {
    readonly checkoutRequestId: string
    readonly merchantRequestId: string
  }): Promise<readonly CallbackEvidence[]> {
    return this.#all<CallbackRow>(
      `SELECT digest, checkout_request_id, merchant_request_id, body, received_at FROM mpesa_callbacks
       WHERE disposition = 'parked' AND (checkout_request_id = ? OR merchant_request_id = ?) ORDER BY received_at`,
      [ids.checkoutRequestId, ids.merchantRequestId],
    ).map(toCallback)
  }

  async readTrail(paymentId: string): Promise<readonly RecordedAuditEntry[]> {
    return this.#all<AuditRow>('SELECT * FROM mpesa_audit WHERE payment_id = ? ORDER BY sequence', [paymentId]).map(
      toAuditEntry,
    )
  }

  #find(key: PaymentKey): PaymentRecord | null {
    const [condition, value] = conditionOf(key)
    const row = this.#get<InitiationRow>(`SELECT * FROM mpesa_initiations WHERE ${condition} LIMIT 1`, [value])
    if (row === undefined) return null
    const payment = this.#get<PaymentRow>('SELECT * FROM mpesa_payments WHERE id = ?', [row.payment_id])
    return { initiation: toInitiation(row), payment: payment === undefined ? null : toPayment(payment) }
  }

  #takenBy(payment: Payment): 'receipt' | 'checkoutRequestId' | null {
    const other = this.#get<Pick<PaymentRow, 'checkout_request_id'>>(
      'SELECT checkout_request_id FROM mpesa_payments WHERE (checkout_request_id = ? OR mpesa_receipt_number = ?) AND id <> ?',
      [payment.checkoutRequestId, payment.mpesaReceiptNumber, payment.id],
    )
    if (other === undefined) return null
    return other.checkout_request_id === payment.checkoutRequestId ? 'checkoutRequestId' : 'receipt'
  }

  #updateInitiation(initiation: Initiation): void {
    this.#run(
      `UPDATE mpesa_initiations SET state = ?, token_hash = ?, send_deadline_at = ?, concluded_at = ?, answer_code = ?,
         answer_message = ? WHERE payment_id = ?`,
      [
        initiation.state,
        initiation.tokenHash,
        initiation.sendDeadlineAt?.getTime() ?? null,
        initiation.concludedAt?.getTime() ?? null,
        initiation.answerCode,
        initiation.answerMessage,
        initiation.paymentId,
      ],
    )
  }

  #putPayment(payment: Payment, callback: CallbackEvidence | undefined): void {
    this.#run(
      `INSERT INTO mpesa_payments (id, checkout_request_id, merchant_request_id, phone_number, amount, account_reference,
         status, mpesa_receipt_number, failure_reason, result_code, result_code_text, initiated_at, completed_at,
         raw_callback, idempotency_key, version)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET status = excluded.status, mpesa_receipt_number = excluded.mpesa_receipt_number,
         failure_reason = excluded.failure_reason, result_code = excluded.result_code,
         result_code_text = excluded.result_code_text, completed_at = excluded.completed_at,
         raw_callback = coalesce(excluded.raw_callback, raw_callback), version = excluded.version`,
      [
        payment.id,
        payment.checkoutRequestId,
        payment.merchantRequestId,
        payment.phoneNumber,
        payment.amount,
        payment.accountReference,
        payment.status,
        payment.mpesaReceiptNumber,
        payment.failureReason,
        payment.resultCode,
        payment.resultCodeText,
        payment.initiatedAt.getTime(),
        payment.completedAt?.getTime() ?? null,
        callback === undefined ? null : Buffer.from(callback.body).toString('utf8'),
        payment.idempotencyKey,
        payment.version,
      ],
    )
  }

  /** True when these bytes are new, or are kept for another reason than before. `applied` is never taken back. */
  #keep(callback: CallbackEvidence, disposition: CallbackDisposition, paymentId: string | null): boolean {
    const kept = this.#get<{ disposition: CallbackDisposition }>(
      'SELECT disposition FROM mpesa_callbacks WHERE digest = ?',
      [callback.digest],
    )
    this.#run(
      `INSERT INTO mpesa_callbacks (digest, payment_id, checkout_request_id, merchant_request_id, disposition, body, copies,
         received_at, last_received_at)
       VALUES (?, ?, ?, ?, ?, ?, 1, ?, ?)
       ON CONFLICT (digest) DO UPDATE SET copies = copies + 1, last_received_at = excluded.last_received_at,
         payment_id = coalesce(payment_id, excluded.payment_id),
         disposition = CASE disposition WHEN 'applied' THEN disposition ELSE excluded.disposition END`,
      [
        callback.digest,
        paymentId,
        callback.checkoutRequestId,
        callback.merchantRequestId,
        disposition,
        callback.body,
        callback.receivedAt.getTime(),
        callback.receivedAt.getTime(),
      ],
    )
    return kept === undefined || (kept.disposition !== 'applied' && kept.disposition !== disposition)
  }

  #append(entry: AuditEntry): void {
    this.#run(
      `INSERT INTO mpesa_audit (payment_id, sequence, at, event, cause, before, after, evidence)
       SELECT ?1, coalesce(max(sequence), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7 FROM mpesa_audit WHERE payment_id = ?1`,
      [
        entry.paymentId,
        entry.at.getTime(),
        entry.event,
        entry.cause,
        entry.before,
        entry.after,
        JSON.stringify(entry.evidence),
      ],
    )
  }

  #run(sql: string, values: SqliteValue[]): void {
    this.#prepare(sql).run(...values)
  }

  #get<Row>(sql: string, values: SqliteValue[]): Row | undefined {
    return (this.#prepare(sql).get(...values) ?? undefined) as Row | undefined
  }

  #all<Row>(sql: string, values: SqliteValue[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[]
  }

  #prepare(sql: string): SqliteStatement {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    try {
      const statement = this.#database.prepare(sql)
      this.#statements.set(sql, statement)
      return statement
    } catch (cause) {
      if (!(cause instanceof Error) || !/no such table: mpesa_/.test(cause.message)) throw cause
      throw new MpesaStkError(
        'MPESA_STK_STORE_NOT_MIGRATED',
        'the SQLite file has no tables yet; call `await store.migrate()` once at every start',
        { cause },
      )
    }
  }
}

function conditionOf(key: PaymentKey): readonly [condition: string, value: string] {
  if ('paymentId' in key) return ['payment_id = ?', key.paymentId]
  if ('idempotencyKey' in key) return ["idempotency_key = ? AND state <> 'refused'", key.idempotencyKey]
  if ('tokenHash' in key) return ['token_hash = ?', key.tokenHash]
  if ('checkoutRequestId' in key) {
    return ['payment_id = (SELECT id FROM mpesa_payments WHERE checkout_request_id = ?)', key.checkoutRequestId]
  }
  return ['payment_id = (SELECT id FROM mpesa_payments WHERE merchant_request_id = ? LIMIT 1)', key.merchantRequestId]
}
