import type { RecordedAuditEntry } from './core/audit/audit-entry.ts'
import { type MpesaConfig, type ResolvedConfig, resolveConfig } from './core/config.ts'
import type { DueWork, ParkedWork, SettledCause } from './core/due/due-work.ts'
import { describeError } from './core/errors.ts'
import { initiatePayment } from './core/initiate/initiate-payment.ts'
import type { PaymentRequest } from './core/initiate/intent.ts'
import { PushRefusedError } from './core/initiate/push-refused-error.ts'
import type { Payment } from './core/payment/payment.ts'
import {
  type ExplainedPayment,
  explainPayment,
  type InitiatedPayment,
  type PaymentView,
  toInitiatedPayment,
  viewPayment,
} from './core/payment/payment-view.ts'
import type { Clock, Daraja, Logger, PaymentRecord, Store } from './core/ports.ts'
import type { CallbackEvidence } from './core/receive/callback-evidence.ts'
import {
  applyParkedCallbacks,
  type ProcessedCallback,
  type ReceivePorts,
  receiveCallback,
} from './core/receive/receive-callback.ts'
import { createDarajaClient } from './daraja/daraja-client.ts'
import { stderrLogger, systemClock, systemRandom } from './platform.ts'
import { DueWorker } from './workers/due-worker.ts'

/** Why a handler is called. `id` is the same on every attempt: keep it to recognise a repetition. */
export type SettledEvent = { readonly id: string; readonly cause: SettledCause }

/** Hears of a payment that was settled, or whose settlement was corrected or completed. */
export type SettledHandler = (payment: ExplainedPayment, event: SettledEvent) => void | Promise<void>

export type MpesaStkOptions = {
  /** Where warnings and errors go; pino fits. Default: JSON lines on stderr. */
  readonly logger?: Logger
  /** Default: the machine's clock. */
  readonly clock?: Clock
}

/**
 * The life of an STK push payment: initiate once, settle once, with every step on the record.
 *
 * ```ts
 * const mpesa = new MpesaStk(config, store)
 * mpesa.onPaymentSettled(payment => fulfil(payment.accountReference))
 * await mpesa.initiatePayment({ phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' })
 * ```
 */
export class MpesaStk {
  readonly #config: ResolvedConfig
  readonly #store: Store
  readonly #daraja: Daraja
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #handlers: SettledHandler[] = []
  readonly #worker: DueWorker

  /**
   * @param config how to reach Daraja; nothing is read from the environment
   * @param store where payments live; call its `migrate()` first
   * @throws MpesaStkError `MPESA_STK_CONFIG_INVALID`
   */
  constructor(config: MpesaConfig, store: Store, options: MpesaStkOptions = {}) {
    this.#config = resolveConfig(config)
    this.#store = store
    this.#clock = options.clock ?? systemClock
    this.#logger = options.logger ?? stderrLogger
    this.#daraja = createDarajaClient(this.#config, this.#clock, store)
    this.#worker = new DueWorker(
      this.#ports,
      () => (this.#handlers.length > 0 ? ['settled'] : []),
      work => this.#tellHandlers(work),
    )
  }

  /**
   * Calls `handler` at least once for each payment that is settled, and again if that is corrected (a success after
   * `TIMEOUT`) or completed (a receipt that came later). The call is stored with the settlement, so a crash only delays it:
   * any process that registered handlers makes it. One that throws is called again, ten times within a day, all handlers
   * of the payment with it; then the call is parked (`parkedWork()`). Nobody else waits for handlers; let them be
   * idempotent, `event.id` is the same on every attempt. Register at start, before `start()`.
   *
   * @returns a function that takes the handler off again
   */
  onPaymentSettled(handler: SettledHandler): () => void {
    this.#handlers.push(handler)
    return () => {
      const index = this.#handlers.indexOf(handler)
      if (index !== -1) this.#handlers.splice(index, 1)
    }
  }

  /**
   * Prompts the customer's phone, once. The intent is stored before Daraja is called; the same `idempotencyKey` returns
   * the same payment, from any process and after any crash, until Daraja proves that it refused.
   *
   * `status` is `UNKNOWN` when the outcome of the push is not known (a lost answer, a 5xx that proves nothing): the
   * customer may be looking at a prompt, so it is never pushed again by itself. A callback with this push's token
   * resolves it (`callbackToken: 'path'`).
   *
   * @throws PushRefusedError when nobody was prompted; its `explanation` says why and who can mend it
   * @throws MpesaStkError `MPESA_STK_PHONE_INVALID`, `MPESA_STK_AMOUNT_INVALID`, `MPESA_STK_ACCOUNT_REFERENCE_INVALID`,
   * `MPESA_STK_DESCRIPTION_INVALID`, `MPESA_STK_IDEMPOTENCY_KEY_INVALID`, `MPESA_STK_IDEMPOTENCY_KEY_REUSED`
   */
  async initiatePayment(request: PaymentRequest): Promise<InitiatedPayment> {
    const { record, parked } = await initiatePayment({ ...this.#ports, daraja: this.#daraja }, this.#config, request)
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
   */
  async processCallback(
    body: unknown,
    options: { readonly token?: string | undefined } = {},
  ): Promise<ProcessedCallback> {
    const { processed, settled } = await receiveCallback(this.#ports, toBytes(body), options.token ?? null)
    const { outcome, paymentId, reason } = processed
    if (reason !== undefined) this.#logger.warn({ outcome, paymentId, reason }, 'a callback was kept and not applied')
    if (settled !== null) this.#wake()
    return processed
  }

  /**
   * Takes up what a crash left behind, and from now on runs what is due every second until `stop()`. Call it once at every
   * start, after `store.migrate()`. Without it, handlers are called after the callbacks that this process takes, and
   * nothing is called again.
   */
  async start(): Promise<void> {
    await this.#takeUpStranded()
    this.#worker.start()
    this.#wake()
  }

  /** Ends what `start` began, and resolves when what is running has ended. Await it before you close the store. */
  async stop(): Promise<void> {
    await this.#worker.stop()
  }

  /** Resolves when no handler is running. */
  async idle(): Promise<void> {
    await this.#worker.idle()
  }

  /**
   * Runs what is due, once, for processes that do not live on (a serverless function): `processCallback`, answer, then
   * `runDueWork`, and the same from a schedule, so that what failed is tried again.
   *
   * @param options.maxMs begin nothing new after this long, in milliseconds. Default 10,000.
   * @returns how many pieces of work were begun
   */
  async runDueWork({ maxMs = 10_000 }: { readonly maxMs?: number } = {}): Promise<number> {
    await this.#takeUpStranded()
    return this.#worker.runDueWork(maxMs)
  }

  /** Calls of handlers that failed ten times, the oldest first, with the last error. */
  async parkedWork(limit = 100): Promise<readonly ParkedWork[]> {
    return this.#store.listParkedWork(limit)
  }

  /** A payment as it stands, or null for an unknown id. */
  async getPayment(paymentId: string): Promise<PaymentView | null> {
    const record = await this.#store.findPayment({ paymentId })
    return record === null ? null : viewPayment(record)
  }

  /** Everything that happened to a payment, in order: time, event, cause, state before and after, evidence. */
  async history(key: { readonly paymentId: string }): Promise<readonly RecordedAuditEntry[]> {
    return this.#store.readTrail(key.paymentId)
  }

  get #ports(): ReceivePorts {
    return { store: this.#store, clock: this.#clock, random: systemRandom, logger: this.#logger }
  }

  /** A failure here must not look like one of the push: what is parked stays in the store, and `start` takes it up. */
  async #applyParked(record: PaymentRecord, parked: readonly CallbackEvidence[]): Promise<Payment | null> {
    if (parked.length === 0) return null
    try {
      const settled = await applyParkedCallbacks(this.#ports, record, parked)
      if (settled.length > 0) this.#wake()
      return settled.at(-1) ?? null
    } catch (cause) {
      const { paymentId } = record.initiation
      this.#logger.error({ paymentId, error: describeError(cause) }, 'a parked callback could not be applied')
      return null
    }
  }

  async #takeUpStranded(): Promise<void> {
    for (const { record, callback } of await this.#store.findStrandedCallbacks(strandedAtOnce)) {
      await this.#applyParked(record, [callback])
    }
  }

  /** The work is in the store already: this only spares it the wait for somebody's next look. */
  #wake(): void {
    void this.#worker.runDueWork(wakeMs)
  }

  async #tellHandlers({ id, cause, paymentId }: DueWork): Promise<void> {
    const record = await this.#store.findPayment({ paymentId })
    if (record?.payment == null) throw new Error(`payment ${paymentId} is not in the store`)
    const payment = explainPayment(record.payment)
    for (const handler of [...this.#handlers]) await handler(payment, { id, cause })
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
