import type { RecordedAuditEntry } from './core/audit/audit-entry.ts'
import { type MpesaConfig, type ResolvedConfig, resolveConfig } from './core/config.ts'
import { initiatePayment } from './core/initiate/initiate-payment.ts'
import type { PaymentRequest } from './core/initiate/intent.ts'
import { PushRefusedError } from './core/initiate/push-refused-error.ts'
import type { Payment } from './core/payment/payment.ts'
import {
  type InitiatedPayment,
  type PaymentView,
  toInitiatedPayment,
  viewPayment,
} from './core/payment/payment-view.ts'
import type { Clock, Daraja, Logger, Store } from './core/ports.ts'
import {
  applyParkedCallbacks,
  type ProcessedCallback,
  receiveCallback,
  type Settled,
} from './core/receive/receive-callback.ts'
import { createDarajaClient } from './daraja/daraja-client.ts'
import { sha256, stderrLogger, systemClock, systemRandom } from './platform.ts'

/** Hears of a payment that was settled, or whose settlement was corrected or completed. */
export type SettledHandler = (payment: Payment) => void | Promise<void>

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
    this.#daraja = createDarajaClient(this.#config, this.#clock)
  }

  /**
   * Calls `handler` after a payment was settled, and again if that is corrected (a success after `TIMEOUT`) or completed
   * (a receipt that came later). Handlers run in this process after the commit, one after another; one that throws is
   * logged and not called again for that event, so let it be idempotent and read the store at your start.
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
    const ports = {
      store: this.#store,
      daraja: this.#daraja,
      clock: this.#clock,
      random: systemRandom,
      digest: sha256,
      logger: this.#logger,
    }
    let record = await initiatePayment(ports, this.#config, request)
    if (record.initiation.state === 'refused') throw new PushRefusedError(record.initiation)
    if (record.payment?.status === 'PENDING') {
      const settled = await applyParkedCallbacks(ports, record.payment)
      await this.#announce(settled)
      const payment = settled.at(-1)?.payment
      if (payment !== undefined) record = { ...record, payment }
    }
    return toInitiatedPayment(record)
  }

  /**
   * Takes a callback of Safaricom. Every callback is stored with its bytes; only one that fits its payment moves it, and
   * only once, however often and from wherever it comes. Await it before you answer Safaricom, so that a 200 means stored;
   * handlers run within it, so keep them quick (how long Safaricom waits is disputed: 5 s or more [unverified]).
   *
   * @param body the raw bytes or text of the request, or its parsed JSON
   * @param options.token the token from the path it was posted to, when `callbackToken` is `path`
   */
  async processCallback(
    body: unknown,
    options: { readonly token?: string | undefined } = {},
  ): Promise<ProcessedCallback> {
    const ports = { store: this.#store, clock: this.#clock, digest: sha256 }
    const { processed, settled } = await receiveCallback(ports, toBytes(body), options.token ?? null)
    const { outcome, paymentId, reason } = processed
    if (reason !== undefined) this.#logger.warn({ outcome, paymentId, reason }, 'a callback was kept and not applied')
    await this.#announce(settled === null ? [] : [settled])
    return processed
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

  async #announce(settlements: readonly Settled[]): Promise<void> {
    for (const { payment } of settlements) {
      for (const handler of [...this.#handlers]) {
        try {
          await handler(payment)
        } catch (cause) {
          this.#logger.error({ paymentId: payment.id, cause }, 'an onPaymentSettled handler failed')
        }
      }
    }
  }
}

function toBytes(body: unknown): Uint8Array {
  if (body instanceof Uint8Array) return body
  return new TextEncoder().encode(typeof body === 'string' ? body : (JSON.stringify(body) ?? ''))
}
