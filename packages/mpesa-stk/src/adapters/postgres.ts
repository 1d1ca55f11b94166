import { type AuditEntry, maxCallbackEntries, type RecordedAuditEntry } from '../core/audit/audit-entry.ts'
import type { AuditCheckpoint } from '../core/audit/checkpoint.ts'
import { emptyTrail, linkEntry } from '../core/audit/trail-chain.ts'
import type { DueWork, NewWork, ParkedWork, WorkResult } from '../core/due/due-work.ts'
import { MpesaStkError } from '../core/errors.ts'
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
import {
  countOrphanedEntries,
  entriesLike,
  insertEntry,
  listCheckpoints,
  moveHead,
  openCheckpoint,
  readAuditHashes,
  readTrail,
  readTrails,
  saveCheckpoint,
} from '../store/postgres/audit.ts'
import { callbackColumns, keep, listCallbacks, lockRequestIds } from '../store/postgres/callbacks.ts'
import {
  addWork,
  addWorkBeside,
  claimDue,
  finishWork,
  listParkedWork,
  releaseParkedWork,
} from '../store/postgres/due-work.ts'
import { lockRecord } from '../store/postgres/lock-record.ts'
import { migratePostgres } from '../store/postgres/migrate.ts'
import { paymentSchema } from '../store/postgres/payment-schema.ts'
import { all, first, inTransaction, type PostgresPool, type Queryable, sqlState } from '../store/postgres/pool.ts'
import { changeQueryPace } from '../store/postgres/query-pace.ts'
import { listPayments, openReconciliation, saveReconciliation } from '../store/postgres/reconciliations.ts'
import { find, findByRequestId, insertInitiation, listUnresolved, takenField } from '../store/postgres/records.ts'
import { runTogether } from '../store/postgres/statement.ts'
import { commitTransition } from '../store/postgres/transition.ts'
import { type CallbackRow, type TokenRow, toAuditEntry, toCallback, toTokenTaken } from '../store/rows.ts'

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
    await migratePostgres(this.#pool, paymentSchema)
  }

  async close(): Promise<void> {}

  async reserveInitiation(intent: Intent, entry: AuditEntry): Promise<ReserveOutcome> {
    // A key that was held a moment ago may be freed by a refusal before we look who holds it: then it is ours to take.
    for (;;) {
      const reserved = await this.#transaction(async client => {
        const isOurs = await insertInitiation(client, intent)
        if (isOurs) {
          const linked = linkEntry(emptyTrail, entry)
          await runTogether(client, [insertEntry(linked), moveHead(linked)])
        }
        return isOurs
      })
      if (reserved) return { outcome: 'reserved', record: { initiation: reservedInitiation(intent), payment: null } }
      const same = await this.findPayment({ paymentId: intent.paymentId })
      if (same !== null) return { outcome: 'reserved', record: same }
      const holder = await this.findPayment({ idempotencyKey: intent.idempotencyKey ?? '' })
      if (holder !== null) return { outcome: 'exists', record: holder }
    }
  }

  async commitTransition(transition: Transition): Promise<TransitionOutcome> {
    try {
      return await this.#transaction(client => commitTransition(client, transition))
    } catch (error) {
      const field = takenField(error)
      if (field === null) throw error
      return { outcome: 'taken', field }
    }
  }

  async recordCallback(record: CallbackRecord): Promise<{ isNew: boolean }> {
    const { callback, disposition, paymentId, entry, entryWork = [], otherwiseWork = [] } = record
    return this.#transaction(async client => {
      const locked = paymentId === null ? null : await lockRecord(client, paymentId, null)
      const isNew = await keep(client, callback, disposition, paymentId)
      if (isNew && locked !== null && entry !== undefined && (await entriesLike(client, entry)) < maxCallbackEntries) {
        const linked = linkEntry(locked.head, entry)
        await runTogether(client, [...entryWork.map(addWork), moveHead(linked), insertEntry(linked)])
      } else {
        for (const due of otherwiseWork) await runTogether(client, [addWorkBeside(due, isNew)])
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

  async listCallbacks(
    paymentId: string,
    disposition: CallbackDisposition,
    limit: number,
    offset = 0,
  ): Promise<readonly CallbackEvidence[]> {
    return this.#told(() => listCallbacks(this.#pool, paymentId, disposition, limit, offset))
  }

  async listUnresolved(at: Date, limit: number): Promise<readonly PaymentRecord[]> {
    return this.#told(() => listUnresolved(this.#pool, at, limit))
  }

  async listPayments(range: PaymentRange, limit: number): Promise<readonly Payment[]> {
    return this.#told(() => listPayments(this.#pool, range, limit))
  }

  async readTrail(key: TrailKey, limit: number): Promise<readonly RecordedAuditEntry[]> {
    const rows = await this.#told(() => readTrail(this.#pool, key, limit))
    return rows.map(toAuditEntry)
  }

  async readTrails(after: string, limit: number): Promise<readonly RecordedTrail[]> {
    return this.#told(() => readTrails(this.#pool, after, limit))
  }

  async readAuditHashes(after: number, through: number, limit: number): Promise<readonly PositionedHash[]> {
    return this.#told(() => readAuditHashes(this.#pool, after, through, limit))
  }

  async countOrphanedEntries(): Promise<number> {
    return this.#told(() => countOrphanedEntries(this.#pool))
  }

  async openCheckpoint(): Promise<{ readonly through: number; readonly previous: AuditCheckpoint | null }> {
    return this.#transaction(openCheckpoint)
  }

  async saveCheckpoint(checkpoint: AuditCheckpoint): Promise<boolean> {
    return this.#told(() => saveCheckpoint(this.#pool, checkpoint))
  }

  async listCheckpoints(after: number, limit: number): Promise<readonly AuditCheckpoint[]> {
    return this.#told(() => listCheckpoints(this.#pool, after, limit))
  }

  async takeToken(name: string, ask: TokenAsk): Promise<TokenTaken> {
    return this.#transaction(async client => {
      // The row is made first, so that there is one to lock and only one who asks is told to fetch.
      await all(client, 'INSERT INTO mpesa_access_tokens (name) VALUES ($1) ON CONFLICT DO NOTHING', [name])
      const row = await first<TokenRow>(client, 'SELECT * FROM mpesa_access_tokens WHERE name = $1 FOR UPDATE', [name])
      const taken = toTokenTaken(row, ask)
      if (taken.outcome === 'fetch') {
        await all(
          client,
          `UPDATE mpesa_access_tokens SET sealed = NULL, digest = NULL, ends_at = NULL, fetched_until = $2 WHERE name = $1`,
          [name, ask.fetchUntil],
        )
      }
      return taken
    })
  }

  async putToken(name: string, token: SealedToken | null, fetchUntil: Date): Promise<void> {
    await this.#told(() =>
      all(
        this.#pool,
        `UPDATE mpesa_access_tokens SET sealed = $3, digest = $4, ends_at = $5, fetched_until = NULL
         WHERE name = $1 AND fetched_until = $2`,
        [
          name,
          fetchUntil,
          token === null ? null : Buffer.from(token.sealed),
          token?.digest ?? null,
          token?.endsAt ?? null,
        ],
      ),
    )
  }

  async dropToken(name: string, digest: string): Promise<void> {
    await this.#told(() =>
      all(
        this.#pool,
        'UPDATE mpesa_access_tokens SET sealed = NULL, digest = NULL, ends_at = NULL WHERE name = $1 AND digest = $2',
        [name, digest],
      ),
    )
  }

  async claimDue(claim: DueClaim): Promise<readonly DueWork[]> {
    return this.#told(() => claimDue(this.#pool, claim))
  }

  async finishWork(results: readonly WorkResult[]): Promise<void> {
    await this.#transaction(client => finishWork(client, results))
  }

  async addWork(work: readonly NewWork[]): Promise<void> {
    await this.#transaction(async client => {
      for (const due of work) await runTogether(client, [addWorkBeside(due, false)])
    })
  }

  async releaseParkedWork(id: string): Promise<boolean> {
    return this.#told(() => releaseParkedWork(this.#pool, id))
  }

  async changeQueryPace(shortCode: string, change: (pace: QueryPace | null) => QueryPace): Promise<QueryPace> {
    return this.#transaction(client => changeQueryPace(client, shortCode, change))
  }

  async openReconciliation(
    range: ReconciliationRange,
    awaitedRun: number | null,
    lease: Lease,
  ): Promise<ReconciliationOpened> {
    return this.#transaction(client => openReconciliation(client, range, awaitedRun, lease))
  }

  async saveReconciliation(
    range: ReconciliationRange,
    progress: ReconciliationProgress,
    lease: Lease,
  ): Promise<boolean> {
    return this.#transaction(client => saveReconciliation(client, range, progress, lease))
  }

  async listParkedWork(limit: number): Promise<readonly ParkedWork[]> {
    return this.#told(() => listParkedWork(this.#pool, limit))
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
