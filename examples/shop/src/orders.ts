import type { Checkout } from './checkout-request.ts'

/** An order of this session. */
export type Order = {
  readonly reference: string
  readonly amount: number
  readonly title: { readonly en: string; readonly sw: string }
  readonly paymentIds: readonly string[]
  /** How often it was packed: paid orders once, all others never. */
  readonly timesPacked: number
}

/**
 * The orders of this session, in memory: they are gone when the demo stops, while the payments stay in the store. The
 * library has no list of payments yet, so this is also how the page knows which ones are recent. A real shop keeps
 * orders in its own database and reads the store at its start for payments that settled while it was down.
 */
export type Orders = {
  /** Writes an order down, before anything is asked of M-PESA. The same reference again is the same order. */
  place(checkout: Checkout): void
  addPayment(reference: string, paymentId: string): void
  pack(reference: string): void
  find(reference: string): Order | null
  /** Newest first. */
  recentPaymentIds(): readonly string[]
}

const mostOrders = 200
const mostListed = 20

export function createOrders(): Orders {
  const orders = new Map<string, Order>()
  const paymentIds: string[] = []

  return {
    place({ reference, amount, title }) {
      if (orders.has(reference)) return
      orders.set(reference, { reference, amount, title, paymentIds: [], timesPacked: 0 })
      const [oldest] = orders.keys()
      if (orders.size > mostOrders && oldest !== undefined) orders.delete(oldest)
    },
    addPayment(reference, paymentId) {
      const order = orders.get(reference)
      if (order === undefined || order.paymentIds.includes(paymentId)) return
      orders.set(reference, { ...order, paymentIds: [...order.paymentIds, paymentId] })
      paymentIds.unshift(paymentId)
      paymentIds.length = Math.min(paymentIds.length, mostListed)
    },
    pack(reference) {
      const order = orders.get(reference)
      if (order !== undefined) orders.set(reference, { ...order, timesPacked: order.timesPacked + 1 })
    },
    find: reference => orders.get(reference) ?? null,
    recentPaymentIds: () => [...paymentIds],
  }
}
