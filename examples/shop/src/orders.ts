import type { Logger } from 'mpesa-stk'
import type { Checkout } from './checkout-request.ts'
import type { OrderEvent, OrderEvents } from './order-events.ts'

export type Order = {
  readonly reference: string
  readonly amount: number
  readonly title: { readonly en: string; readonly sw: string }
  readonly paymentIds: readonly string[]
  /** How often it was packed: paid orders once, all others never. */
  readonly timesPacked: number
}

/**
 * The shop's own orders, as a real shop has them in its own database. The library knows payments; what was bought, and
 * which payments belong to it, is the shop's to know. They outlive a restart as far as their events do.
 */
export type Orders = {
  /**
   * Writes an order down, before anything is asked of M-PESA: throws when it cannot, and then nothing may be asked. The
   * same reference again is the same order.
   */
  place(checkout: Checkout): void
  addPayment(reference: string, paymentId: string): void
  pack(reference: string): void
  find(reference: string): Order | null
  /** Those that nobody packed yet. */
  unpacked(): readonly Order[]
  /** Newest first. */
  recentPaymentIds(): readonly string[]
}

const mostOrders = 200
const mostListed = 20

export function createOrders({ past, unreadable, write }: OrderEvents, logger: Logger): Orders {
  const orders = new Map<string, Order>()
  const paymentIds: string[] = []
  if (unreadable > 0)
    logger.warn({ lines: unreadable }, 'orders.jsonl has lines that nobody can read; they are skipped')
  for (const event of past) apply(event)

  function apply(event: OrderEvent): void {
    const { order: reference } = event
    const order = orders.get(reference)
    if (event.event === 'placed') {
      const { amount, title } = event
      orders.set(reference, { reference, amount, title, paymentIds: [], timesPacked: 0 })
      const [oldest] = orders.keys()
      if (orders.size > mostOrders && oldest !== undefined) orders.delete(oldest)
    } else if (order === undefined) {
      // An order that was let go of, because there are newer ones.
    } else if (event.event === 'payment') {
      orders.set(reference, { ...order, paymentIds: [...order.paymentIds, event.payment] })
      paymentIds.unshift(event.payment)
      paymentIds.length = Math.min(paymentIds.length, mostListed)
    } else {
      orders.set(reference, { ...order, timesPacked: order.timesPacked + 1 })
    }
  }

  /** The payment stands already, so a disk that is full must not make it look as if it did not. */
  function applyAndWrite(event: OrderEvent): void {
    apply(event)
    try {
      write(event)
    } catch (cause) {
      logger.error({ order: event.order, cause }, 'an order could not be written down; a restart will forget this step')
    }
  }

  const now = () => new Date().toISOString()

  return {
    place({ reference, amount, title }) {
      if (orders.has(reference)) return
      const event: OrderEvent = { event: 'placed', order: reference, at: now(), amount, title }
      write(event)
      apply(event)
    },
    addPayment(reference, payment) {
      const order = orders.get(reference)
      if (order === undefined || order.paymentIds.includes(payment)) return
      applyAndWrite({ event: 'payment', order: reference, at: now(), payment })
    },
    pack(reference) {
      if (orders.has(reference)) applyAndWrite({ event: 'packed', order: reference, at: now() })
    },
    find: reference => orders.get(reference) ?? null,
    unpacked: () => [...orders.values()].filter(({ timesPacked }) => timesPacked === 0),
    recentPaymentIds: () => [...paymentIds],
  }
}
