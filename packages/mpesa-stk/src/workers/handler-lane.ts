import type { DueWork, SettledCause, WorkKind } from '../core/due/due-work.ts'
import { type ExplainedPayment, explainPayment, type PaymentView, viewPayment } from '../core/payment/payment-view.ts'
import type { Store } from '../core/ports.ts'
import { type Discrepancy, viewDiscrepancy } from '../core/settle/discrepancy.ts'
import type { Lane, LaneOutcome } from './due-worker.ts'

/** Why a handler is called. `id` is the same on every attempt: keep it to recognise a repetition. */
export type SettledEvent = { readonly id: string; readonly cause: SettledCause }

/** Hears of a payment that was settled, or whose settlement was corrected or completed. */
export type SettledHandler = (payment: ExplainedPayment, event: SettledEvent) => void | Promise<void>

/** Hears of two accounts of one payment that differ. Nothing was changed: somebody has to look. */
export type DiscrepancyHandler = (discrepancy: Discrepancy, payment: PaymentView) => void | Promise<void>

/** Far longer than a handler should take. */
const leaseMs = 5 * 60_000
const claimAtOnce = 10

/** The handlers of this process, called for work that any process stored. */
export class HandlerLane implements Lane {
  readonly claimAtOnce = claimAtOnce
  readonly leaseMs = leaseMs
  readonly #store: Store
  readonly #settled = new Set<SettledHandler>()
  readonly #discrepancy = new Set<DiscrepancyHandler>()

  constructor(store: Store) {
    this.#store = store
  }

  /** Returns a function that takes the handler off again. */
  addSettled(handler: SettledHandler): () => void {
    return add(this.#settled, handler)
  }

  addDiscrepancy(handler: DiscrepancyHandler): () => void {
    return add(this.#discrepancy, handler)
  }

  /** Only what somebody here listens to; the rest waits for a process that does. */
  readonly kinds = (): readonly WorkKind[] => [
    ...(this.#settled.size > 0 ? (['settled'] as const) : []),
    ...(this.#discrepancy.size > 0 ? (['discrepancy'] as const) : []),
  ]

  readonly run = async (work: DueWork): Promise<LaneOutcome> => {
    await (work.kind === 'discrepancy' ? this.#tellOfDiscrepancy(work) : this.#tellOfSettlement(work))
    return { outcome: 'done' }
  }

  async #tellOfSettlement({ id, cause, paymentId }: DueWork): Promise<void> {
    const record = await this.#store.findPayment({ paymentId })
    if (record?.payment == null) throw new Error(`payment ${paymentId} is not in the store`)
    const payment = explainPayment(record.payment)
    for (const handler of [...this.#settled]) await handler(payment, { id, cause: cause as SettledCause })
  }

  async #tellOfDiscrepancy({ id, paymentId }: DueWork): Promise<void> {
    const record = await this.#store.findPayment({ paymentId })
    const entry = (await this.#store.readTrail({ paymentId }, 1)).find(each => each.id === id)
    if (record === null || entry === undefined) throw new Error(`payment ${paymentId} is not in the store`)
    const discrepancy = viewDiscrepancy(entry)
    for (const handler of [...this.#discrepancy]) await handler(discrepancy, viewPayment(record))
  }
}

function add<Handler>(handlers: Set<Handler>, handler: Handler): () => void {
  handlers.add(handler)
  return () => {
    handlers.delete(handler)
  }
}
