import { type AuditEntry, maxCallbackEntries, type RecordedAuditEntry } from '../core/audit/audit-entry.ts'
import type { DueWork, NewWork, ParkedWork, WorkResult } from '../core/due/due-work.ts'
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
import { migratePostgres } from '../store/postgres/migrate.ts'
import { all, first, inTransaction, type PostgresPool, type Queryable, sqlState } from '../store/postgres/pool.ts'
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

export type { PostgresClient, PostgresPool, PostgresResult } from '../store/postgres/pool.ts'

/**
 * Payments in PostgreSQL 14 or later, shared by as many processes as you like. A commit survives `kill -9`, and power
 * loss with the server's default `fsync` and `synchronous_commit` on a disk that honours flush.
 *
 * ```ts
 * const store = new PostgresAdapter(new Pool({ connectionString }))
 * await store.migrate()
 * ```
 *
 * A step locks its payment's initiation row first, so the steps of one payment queue; then, when it makes Daraja's ids
 * known, those ids (against parking). Everybody locks in that order.
 */
export class PostgresAdapter implements Store {
  readonly #pool: PostgresPool

  /** @param pool a Pool of `pg`, which stays yours: `close()` does not end it. */
  constructor(pool: PostgresPool) {
    this.#pool = pool
  }

  async migrate(): Promise<void> {
    await migratePostgres(this.#pool)
  }

  async close(): Promise<void> {}

  async reserveInitiation(intent: Intent, entry: AuditEntry): Promise<ReserveOutcome> {
    // A key that was held a moment ago may be freed by a refusal before we look who holds it: then it is ours to take.
    for (;;) {
      const reserved = await this.#transaction(async client => {
        const inserted = await first(
          client,
          `INSERT INTO mpesa_initiations (payment_id, idempotency_key, state, phone_number, amount, account_reference,
             description, short_code, transaction_type, party_b, reserved_at)
           VALUES ($1, $2, 'reserved', $3, $4, $5, $6, $7, $8, $9, $10)
           ON CONFLICT (idempotency_key) WHERE state <> 'refused' DO NOTHING RETURNING payment_id`,
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
            intent.reservedAt,
          ],
        )
        if (inserted !== undefined) await append(client, entry)
        return inserted !== undefined
      })
      if (reserved) return { outcome: 'reserved', record: { initiation: reservedInitiation(intent), payment: null } }
      const holder = await this.findPayment({ idempotencyKey: intent.idempotencyKey ?? '' })
      if (holder !== null) return { outcome: 'exists', record: holder }
    }
  }

  async commitTransition(transition: Transition): Promise<TransitionOutcome> {
    const { paymentId, expected, initiation, payment, callback, entry } = transition
    try {
      return await this.#transaction(async client => {
        const current = await lockRecord(client, paymentId)
        if ((await first(client, 'SELECT 1 FROM mpesa_audit WHERE entry_id = $1', [entry.id])) !== undefined) {
          return { outcome: 'committed', record: current, parked: await parkedFor(client, current.payment) }
        }
        if (
          current.initiation.state !== expected.initiationState ||
          (current.payment?.version ?? null) !== expected.paymentVersion
        ) {
          return { outcome: 'conflict', record: current }
        }
        const isNew = current.payment === null
        if (payment !== null && isNew) await lockRequestIds(client, payment)
        await updateInitiation(client, initiation)
        if (payment !== null) await putPayment(client, payment, callback)
        if (callback !== undefined) await keep(client, callback, 'applied', paymentId)
        await append(client, entry)
        for (const due of transition.work ?? []) await addWork(client, due)
        return {
          outcome: 'committed',
          record: { initiation, payment },
          parked: isNew ? await parkedFor(client, payment) : [],
        }
      })
    } catch (error) {
      const field = takenField(error)
      if (field === null) throw error
      return { outcome: 'taken', field }
    }
  }

  async recordCallback({ callback, disposition, paymentId, entry }: CallbackRecord): Promise<{ isNew: boolean }> {
    return this.#transaction(async client => {
      if (paymentId !== null) await lockRecord(client, paymentId)
      const isNew = await keep(client, callback, disposition, paymentId)
      if (isNew && entry !== undefined && (await entriesLike(client, entry)) < maxCallbackEntries) {
        await append(client, entry)
      }
      return { isNew }
    })
  }

  async parkCallback(callback: CallbackEvidence): Promise<PaymentRecord | null> {
    return this.#transaction(async client => {
      await lockRequestIds(client, callback)
      const record = await findByRequestId(client, callback)
      if (record === null) await keep(client, callback, 'parked', null)
      return record
    })
  }

  async findStrandedCallbacks(
    limit: number,
  ): Promise<readonly { readonly record: PaymentRecord; readonly callback: CallbackEvidence }[]> {
    return this.#transaction(async client => {
      const rows = await all<CallbackRow>(
        client,
        `SELECT ${callbackColumns} FROM mpesa_callbacks c WHERE disposition = 'parked' AND EXISTS (
           SELECT 1 FROM mpesa_payments p WHERE p.checkout_request_id = c.checkout_request_id OR
             (c.checkout_request_id IS NULL AND p.merchant_request_id = c.merchant_request_id))
         ORDER BY received_at LIMIT $1`,
        [limit],
      )
      const stranded: { record: PaymentRecord; callback: CallbackEvidence }[] = []
      for (const row of rows) {
        const callback = toCallback(row)
        const record = await findByRequestId(client, callback)
        if (record !== null) stranded.push({ record, callback })
      }
      return stranded
    })
  }

  async findPayment(key: PaymentKey): Promise<PaymentRecord | null> {
    return this.#told(() => find(this.#pool, key))
  }

  async readTrail(paymentId: string): Promise<readonly RecordedAuditEntry[]> {
    const rows = await this.#told(() =>
      all<AuditRow>(this.#pool, 'SELECT * FROM mpesa_audit WHERE payment_id = $1 ORDER BY sequence', [paymentId]),
    )
    return rows.map(toAuditEntry)
  }

  async takeToken(name: string, ask: TokenAsk): Promise<TokenTaken> {
    return this.#transaction(async client => {
      // The row is made first, so that there is one to lock and only one who asks is told to fetch.
      await all(client, 'INSERT INTO mpesa_access_tokens (name) VALUES ($1) ON CONFLICT DO NOTHING', [name])
      const row = await first<TokenRow>(client, 'SELECT * FROM mpesa_access_tokens WHERE name = $1 FOR UPDATE', [name])
      const taken = toTokenTaken(row, ask)
      if (taken.outcome === 'fetch') {
        await all(client, 'UPDATE mpesa_access_tokens SET fetched_until = $2 WHERE name = $1', [name, ask.fetchUntil])
      }
      return taken
    })
  }

  async putToken(name: string, token: SealedToken | null): Promise<void> {
    await this.#told(() =>
      all(
        this.#pool,
        `INSERT INTO mpesa_access_tokens (name, sealed, digest, ends_at, fetched_until) VALUES ($1, $2, $3, $4, NULL)
         ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, digest = excluded.digest, ends_at = excluded.ends_at,
           fetched_until = NULL`,
        [name, token === null ? null : Buffer.from(token.sealed), token?.digest ?? null, token?.endsAt ?? null],
      ),
    )
  }

  async dropToken(name: string, digest: string): Promise<void> {
    await this.#told(() =>
      all(this.#pool, 'DELETE FROM mpesa_access_tokens WHERE name = $1 AND digest = $2', [name, digest]),
    )
  }

  async claimDue({ kinds, leaseMs, leaseId, limit }: DueClaim): Promise<readonly DueWork[]> {
    const rows = await this.#told(() =>
      all<WorkRow>(
        this.#pool,
        `UPDATE mpesa_due_work SET lease_id = $1, lease_until = clock_timestamp() + $2 * interval '1 millisecond'
         WHERE id IN (
           SELECT id FROM mpesa_due_work WHERE is_parked = 0 AND kind = ANY ($3) AND due_at <= clock_timestamp()
             AND (lease_until IS NULL OR lease_until <= clock_timestamp())
           ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED)
         RETURNING *`,
        [leaseId, leaseMs, kinds, limit],
      ),
    )
    return rows.map(toDueWork).sort((a, b) => a.dueAt.getTime() - b.dueAt.getTime())
  }

  async finishWork(results: readonly WorkResult[]): Promise<void> {
    await this.#transaction(async client => {
      for (const result of results) {
        const { id, leaseId, outcome } = result
        if (outcome === 'done') {
          await all(client, 'DELETE FROM mpesa_due_work WHERE id = $1 AND lease_id = $2', [id, leaseId])
        } else {
          await all(
            client,
            `UPDATE mpesa_due_work SET attempts = attempts + 1, due_at = coalesce($3, due_at), is_parked = $4,
               last_error = $5, lease_id = NULL, lease_until = NULL WHERE id = $1 AND lease_id = $2`,
            [id, leaseId, outcome === 'again' ? result.dueAt : null, outcome === 'parked' ? 1 : 0, result.error],
          )
        }
      }
    })
  }

  async listParkedWork(limit: number): Promise<readonly ParkedWork[]> {
    const rows = await this.#told(() =>
      all<WorkRow>(this.#pool, 'SELECT * FROM mpesa_due_work WHERE is_parked = 1 ORDER BY due_at LIMIT $1', [limit]),
    )
    return rows.map(toParkedWork)
  }

  #transaction<T>(work: (client: Queryable) => Promise<T>): Promise<T> {
    return this.#told(() => inTransaction(this.#pool, work))
  }

  async #told<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (cause) {
      if (sqlState(cause) !== '42P01' || !/mpesa_/.test(String(cause))) throw cause
      throw new MpesaStkError(
        'MPESA_STK_STORE_NOT_MIGRATED',
        'the database has no tables of ours yet; call `await store.migrate()` once at every start',
        { cause },
      )
    }
  }
}

const callbackColumns = 'digest, checkout_request_id, merchant_request_id, body, received_at'

const paymentColumns = [
  'id',
  'checkout_request_id',
  'merchant_request_id',
  'phone_number',
  'amount',
  'account_reference',
  'status',
  'mpesa_receipt_number',
  'failure_reason',
  'result_code',
  'result_code_text',
  'initiated_at',
  'completed_at',
  'idempotency_key',
  'version',
] as const satisfies readonly (keyof PaymentRow)[]

const conditions = {
  paymentId: 'i.payment_id = $1',
  idempotencyKey: "i.idempotency_key = $1 AND i.state <> 'refused'",
  tokenHash: 'i.token_hash = $1',
  checkoutRequestId: 'p.checkout_request_id = $1',
  merchantRequestId: 'p.merchant_request_id = $1',
} as const

async function find(on: Queryable, key: PaymentKey): Promise<PaymentRecord | null> {
  const [[name, value] = ['', '']] = Object.entries(key)
  const condition = conditions[name as keyof typeof conditions]
  const row = await first<InitiationRow & Record<string, unknown>>(
    on,
    `SELECT i.*, ${paymentColumns.map(column => `p.${column} AS p_${column}`).join(', ')}
     FROM mpesa_initiations i LEFT JOIN mpesa_payments p ON p.id = i.payment_id WHERE ${condition} LIMIT 1`,
    [value],
  )
  return row === undefined ? null : toRecord(row)
}

function toRecord(row: InitiationRow & Record<string, unknown>): PaymentRecord {
  const payment = Object.fromEntries(paymentColumns.map(column => [column, row[`p_${column}`]])) as PaymentRow
  return { initiation: toInitiation(row), payment: row['p_id'] === null ? null : toPayment(payment) }
}

/** The record as it stands, held until the transaction ends. */
async function lockRecord(client: Queryable, paymentId: string): Promise<PaymentRecord> {
  await all(client, 'SELECT 1 FROM mpesa_initiations WHERE payment_id = $1 FOR UPDATE', [paymentId])
  const record = await find(client, { paymentId })
  if (record === null) throw new Error(`no initiation ${paymentId}`)
  return record
}

/** Keeps parking and the acceptance of the same ids apart: whichever comes second sees the other. */
async function lockRequestIds(
  client: Queryable,
  ids: { readonly checkoutRequestId: string | null; readonly merchantRequestId: string | null },
): Promise<void> {
  const names = [ids.checkoutRequestId, ids.merchantRequestId].filter(id => id !== null).sort()
  for (const name of names)
    await all(client, 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`mpesa ${name}`])
}

async function findByRequestId(
  client: Queryable,
  { checkoutRequestId, merchantRequestId }: CallbackEvidence,
): Promise<PaymentRecord | null> {
  if (checkoutRequestId !== null) return find(client, { checkoutRequestId })
  return merchantRequestId === null ? null : find(client, { merchantRequestId })
}

async function parkedFor(client: Queryable, payment: Payment | null): Promise<readonly CallbackEvidence[]> {
  if (payment === null) return []
  const rows = await all<CallbackRow>(
    client,
    `SELECT ${callbackColumns} FROM mpesa_callbacks WHERE disposition = 'parked' AND (checkout_request_id = $1 OR
       (checkout_request_id IS NULL AND merchant_request_id = $2)) ORDER BY received_at`,
    [payment.checkoutRequestId, payment.merchantRequestId],
  )
  return rows.map(toCallback)
}

async function updateInitiation(client: Queryable, initiation: Initiation): Promise<void> {
  await all(
    client,
    `UPDATE mpesa_initiations SET state = $2, token_hash = $3, send_deadline_at = $4, concluded_at = $5, answer_code = $6,
       answer_message = $7 WHERE payment_id = $1`,
    [
      initiation.paymentId,
      initiation.state,
      initiation.tokenHash,
      initiation.sendDeadlineAt,
      initiation.concludedAt,
      initiation.answerCode,
      initiation.answerMessage,
    ],
  )
}

async function putPayment(client: Queryable, payment: Payment, callback: CallbackEvidence | undefined): Promise<void> {
  if (payment.mpesaReceiptNumber !== null) {
    // Ours already when a step that follows writes the row again; anybody else's is a unique violation.
    await all(
      client,
      `INSERT INTO mpesa_receipts (receipt, payment_id) SELECT $1::text, $2::text
       WHERE NOT EXISTS (SELECT 1 FROM mpesa_receipts WHERE receipt = $1 AND payment_id = $2)`,
      [payment.mpesaReceiptNumber, payment.id],
    )
  }
  await all(
    client,
    `INSERT INTO mpesa_payments (id, checkout_request_id, merchant_request_id, phone_number, amount, account_reference,
       status, mpesa_receipt_number, failure_reason, result_code, result_code_text, initiated_at, completed_at,
       raw_callback, idempotency_key, version)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, mpesa_try_jsonb($14), $15, $16)
     ON CONFLICT (id) DO UPDATE SET status = excluded.status, mpesa_receipt_number = excluded.mpesa_receipt_number,
       failure_reason = excluded.failure_reason, result_code = excluded.result_code,
       result_code_text = excluded.result_code_text, completed_at = excluded.completed_at,
       raw_callback = coalesce(excluded.raw_callback, mpesa_payments.raw_callback), version = excluded.version`,
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
      payment.initiatedAt,
      payment.completedAt,
      callback === undefined ? null : storableText(callback.body),
      payment.idempotencyKey,
      payment.version,
    ],
  )
}

/** The body as text, or null where PostgreSQL would refuse the text itself. */
function storableText(body: Uint8Array): string | null {
  const text = Buffer.from(body).toString('utf8')
  return text.includes('\0') ? null : text
}

/** True when these bytes are new for this payment and disposition. A parked callback that finds its payment leaves the park. */
async function keep(
  client: Queryable,
  callback: CallbackEvidence,
  disposition: CallbackDisposition,
  paymentId: string | null,
): Promise<boolean> {
  const { digest, checkoutRequestId, merchantRequestId, body, receivedAt } = callback
  if (paymentId !== null) {
    await all(client, "DELETE FROM mpesa_callbacks WHERE digest = $1 AND payment_id = '' AND disposition = 'parked'", [
      digest,
    ])
  }
  const row = await first<{ copies: number }>(
    client,
    `INSERT INTO mpesa_callbacks (digest, payment_id, disposition, checkout_request_id, merchant_request_id, body, copies,
       received_at, last_received_at)
     VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $7)
     ON CONFLICT (digest, payment_id, disposition)
       DO UPDATE SET copies = mpesa_callbacks.copies + 1, last_received_at = excluded.last_received_at
     RETURNING copies`,
    [digest, paymentId ?? '', disposition, checkoutRequestId, merchantRequestId, Buffer.from(body), receivedAt],
  )
  return row?.copies === 1
}

async function addWork(client: Queryable, due: NewWork): Promise<void> {
  await all(
    client,
    'INSERT INTO mpesa_due_work VALUES ($1, $2, $3, $4, 0, least($5, clock_timestamp()), 0, NULL, NULL, NULL)',
    [due.id, due.kind, due.paymentId, due.cause, due.dueAt],
  )
}

async function entriesLike(client: Queryable, { paymentId, event }: AuditEntry): Promise<number> {
  const row = await first<{ count: number }>(
    client,
    'SELECT count(*)::int AS count FROM mpesa_audit WHERE payment_id = $1 AND event = $2',
    [paymentId, event],
  )
  return row?.count ?? 0
}

/** The caller holds the payment's lock, or is the one who made it: nobody else takes the same place. */
async function append(client: Queryable, entry: AuditEntry): Promise<void> {
  await all(
    client,
    `INSERT INTO mpesa_audit (payment_id, sequence, entry_id, at, event, cause, before, after, evidence)
     SELECT $1, coalesce(max(sequence), 0) + 1, $2, $3, $4, $5, $6, $7, $8 FROM mpesa_audit WHERE payment_id = $1`,
    [
      entry.paymentId,
      entry.id,
      entry.at,
      entry.event,
      entry.cause,
      entry.before,
      entry.after,
      JSON.stringify(entry.evidence),
    ],
  )
}

const takenByConstraint: Readonly<Record<string, 'receipt' | 'checkoutRequestId'>> = {
  mpesa_receipts_pkey: 'receipt',
  mpesa_payments_checkout_request_id_key: 'checkoutRequestId',
}

function takenField(error: unknown): 'receipt' | 'checkoutRequestId' | null {
  if (sqlState(error) !== '23505' || !(error instanceof Error)) return null
  return takenByConstraint[String(Reflect.get(error, 'constraint'))] ?? null
}
