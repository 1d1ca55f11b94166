import type { RecordedAuditEntry } from './core/audit/audit-entry.ts'
import type { AuditCheckpoint } from './core/audit/checkpoint.ts'
import { createFingerprint } from './core/audit/fingerprint.ts'
import { takeCheckpoint } from './core/audit/take-checkpoint.ts'
import { type AuditVerification, verifyAuditTrail } from './core/audit/verify-trail.ts'
import { type MpesaConfig, type ResolvedConfig, resolveConfig } from './core/config.ts'
import type { ParkedWork } from './core/due/due-work.ts'
import { describeError } from './core/errors.ts'
import { initiatePayment } from './core/initiate/initiate-payment.ts'
import type { PaymentRequest } from './core/initiate/intent.ts'
import { PushRefusedError } from './core/initiate/push-refused-error.ts'
import { type HistoryKey, trailKeyOf } from './core/payment/history-key.ts'
import type { Payment, PaymentStatus } from './core/payment/payment.ts'
import {
  type InitiatedPayment,
  type PaymentView,
  toInitiatedPayment,
  viewPayment,
} from './core/payment/payment-view.ts'
import { awaitSettlement } from './core/poll/await-settlement.ts'
import type { PollPorts } from './core/poll/poll-payment.ts'
import type { Clock, Logger, PaymentRecord, Store } from './core/ports.ts'
import type { CallbackEvidence } from './core/receive/callback-evidence.ts'
import { applyParkedCallbacks, type ProcessedCallback, receiveCallback } from './core/receive/receive-callback.ts'
import { reconcilePayments } from './core/reconcile/reconcile-payments.ts'
import { type ReconciliationResult, readRange } from './core/reconcile/reconciliation.ts'
import { type Resolution, resolvePayment } from './core/resolve/resolve-payment.ts'
import { type UnresolvedPayment, viewUnresolved } from './core/resolve/unresolved.ts'
import type { ContradictionReason } from './core/settle/decide-settlement.ts'
import { createPatientStore } from './core/settle/patient-store.ts'
import { createDarajaClient } from './daraja/daraja-client.ts'
import { stderrLogger, systemClock, systemRandom } from './platform.ts'
import { DueWorker } from './workers/due-worker.ts'
import { type DiscrepancyHandler, HandlerLane, type SettledHandler } from './workers/handler-lane.ts'
import { createPollLane } from './workers/poll-lane.ts'

export type MpesaStkOptions = {
  /** Where warnings and errors go; pino fits. Default: JSON lines on stderr. */
  readonly logger?: Logger
  /** Default: the machine's clock. */
  readonly clock?: Clock
}

/** What `resolvePayment` came to, with the payment as it stands now. `reason` tells why a contradiction changed nothing. */
export type ResolvedPayment = {
  readonly outcome: 'resolved' | 'repeat' | 'contradiction'
  readonly payment: PaymentView
  readonly reason?: ContradictionReason
}

/**
 * The life of an STK push payment: initiate once, settle once, with every step on the record.
 *
 * ```ts
 * const mpesa = new MpesaStk(config, store)
 * mpesa.onPaymentSettled(payment => fulfil(payment.accountReference))
 * await mpesa.start()
 * await mpesa.initiatePayment({ phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' })
 * ```
 */
export class MpesaStk {
  readonly #config: ResolvedConfig
  readonly #ports: PollPorts
  readonly #handlers: HandlerLane
  readonly #handlerWorker: DueWorker
  readonly #pollWorker: DueWorker

  /**
   * @param config how to reach Daraja; nothing is read from the environment
   * @param store where payments live; call its `migrate()` first
   * @throws MpesaStkError `MPESA_STK_CONFIG_INVALID`
   */
  constructor(config: MpesaConfig, store: Store, options: MpesaStkOptions = {}) {
    const { clock = systemClock, logger = stderrLogger } = options
    this.#config = resolveConfig(config)
    this.#ports = {
      store: createPatientStore(store, clock, logger),
      clock,
      logger,
      random: systemRandom,
      fingerprint: createFingerprint(this.#config.auditKey()),
      confirmSuccess: this.#config.confirmSuccess,
      daraja: createDarajaClient(this.#config, clock, store),
    }
    this.#handlers = new HandlerLane(this.#ports.store)
    this.#handlerWorker = new DueWorker(this.#ports, this.#handlers)
    this.#pollWorker = new DueWorker(this.#ports, createPollLane(this.#ports, this.#config))
  }

  /**
   * Calls `handler` at least once for each payment that is settled, and again if that is corrected (a success after
   * `TIMEOUT`, or a person who overrules) or completed (a receipt that came later). The call is stored with the settlement, so a crash only delays it:
   * any process that registered handlers makes it. One that throws is called again, ten times within a day, all handlers
   * of the payment with it; then the call is parked (`parkedWork()`). Nobody else waits for handlers; let them be
   * idempotent, `event.id` is the same on every attempt. Register at start, before `start()`.
   *
   * @returns a function that takes the handler off again
   */
  onPaymentSettled(handler: SettledHandler): () => void {
    return this.#handlers.addSettled(handler)
  }

  /**
   * Calls `handler` at least once for each contradiction: a success after `FAILED`, a failure after `SUCCESS`, another
   * amount, a receipt that another payment has, a reconciliation that finds a difference. Nothing was changed, so somebody
   * has to look, and say what is true by `resolvePayment`. Stored and tried again like calls of settled-handlers.
   *
   * @returns a function that takes the handler off again
   */
  onDiscrepancy(handler: DiscrepancyHandler): () => void {
    return this.#handlers.addDiscrepancy(handler)
  }

  /**
   * Prompts the customer's phone, once. The intent is stored before Daraja is called; the same `idempotencyKey` returns
   * the same payment, from any process and after any crash, until Daraja proves that it refused.
   *
   * `status` is `UNKNOWN` when the outcome of the push is not known (a lost answer, a 5xx that proves nothing): the
   * customer may be looking at a prompt, so it is never pushed again by itself. A callback with this push's token
   * resolves it (`callbackToken: 'path'`), or `resolvePayment`; `unresolved()` lists them.
   *
   * @throws PushRefusedError when nobody was prompted; its `explanation` says why and who can mend it
   * @throws MpesaStkError `MPESA_STK_REQUEST_INVALID`, `MPESA_STK_PHONE_INVALID`, `MPESA_STK_AMOUNT_INVALID`, `MPESA_STK_ACCOUNT_REFERENCE_INVALID`,
   * `MPESA_STK_DESCRIPTION_INVALID`, `MPESA_STK_IDEMPOTENCY_KEY_INVALID`, `MPESA_STK_IDEMPOTENCY_KEY_REUSED`
   */
  async initiatePayment(request: PaymentRequest): Promise<InitiatedPayment> {
    const { record, parked } = await initiatePayment(this.#ports, this.#config, request)
    if (record.initiation.state === 'refused') throw new PushRefusedError(record.initiation)
    const payment = await this.#applyParked(record, parked)
    return toInitiatedPayment(payment === null ? record : { ...record, payment })
  }

  /**
   * Takes a callback of Safaricom. Every callback is stored with its bytes; only one that fits its payment moves it, and
   * only once, however often and from wherever it comes. Await it before you answer Safaricom, so that a 200 means stored.
   * It does not wait for handlers.
   *
   * @param body the raw bytes or text of the request, or its parsed JSON
   * @param options.token the token from the path it was posted to, when `callbackToken` is `path`
   * @throws MpesaStkError `MPESA_STK_STORE_CONTENDED`, and what the store throws: then answer Safaricom with a 500
   */
  async processCallback(
    body: unknown,
    options: { readonly token?: string | undefined } = {},
  ): Promise<ProcessedCallback> {
    const { processed, isWorkDue } = await receiveCallback(this.#ports, toBytes(body), options.token ?? null)
    const { outcome, paymentId, reason } = processed
    if (reason !== undefined) {
      this.#ports.logger.warn({ outcome, paymentId, reason }, 'a callback was kept and not applied')
    }
    if (isWorkDue) this.#wake()
    return processed
  }

  /**
   * Asks Safaricom about a payment until it is settled, and resolves with how: the callback may be faster. With `start()`
   * running you need not call this: every pending payment is polled. Attempts and pace are shared with those polls, in all
   * processes.
   *
   * @throws MpesaStkError `MPESA_STK_PAYMENT_NOT_FOUND`, also for a payment of another shortcode
   */
  async pollPaymentStatus(checkoutRequestId: string): Promise<PaymentStatus> {
    return awaitSettlement(this.#ports, this.#config, checkoutRequestId, () => this.#runPolls())
  }

  /**
   * Asks Safaricom about every payment that was initiated between `from` and `to` (both included), whatever its status, and
   * tells where the two differ; pushes of unknown outcome cannot be asked about (`unresolved()`). Changes nothing: each mismatch is also raised through `onDiscrepancy`, and `resolvePayment`
   * is for you to call. Takes as long as the rate of queries allows, about 12 s a payment at the start; after a crash the
   * same range goes on where it stood, so give it round dates.
   *
   * @throws MpesaStkError `MPESA_STK_RANGE_INVALID`, `MPESA_STK_STORE_CONTENDED`
   */
  async reconcile(from: Date, to: Date): Promise<ReconciliationResult> {
    const result = await reconcilePayments(this.#ports, this.#config, readRange(this.#config.shortCode, from, to))
    if (result.mismatches.length > 0) this.#wake()
    return result
  }

  /**
   * Pushes of which nobody knows whether the customer was prompted, the oldest first, each with its age and what would
   * resolve it. They have no CheckoutRequestID, so no query can.
   *
   * @param limit at most so many. Default 100.
   */
  async unresolved(limit = 100): Promise<readonly UnresolvedPayment[]> {
    const at = this.#ports.clock.now()
    return (await this.#ports.store.listUnresolved(at, limit)).map(record => viewUnresolved(record, at))
  }

  /**
   * Says how a payment ended, by evidence from outside: a person who looked, a C2B confirmation, a Pull transaction, a
   * statement. Goes through the same compare-and-set as a callback and onto the audit trail.
   *
   * @throws MpesaStkError `MPESA_STK_PAYMENT_NOT_FOUND`, `MPESA_STK_RESOLUTION_INVALID`, `MPESA_STK_STORE_CONTENDED`
   */
  async resolvePayment(resolution: Resolution): Promise<ResolvedPayment> {
    const result = await resolvePayment(this.#ports, resolution)
    this.#wake()
    const { outcome } = result
    const payment = viewPayment(result.record)
    return result.outcome === 'contradiction' ? { outcome, payment, reason: result.reason } : { outcome, payment }
  }

  /**
   * Takes up what a crash left behind, and from now on runs what is due every second until `stop()`: polls of payments
   * whose callback does not come, and calls of handlers. Call it once at every start, after `store.migrate()`. Without it,
   * handlers are called after the callbacks that this process takes, nothing is called again, and nothing is polled.
   */
  async start(): Promise<void> {
    await this.#takeUpStranded()
    this.#handlerWorker.start()
    this.#pollWorker.start()
    this.#wake()
  }

  /** Ends what `start` began, and resolves when what is running has ended. Await it before you close the store. */
  async stop(): Promise<void> {
    // Polls first: what they settle is told by the handlers.
    await this.#pollWorker.stop()
    await this.#handlerWorker.stop()
  }

  /** Resolves when no query and no handler is running. */
  async idle(): Promise<void> {
    await this.#pollWorker.idle()
    await this.#handlerWorker.idle()
  }

  /**
   * Runs what is due, once, for processes that do not live on (a serverless function): `processCallback`, answer, then
   * `runDueWork`, and the same from a schedule, so that pending payments are polled and what failed is tried again.
   *
   * @param options.maxMs begin nothing new after this long, in milliseconds. Default 10,000.
   * @returns how many pieces of work were run
   */
  async runDueWork({ maxMs = 10_000 }: { readonly maxMs?: number } = {}): Promise<number> {
    const began = this.#ports.clock.now().getTime()
    await this.#takeUpStranded()
    const polled = await this.#pollWorker.runDueWork(maxMs)
    const left = maxMs - (this.#ports.clock.now().getTime() - began)
    return polled + (await this.#handlerWorker.runDueWork(Math.max(0, left)))
  }

  /** Calls of handlers that failed ten times, the oldest first, with the last error. */
  async parkedWork(limit = 100): Promise<readonly ParkedWork[]> {
    return this.#ports.store.listParkedWork(limit)
  }

  /** Makes a parked call again, ten times within a day like a new one. False when there is no such call. */
  async releaseParkedWork(id: string): Promise<boolean> {
    const isReleased = await this.#ports.store.releaseParkedWork(id, this.#ports.clock.now())
    if (isReleased) this.#wake()
    return isReleased
  }

  /** A payment as it stands, or null for an unknown id. */
  async getPayment(paymentId: string): Promise<PaymentView | null> {
    const record = await this.#ports.store.findPayment({ paymentId })
    return record === null ? null : viewPayment(record)
  }

  /**
   * Everything that happened to a payment, or to every payment of a phone number or account reference, the oldest payment
   * first: time, event, cause, state before and after, evidence. `paymentId` tells whose entry it is.
   *
   * @param options.limit the newest so many payments. Default 100.
   * @throws MpesaStkError `MPESA_STK_REQUEST_INVALID`, `MPESA_STK_PHONE_INVALID`
   */
  async history(
    key: HistoryKey,
    { limit = 100 }: { readonly limit?: number } = {},
  ): Promise<readonly RecordedAuditEntry[]> {
    return this.#ports.store.readTrail(trailKeyOf(key), limit)
  }

  /**
   * Seals everything that was written to the audit trail since the last checkpoint, and returns the seal. Keep it outside of
   * the database, where nobody who can write there can reach it: with it `verifyAuditTrail` notices what was cut or changed.
   */
  async checkpointAuditTrail(): Promise<AuditCheckpoint> {
    return takeCheckpoint(this.#ports.store, this.#config.auditKey(), () => this.#ports.clock.now())
  }

  /**
   * Reads the whole audit trail and tells whether it is as it was written: each payment's chain of hashes to the head on its
   * row, and each checkpoint.
   *
   * @param options.checkpoints those that you kept outside of the database
   */
  async verifyAuditTrail(
    options: { readonly checkpoints?: readonly AuditCheckpoint[] } = {},
  ): Promise<AuditVerification> {
    return verifyAuditTrail(this.#ports.store, this.#config.auditKey(), options.checkpoints)
  }

  /** A failure here must not look like one of the push: what is parked stays in the store, and `start` takes it up. */
  async #applyParked(record: PaymentRecord, parked: readonly CallbackEvidence[]): Promise<Payment | null> {
    if (parked.length === 0) return null
    try {
      const results = await applyParkedCallbacks(this.#ports, record, parked)
      if (results.some(({ isWorkDue }) => isWorkDue)) this.#wake()
      return results.findLast(({ settled }) => settled !== null)?.settled ?? null
    } catch (cause) {
      const { paymentId } = record.initiation
      this.#ports.logger.error({ paymentId, error: describeError(cause) }, 'a parked callback could not be applied')
      return null
    }
  }

  async #takeUpStranded(): Promise<void> {
    for (const { record, callback } of await this.#ports.store.findStrandedCallbacks(strandedAtOnce)) {
      await this.#applyParked(record, [callback])
    }
  }

  /** The work is in the store already: this only spares it the wait for somebody's next look. Polls need `start`. */
  #wake(): void {
    void this.#handlerWorker.runDueWork(wakeMs)
    if (this.#pollWorker.isStarted) void this.#runPolls()
  }

  async #runPolls(): Promise<void> {
    await this.#pollWorker.runDueWork(wakeMs)
    void this.#handlerWorker.runDueWork(wakeMs)
  }
}

/** What a wake runs at most before others get their turn; the rest waits for the next look. */
const wakeMs = 10_000

/** More than a crash can leave behind: each needs a callback that came before the answer to its push. */
const strandedAtOnce = 1_000

function toBytes(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  return new TextEncoder().encode(typeof body === 'string' ? body : toJson(body))
}

/** Empty for what has no JSON: nothing, a cycle, or nesting deeper than the stack. It is kept as unrecognised. */
function toJson(value: unknown): string {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return ''
  }
}
