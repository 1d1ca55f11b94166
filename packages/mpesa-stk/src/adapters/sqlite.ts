import { type AuditEntry, maxCallbackEntries, type RecordedAuditEntry } from '../core/audit/audit-entry.ts'
import type { DueWork, ParkedWork, WorkResult } from '../core/due/due-work.ts'
import { MpesaStkError } from '../core/errors.ts'
import { type Initiation, type Intent, reservedInitiation } from '../core/initiate/initiation.ts'
import type { Payment } from '../core/payment/payment.ts'
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
import type { CallbackDisposition, CallbackEvidence } from '../core/receive/callback-evidence.ts'
import {
  type AuditRow,
  type CallbackRow,
  type InitiationRow,
  type PaymentRow,
  type TokenRow,
  toAuditEntry,
  toCallback,
  toDueWork,
  toInitiation,
  toParkedWork,
  toPayment,
  toTokenTaken,
  type WorkRow,
} from '../store/rows.ts'
import {
  openSqliteDatabase,
  type SqliteDatabase,
  type SqliteStatement,
  type SqliteValue,
} from '../store/sqlite/database.ts'
import { migrateSqlite } from '../store/sqlite/migrate.ts'
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
      if (this.#get('SELECT 1 FROM mpesa_audit WHERE entry_id = ?', [entry.id]) !== undefined) {
        return { outcome: 'committed', record: current, parked: this.#parkedFor(current.payment) }
      }
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
      for (const due of transition.work ?? []) {
        this.#run('INSERT INTO mpesa_due_work VALUES (?, ?, ?, ?, 0, ?, 0, NULL, NULL, NULL)', [
          due.id,
          due.kind,
          due.paymentId,
          due.cause,
          due.dueAt.getTime(),
        ])
      }
      const parked = current.payment === null ? this.#parkedFor(payment) : []
      return { outcome: 'committed', record: { initiation, payment }, parked }
    })
  }

  async recordCallback({ callback, disposition, paymentId, entry }: CallbackRecord): Promise<{ isNew: boolean }> {
    return inTransaction(this.#database, () => {
      const isNew = this.#keep(callback, disposition, paymentId)
      if (isNew && entry !== undefined && this.#entriesLike(entry) < maxCallbackEntries) this.#append(entry)
      return { isNew }
    })
  }

  async parkCallback(callback: CallbackEvidence): Promise<PaymentRecord | null> {
    return inTransaction(this.#database, () => {
      const record = this.#findByRequestId(callback)
      if (record === null) this.#keep(callback, 'parked', null)
      return record
    })
  }

  async findStrandedCallbacks(
    limit: number,
  ): Promise<readonly { readonly record: PaymentRecord; readonly callback: CallbackEvidence }[]> {
    return this.#all<CallbackRow>(
      `SELECT ${callbackColumns} FROM mpesa_callbacks WHERE disposition = 'parked' AND (
         checkout_request_id IN (SELECT checkout_request_id FROM mpesa_payments) OR (checkout_request_id IS NULL AND
         merchant_request_id IN (SELECT merchant_request_id FROM mpesa_payments))) ORDER BY received_at LIMIT ?`,
      [limit],
    ).flatMap(row => {
      const callback = toCallback(row)
      const record = this.#findByRequestId(callback)
      return record === null ? [] : [{ record, callback }]
    })
  }

  async findPayment(key: PaymentKey): Promise<PaymentRecord | null> {
    return this.#find(key)
  }

  async readTrail(paymentId: string): Promise<readonly RecordedAuditEntry[]> {
    return this.#all<AuditRow>('SELECT * FROM mpesa_audit WHERE payment_id = ? ORDER BY sequence', [paymentId]).map(
      toAuditEntry,
    )
  }

  async takeToken(name: string, ask: TokenAsk): Promise<TokenTaken> {
    return inTransaction(this.#database, () => {
      const taken = toTokenTaken(this.#get<TokenRow>('SELECT * FROM mpesa_access_tokens WHERE name = ?', [name]), ask)
      if (taken.outcome === 'fetch') {
        this.#run('INSERT OR REPLACE INTO mpesa_access_tokens VALUES (?, NULL, NULL, NULL, ?)', [
          name,
          ask.fetchUntil.getTime(),
        ])
      }
      return taken
    })
  }

  async putToken(name: string, token: SealedToken | null): Promise<void> {
    this.#run('INSERT OR REPLACE INTO mpesa_access_tokens VALUES (?, ?, ?, ?, NULL)', [
      name,
      token?.sealed ?? null,
      token?.digest ?? null,
      token?.endsAt.getTime() ?? null,
    ])
  }

  async dropToken(name: string, digest: string): Promise<void> {
    this.#run('DELETE FROM mpesa_access_tokens WHERE name = ? AND digest = ?', [name, digest])
  }

  async claimDue({ kinds, at, leaseMs, leaseId, limit }: DueClaim): Promise<readonly DueWork[]> {
    const now = at.getTime()
    return this.#all<WorkRow>(
      `UPDATE mpesa_due_work SET lease_id = ?1, lease_until = ?2 WHERE id IN (
         SELECT id FROM mpesa_due_work WHERE is_parked = 0 AND kind IN (SELECT value FROM json_each(?3)) AND due_at <= ?4
           AND (lease_until IS NULL OR lease_until <= ?4) ORDER BY due_at LIMIT ?5) RETURNING *`,
      [leaseId, now + leaseMs, JSON.stringify(kinds), now, limit],
    )
      .map(toDueWork)
      .sort((a, b) => a.dueAt.getTime() - b.dueAt.getTime())
  }

  async finishWork(results: readonly WorkResult[]): Promise<void> {
    inTransaction(this.#database, () => {
      for (const result of results) {
        const { id, leaseId, outcome } = result
        if (outcome === 'done') {
          this.#run('DELETE FROM mpesa_due_work WHERE id = ? AND lease_id = ?', [id, leaseId])
        } else {
          this.#run(
            `UPDATE mpesa_due_work SET attempts = attempts + 1, due_at = coalesce(?, due_at), is_parked = ?, last_error = ?,
               lease_id = NULL, lease_until = NULL WHERE id = ? AND lease_id = ?`,
            [
              outcome === 'again' ? result.dueAt.getTime() : null,
              outcome === 'parked' ? 1 : 0,
              result.error,
              id,
              leaseId,
            ],
          )
        }
      }
    })
  }

  async listParkedWork(limit: number): Promise<readonly ParkedWork[]> {
    return this.#all<WorkRow>('SELECT * FROM mpesa_due_work WHERE is_parked = 1 ORDER BY due_at LIMIT ?', [limit]).map(
      toParkedWork,
    )
  }

  #find(key: PaymentKey): PaymentRecord | null {
    const [condition, value] = conditionOf(key)
    const row = this.#get<InitiationRow>(`SELECT * FROM mpesa_initiations WHERE ${condition} LIMIT 1`, [value])
    if (row === undefined) return null
    const payment = this.#get<PaymentRow>('SELECT * FROM mpesa_payments WHERE id = ?', [row.payment_id])
    return { initiation: toInitiation(row), payment: payment === undefined ? null : toPayment(payment) }
  }

  #findByRequestId({ checkoutRequestId, merchantRequestId }: CallbackEvidence): PaymentRecord | null {
    if (checkoutRequestId !== null) return this.#find({ checkoutRequestId })
    return merchantRequestId === null ? null : this.#find({ merchantRequestId })
  }

  #parkedFor(payment: Payment | null): readonly CallbackEvidence[] {
    if (payment === null) return []
    return this.#all<CallbackRow>(
      `SELECT ${callbackColumns} FROM mpesa_callbacks WHERE disposition = 'parked' AND (checkout_request_id = ?
         OR (checkout_request_id IS NULL AND merchant_request_id = ?)) ORDER BY received_at`,
      [payment.checkoutRequestId, payment.merchantRequestId],
    ).map(toCallback)
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

  /** True when these bytes are new for this payment and disposition. A parked callback that finds its payment leaves the park. */
  #keep(callback: CallbackEvidence, disposition: CallbackDisposition, paymentId: string | null): boolean {
    const { digest, checkoutRequestId, merchantRequestId, body, receivedAt } = callback
    if (paymentId !== null) {
      this.#run("DELETE FROM mpesa_callbacks WHERE digest = ? AND payment_id = '' AND disposition = 'parked'", [digest])
    }
    const row = this.#get<{ copies: number }>(
      `INSERT INTO mpesa_callbacks (digest, payment_id, disposition, checkout_request_id, merchant_request_id, body, copies,
         received_at, last_received_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?7)
       ON CONFLICT (digest, payment_id, disposition) DO UPDATE SET copies = copies + 1, last_received_at = ?7
       RETURNING copies`,
      [digest, paymentId ?? '', disposition, checkoutRequestId, merchantRequestId, body, receivedAt.getTime()],
    )
    return row?.copies === 1
  }

  #entriesLike({ paymentId, event }: AuditEntry): number {
    const row = this.#get<{ count: number }>(
      'SELECT count(*) AS count FROM mpesa_audit WHERE payment_id = ? AND event = ?',
      [paymentId, event],
    )
    return row?.count ?? 0
  }

  #append(entry: AuditEntry): void {
    this.#run(
      `INSERT INTO mpesa_audit (payment_id, sequence, entry_id, at, event, cause, before, after, evidence)
       SELECT ?1, coalesce(max(sequence), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM mpesa_audit WHERE payment_id = ?1`,
      [
        entry.paymentId,
        entry.id,
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
    // Not the driver's get(): it leaves the statement in the middle of its rows, and libsql adds a property of its own.
    return this.#all<Row>(sql, values)[0]
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

const callbackColumns = 'digest, checkout_request_id, merchant_request_id, body, received_at'

function conditionOf(key: PaymentKey): readonly [condition: string, value: string] {
  if ('paymentId' in key) return ['payment_id = ?', key.paymentId]
  if ('idempotencyKey' in key) return ["idempotency_key = ? AND state <> 'refused'", key.idempotencyKey]
  if ('tokenHash' in key) return ['token_hash = ?', key.tokenHash]
  if ('checkoutRequestId' in key) {
    return ['payment_id = (SELECT id FROM mpesa_payments WHERE checkout_request_id = ?)', key.checkoutRequestId]
  }
  return ['payment_id = (SELECT id FROM mpesa_payments WHERE merchant_request_id = ? LIMIT 1)', key.merchantRequestId]
}
