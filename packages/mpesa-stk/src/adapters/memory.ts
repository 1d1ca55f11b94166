import type { AuditEntry, RecordedAuditEntry } from '../core/audit/audit-entry.ts'
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
    return { outcome: 'committed', record: { initiation: transition.initiation, payment } }
  }

  async recordCallback({ callback, disposition, paymentId, entry }: CallbackRecord): Promise<{ isNew: boolean }> {
    const isNew = this.#keep(callback, disposition, paymentId)
    if (isNew && entry !== undefined) this.#append(entry)
    return { isNew }
  }

  async findPayment(key: PaymentKey): Promise<PaymentRecord | null> {
    return this.#find(key)
  }

  async findParkedCallbacks(ids: {
    readonly checkoutRequestId: string
    readonly merchantRequestId: string
  }): Promise<readonly CallbackEvidence[]> {
    return [...this.#callbacks.values()]
      .filter(({ disposition }) => disposition === 'parked')
      .map(({ evidence }) => evidence)
      .filter(
        ({ checkoutRequestId, merchantRequestId }) =>
          checkoutRequestId === ids.checkoutRequestId || merchantRequestId === ids.merchantRequestId,
      )
      .sort((a, b) => a.receivedAt.getTime() - b.receivedAt.getTime())
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

  /** True when these bytes are new, or are kept for another reason than before. `applied` is never taken back. */
  #keep(evidence: CallbackEvidence, disposition: CallbackDisposition, paymentId: string | null): boolean {
    const kept = this.#callbacks.get(evidence.digest)
    if (kept === undefined) {
      this.#callbacks.set(evidence.digest, {
        evidence: { ...evidence, body: evidence.body.slice() },
        disposition,
        paymentId,
      })
      return true
    }
    if (kept.disposition === 'applied' || kept.disposition === disposition) return false
    this.#callbacks.set(evidence.digest, { ...kept, disposition, paymentId: kept.paymentId ?? paymentId })
    return true
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
