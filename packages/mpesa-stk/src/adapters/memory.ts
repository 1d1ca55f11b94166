import { type AuditEntry, maxCallbackEntries, type RecordedAuditEntry } from '../core/audit/audit-entry.ts'
import type { AuditCheckpoint } from '../core/audit/checkpoint.ts'
import type { DueWork, NewWork, ParkedWork, WorkResult } from '../core/due/due-work.ts'
import { type Initiation, type Intent, reservedInitiation } from '../core/initiate/initiation.ts'
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
import { MemoryAudit } from '../store/memory/audit.ts'
import { MemoryWork } from '../store/memory/due-work.ts'
import { MemoryReconciliations } from '../store/memory/reconciliations.ts'

type KeptCallback = {
  readonly evidence: CallbackEvidence
  readonly disposition: CallbackDisposition
  readonly paymentId: string | null
}

/**
 * The reference store: the semantics of `Store` in the simplest code. Keeps everything in this process and promises
 * nothing across a crash; for tests and for reading.
 */
export class MemoryAdapter implements Store {
  readonly #initiations = new Map<string, Initiation>()
  readonly #payments = new Map<string, Payment>()
  readonly #callbacks = new Map<string, KeptCallback>()
  readonly #tokens = new Map<string, { readonly token: SealedToken | null; readonly fetchedUntil: Date | null }>()
  readonly #work = new MemoryWork()
  readonly #audit = new MemoryAudit()
  readonly #reconciliations = new MemoryReconciliations()
  readonly #paces = new Map<string, QueryPace>()

  async migrate(): Promise<void> {}

  async close(): Promise<void> {}

  async reserveInitiation(intent: Intent, entry: AuditEntry): Promise<ReserveOutcome> {
    const same = this.#find({ paymentId: intent.paymentId })
    if (same !== null) return { outcome: 'reserved', record: same }
    const holder = intent.idempotencyKey === null ? null : this.#find({ idempotencyKey: intent.idempotencyKey })
    if (holder !== null) return { outcome: 'exists', record: holder }
    const initiation = reservedInitiation(intent)
    this.#initiations.set(intent.paymentId, initiation)
    this.#audit.append(entry)
    return { outcome: 'reserved', record: { initiation, payment: null } }
  }

  async commitTransition(transition: Transition): Promise<TransitionOutcome> {
    const { paymentId, expected, payment } = transition
    const current = this.#find({ paymentId })
    if (current === null) throw new Error(`no initiation ${paymentId}`)
    const { initiation } = current
    const isDoneAlready = this.#audit.trailOf(paymentId).some(({ id }) => id === transition.entry.id)
    if (isDoneAlready) return { outcome: 'committed', record: current, parked: this.#parkedFor(current.payment) }
    if (
      initiation.state !== expected.initiationState ||
      (current.payment?.version ?? null) !== expected.paymentVersion
    ) {
      return { outcome: 'conflict', record: current }
    }
    for (const other of this.#payments.values()) {
      if (payment === null || other.id === paymentId) continue
      if (other.checkoutRequestId === payment.checkoutRequestId) return { outcome: 'taken', field: 'checkoutRequestId' }
      if (payment.mpesaReceiptNumber !== null && other.mpesaReceiptNumber === payment.mpesaReceiptNumber) {
        return { outcome: 'taken', field: 'receipt' }
      }
    }
    this.#initiations.set(paymentId, transition.initiation)
    if (payment !== null) this.#payments.set(paymentId, payment)
    const { callback, disposition = 'applied', entry, work = [], endsWork = [] } = transition
    if (callback !== undefined) this.#keep(callback, disposition, paymentId)
    this.#audit.append(entry)
    this.#work.add(work, entry.at)
    if (!this.#isUnconfirmed(paymentId)) this.#work.end(endsWork)
    const isNewId = current.payment?.checkoutRequestId !== payment?.checkoutRequestId
    const parked = isNewId ? this.#parkedFor(payment) : []
    return { outcome: 'committed', record: { initiation: transition.initiation, payment }, parked }
  }

  async recordCallback(record: CallbackRecord): Promise<{ isNew: boolean }> {
    const { callback, disposition, paymentId, entry, entryWork = [], otherwiseWork = [] } = record
    const isNew = this.#keep(callback, disposition, paymentId)
    if (isNew && entry !== undefined && this.#callbackEntries(entry) < maxCallbackEntries) {
      this.#audit.append(entry)
      this.#work.add(entryWork, entry.at)
    } else {
      this.#work.addBeside(otherwiseWork, callback.receivedAt, isNew)
    }
    return { isNew }
  }

  async parkCallback(callback: CallbackEvidence): Promise<PaymentRecord | null> {
    const record = this.#findByRequestId(callback)
    if (record === null) this.#keep(callback, 'parked', null)
    return record
  }

  async findStrandedCallbacks(
    limit: number,
  ): Promise<readonly { readonly record: PaymentRecord; readonly callback: CallbackEvidence }[]> {
    return this.#parked()
      .flatMap(callback => {
        const record = this.#findByRequestId(callback)
        return record === null ? [] : [{ record, callback }]
      })
      .slice(0, limit)
  }

  async findPayment(key: PaymentKey): Promise<PaymentRecord | null> {
    return this.#find(key)
  }

  async listCallbacks(
    paymentId: string,
    disposition: CallbackDisposition,
    limit: number,
    offset = 0,
  ): Promise<readonly CallbackEvidence[]> {
    return this.#kept(disposition)
      .filter(kept => kept.paymentId === paymentId)
      .map(({ evidence }) => evidence)
      .slice(offset, offset + limit)
  }

  async listUnresolved(at: Date, limit: number): Promise<readonly PaymentRecord[]> {
    return [...this.#initiations.values()]
      .filter(({ state, sendDeadlineAt }) => {
        const isOverdue = state === 'sent' && sendDeadlineAt !== null && sendDeadlineAt <= at
        return state === 'unknown' || isOverdue
      })
      .sort((a, b) => a.reservedAt.getTime() - b.reservedAt.getTime())
      .map(initiation => ({ initiation, payment: null }))
      .slice(0, limit)
  }

  async listPayments({ shortCode, from, to, after }: PaymentRange, limit: number): Promise<readonly Payment[]> {
    const order = (payment: { readonly initiatedAt: Date; readonly id: string }): string =>
      `${payment.initiatedAt.toISOString()} ${payment.id}`
    const last = after === null ? '' : order({ initiatedAt: after.initiatedAt, id: after.paymentId })
    return [...this.#payments.values()]
      .filter(payment => {
        const isOurs = ['', shortCode].includes(this.#initiations.get(payment.id)?.shortCode ?? '')
        return isOurs && payment.initiatedAt >= from && payment.initiatedAt <= to && order(payment) > last
      })
      .sort((a, b) => (order(a) < order(b) ? -1 : 1))
      .slice(0, limit)
  }

  async takeToken(name: string, { at, goodUntil, fetchUntil }: TokenAsk): Promise<TokenTaken> {
    const kept = this.#tokens.get(name)
    if (kept?.token && kept.token.endsAt > goodUntil) return { outcome: 'kept', token: kept.token }
    if (kept?.fetchedUntil && kept.fetchedUntil > at) return { outcome: 'wait' }
    this.#tokens.set(name, { token: null, fetchedUntil: fetchUntil })
    return { outcome: 'fetch' }
  }

  async putToken(name: string, token: SealedToken | null, fetchUntil: Date): Promise<void> {
    if (this.#tokens.get(name)?.fetchedUntil?.getTime() !== fetchUntil.getTime()) return
    this.#tokens.set(name, { token, fetchedUntil: null })
  }

  async dropToken(name: string, digest: string): Promise<void> {
    if (this.#tokens.get(name)?.token?.digest === digest) this.#tokens.delete(name)
  }

  async claimDue(claim: DueClaim): Promise<readonly DueWork[]> {
    return this.#work.claim(claim)
  }

  async finishWork(results: readonly WorkResult[], at: Date): Promise<void> {
    this.#work.finish(results, at)
  }

  async addWork(work: readonly NewWork[], at: Date): Promise<void> {
    this.#work.addBeside(work, at, false)
  }

  async listParkedWork(limit: number): Promise<readonly ParkedWork[]> {
    return this.#work.listParked(limit)
  }

  async releaseParkedWork(id: string, at: Date): Promise<boolean> {
    return this.#work.release(id, at)
  }

  async changeQueryPace(shortCode: string, change: (pace: QueryPace | null) => QueryPace): Promise<QueryPace> {
    const pace = change(this.#paces.get(shortCode) ?? null)
    this.#paces.set(shortCode, pace)
    return pace
  }

  async openReconciliation(
    range: ReconciliationRange,
    awaitedRun: number | null,
    lease: Lease,
  ): Promise<ReconciliationOpened> {
    return this.#reconciliations.open(range, awaitedRun, lease)
  }

  async saveReconciliation(
    range: ReconciliationRange,
    progress: ReconciliationProgress,
    lease: Lease,
  ): Promise<boolean> {
    return this.#reconciliations.save(range, progress, lease)
  }

  async readTrail(key: TrailKey, limit: number): Promise<readonly RecordedAuditEntry[]> {
    return [...this.#initiations.values()]
      .filter(trailMatches(key, this.#payments))
      .sort((a, b) => a.reservedAt.getTime() - b.reservedAt.getTime() || (a.paymentId < b.paymentId ? -1 : 1))
      .slice(-limit)
      .flatMap(({ paymentId }) => this.#audit.trailOf(paymentId))
  }

  async readTrails(after: string, limit: number): Promise<readonly RecordedTrail[]> {
    return [...this.#initiations.keys()]
      .filter(paymentId => paymentId > after)
      .sort()
      .slice(0, limit)
      .map(paymentId => this.#audit.withHead(paymentId))
  }

  async readAuditHashes(after: number, through: number, limit: number): Promise<readonly PositionedHash[]> {
    return this.#audit.hashes(after, through, limit)
  }

  async countOrphanedEntries(): Promise<number> {
    return 0
  }

  async openCheckpoint(): Promise<{ readonly through: number; readonly previous: AuditCheckpoint | null }> {
    return this.#audit.openCheckpoint()
  }

  async saveCheckpoint(checkpoint: AuditCheckpoint): Promise<boolean> {
    return this.#audit.saveCheckpoint(checkpoint)
  }

  async listCheckpoints(after: number, limit: number): Promise<readonly AuditCheckpoint[]> {
    return this.#audit.listCheckpoints(after, limit)
  }

  #find(key: PaymentKey): PaymentRecord | null {
    const initiation =
      'paymentId' in key
        ? this.#initiations.get(key.paymentId)
        : [...this.#initiations.values()].find(matches(key, this.#payments))
    return initiation === undefined ? null : { initiation, payment: this.#payments.get(initiation.paymentId) ?? null }
  }

  #findByRequestId({ checkoutRequestId, merchantRequestId }: CallbackEvidence): PaymentRecord | null {
    if (checkoutRequestId !== null) return this.#find({ checkoutRequestId })
    return merchantRequestId === null ? null : this.#find({ merchantRequestId })
  }

  #parked(): readonly CallbackEvidence[] {
    return this.#kept('parked').map(({ evidence }) => evidence)
  }

  /** The oldest first. */
  #kept(disposition: CallbackDisposition): readonly KeptCallback[] {
    return [...this.#callbacks.values()]
      .filter(kept => kept.disposition === disposition)
      .sort((a, b) => a.evidence.receivedAt.getTime() - b.evidence.receivedAt.getTime())
  }

  #isUnconfirmed(paymentId: string): boolean {
    return this.#kept('unconfirmed').some(kept => kept.paymentId === paymentId)
  }

  #parkedFor(payment: Payment | null): readonly CallbackEvidence[] {
    return this.#parked().filter(
      callback => payment !== null && this.#findByRequestId(callback)?.payment?.id === payment.id,
    )
  }

  /**
   * True when these bytes are new for this payment and disposition. A parked callback that finds its payment leaves the park,
   * and one that waited for a confirmation waits no more.
   */
  #keep(evidence: CallbackEvidence, disposition: CallbackDisposition, paymentId: string | null): boolean {
    if (paymentId !== null) this.#callbacks.delete(`${evidence.digest} parked`)
    if (disposition !== 'unconfirmed') this.#callbacks.delete(`${evidence.digest} unconfirmed ${paymentId}`)
    const key =
      paymentId === null ? `${evidence.digest} ${disposition}` : `${evidence.digest} ${disposition} ${paymentId}`
    const isNew = !this.#callbacks.has(key)
    const copy = { ...evidence, body: evidence.body.slice() }
    if (isNew) this.#callbacks.set(key, { evidence: copy, disposition, paymentId })
    return isNew
  }

  #callbackEntries({ paymentId, event }: AuditEntry): number {
    return this.#audit.trailOf(paymentId).filter(entry => entry.event === event).length
  }
}

function trailMatches(key: TrailKey, payments: ReadonlyMap<string, Payment>): (initiation: Initiation) => boolean {
  if ('paymentId' in key) return ({ paymentId }) => paymentId === key.paymentId
  if ('phoneNumber' in key) return ({ phoneNumber }) => phoneNumber === key.phoneNumber
  if ('accountReference' in key) return ({ accountReference }) => accountReference === key.accountReference
  if ('receipt' in key) return ({ paymentId }) => payments.get(paymentId)?.mpesaReceiptNumber === key.receipt
  return matches(key, payments)
}

function matches(
  key: Exclude<PaymentKey, { readonly paymentId: string }>,
  payments: ReadonlyMap<string, Payment>,
): (initiation: Initiation) => boolean {
  if ('idempotencyKey' in key) {
    return ({ idempotencyKey, state }) => idempotencyKey === key.idempotencyKey && state !== 'refused'
  }
  if ('tokenHash' in key) return ({ tokenHash }) => tokenHash === key.tokenHash
  if ('checkoutRequestId' in key) {
    return ({ paymentId }) => payments.get(paymentId)?.checkoutRequestId === key.checkoutRequestId
  }
  return ({ paymentId }) => payments.get(paymentId)?.merchantRequestId === key.merchantRequestId
}
