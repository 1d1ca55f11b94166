import { type AuditEntry, maxCallbackEntries, type RecordedAuditEntry } from '../core/audit/audit-entry.ts'
import type { DueWork, ParkedWork, WorkResult } from '../core/due/due-work.ts'
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

type KeptCallback = {
  readonly evidence: CallbackEvidence
  readonly disposition: CallbackDisposition
}

type WorkOfMemory = {
  readonly work: Omit<DueWork, 'leaseId'>
  readonly lease: { readonly id: string; readonly until: Date } | null
  readonly lastError: string
  readonly isParked: boolean
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
  readonly #work = new Map<string, WorkOfMemory>()
  readonly #trails = new Map<string, RecordedAuditEntry[]>()

  async migrate(): Promise<void> {}

  async close(): Promise<void> {}

  async reserveInitiation(intent: Intent, entry: AuditEntry): Promise<ReserveOutcome> {
    const holder = intent.idempotencyKey === null ? null : this.#find({ idempotencyKey: intent.idempotencyKey })
    if (holder !== null) return { outcome: 'exists', record: holder }
    const initiation = reservedInitiation(intent)
    this.#initiations.set(intent.paymentId, initiation)
    this.#append(entry)
    return { outcome: 'reserved', record: { initiation, payment: null } }
  }

  async commitTransition(transition: Transition): Promise<TransitionOutcome> {
    const { paymentId, expected, payment } = transition
    const current = this.#find({ paymentId })
    if (current === null) throw new Error(`no initiation ${paymentId}`)
    const { initiation } = current
    const isDoneAlready = this.#trails.get(paymentId)?.some(({ id }) => id === transition.entry.id) === true
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
    if (transition.callback !== undefined) this.#keep(transition.callback, 'applied', paymentId)
    this.#append(transition.entry)
    for (const work of transition.work ?? []) {
      this.#work.set(work.id, { work: { ...work, attempts: 0 }, lease: null, lastError: '', isParked: false })
    }
    const parked = current.payment === null ? this.#parkedFor(payment) : []
    return { outcome: 'committed', record: { initiation: transition.initiation, payment }, parked }
  }

  async recordCallback({ callback, disposition, paymentId, entry }: CallbackRecord): Promise<{ isNew: boolean }> {
    const isNew = this.#keep(callback, disposition, paymentId)
    if (isNew && entry !== undefined && this.#callbackEntries(entry) < maxCallbackEntries) this.#append(entry)
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

  async claimDue({ kinds, at, leaseMs, leaseId, limit }: DueClaim): Promise<readonly DueWork[]> {
    const claimed = [...this.#work.values()]
      .filter(({ work, lease, isParked }) => {
        const isFree = lease === null || lease.until <= at
        return !isParked && isFree && work.dueAt <= at && kinds.includes(work.kind)
      })
      .sort((a, b) => a.work.dueAt.getTime() - b.work.dueAt.getTime())
      .slice(0, limit)
    const lease = { id: leaseId, until: new Date(at.getTime() + leaseMs) }
    for (const row of claimed) this.#work.set(row.work.id, { ...row, lease })
    return claimed.map(({ work }) => ({ ...work, leaseId }))
  }

  async finishWork(results: readonly WorkResult[]): Promise<void> {
    for (const result of results) {
      const row = this.#work.get(result.id)
      if (row?.lease?.id !== result.leaseId) continue
      if (result.outcome === 'done') {
        this.#work.delete(result.id)
        continue
      }
      const dueAt = result.outcome === 'again' ? result.dueAt : row.work.dueAt
      const work = { ...row.work, attempts: row.work.attempts + 1, dueAt }
      this.#work.set(result.id, { work, lease: null, lastError: result.error, isParked: result.outcome === 'parked' })
    }
  }

  async listParkedWork(limit: number): Promise<readonly ParkedWork[]> {
    return [...this.#work.values()]
      .filter(({ isParked }) => isParked)
      .map(({ work, lastError }) => ({ ...work, lastError }))
      .slice(0, limit)
  }

  async readTrail(paymentId: string): Promise<readonly RecordedAuditEntry[]> {
    return [...(this.#trails.get(paymentId) ?? [])]
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
    return [...this.#callbacks.values()]
      .filter(({ disposition }) => disposition === 'parked')
      .map(({ evidence }) => evidence)
      .sort((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime())
  }

  #parkedFor(payment: Payment | null): readonly CallbackEvidence[] {
    return this.#parked().filter(
      callback => payment !== null && this.#findByRequestId(callback)?.payment?.id === payment.id,
    )
  }

  /** True when these bytes are new for this payment and disposition. A parked callback that finds its payment leaves the park. */
  #keep(evidence: CallbackEvidence, disposition: CallbackDisposition, paymentId: string | null): boolean {
    if (paymentId !== null) this.#callbacks.delete(`${evidence.digest} parked`)
    const key =
      paymentId === null ? `${evidence.digest} ${disposition}` : `${evidence.digest} ${disposition} ${paymentId}`
    const isNew = !this.#callbacks.has(key)
    if (isNew) this.#callbacks.set(key, { evidence: { ...evidence, body: evidence.body.slice() }, disposition })
    return isNew
  }

  #callbackEntries({ paymentId, event }: AuditEntry): number {
    return (this.#trails.get(paymentId) ?? []).filter(entry => entry.event === event).length
  }

  #append(entry: AuditEntry): void {
    const trail = this.#trails.get(entry.paymentId) ?? []
    trail.push({ ...entry, sequence: trail.length + 1 })
    this.#trails.set(entry.paymentId, trail)
  }
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
