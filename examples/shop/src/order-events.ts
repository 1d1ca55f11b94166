import { appendFileSync, existsSync, readFileSync, truncateSync } from 'node:fs'

/** What happened to an order. No phone number: that is in the store, with the payment. */
export type OrderEvent =
  | {
      readonly event: 'placed'
      readonly order: string
      /** ISO 8601. */
      readonly at: string
      readonly amount: number
      readonly title: { readonly en: string; readonly sw: string }
    }
  | { readonly event: 'payment'; readonly order: string; readonly at: string; readonly payment: string }
  | { readonly event: 'packed'; readonly order: string; readonly at: string }

/** Where events are kept, in order. */
export type OrderEvents = {
  /** Those of earlier runs. */
  readonly past: readonly OrderEvent[]
  /** How many lines nobody can read: not a torn last one, which is expected. */
  readonly unreadable: number
  /** Returns when it is on the disk. */
  write(event: OrderEvent): void
}

/** Events that end with the process, for tests. */
export function rememberOrderEvents(): OrderEvents {
  return { past: [], unreadable: 0, write: () => {} }
}

/**
 * One JSON line per event. Only the process that has `shop.db` open writes here, so nothing has to be locked. A process
 * that dies while it writes leaves half a line at the end; it was never acted upon, so it is cut off.
 */
export function openOrderEvents(path: string): OrderEvents {
  const bytes = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
  const whole = bytes.subarray(0, bytes.lastIndexOf('\n') + 1)
  if (whole.length < bytes.length) truncateSync(path, whole.length)
  const lines = whole
    .toString()
    .split('\n')
    .filter(line => line !== '')
  const past = lines.map(readEvent).filter(event => event !== null)
  let isTorn = false
  return {
    past,
    unreadable: lines.length - past.length,
    write(event) {
      // After a write that failed, half a line may stand at the end. This one must not grow out of it.
      const line = `${isTorn ? '\n' : ''}${JSON.stringify(event)}\n`
      isTorn = true
      appendFileSync(path, line, { mode: 0o600, flush: true })
      isTorn = false
    },
  }
}

function readEvent(line: string): OrderEvent | null {
  try {
    const event: unknown = JSON.parse(line)
    return isOrderEvent(event) ? event : null
  } catch {
    return null
  }
}

function isOrderEvent(value: unknown): value is OrderEvent {
  if (typeof value !== 'object' || value === null) return false
  const { event, order, at, amount, title, payment } = value as Record<string, unknown>
  if (typeof order !== 'string' || typeof at !== 'string') return false
  if (event === 'packed') return true
  if (event === 'payment') return typeof payment === 'string'
  if (event !== 'placed' || typeof amount !== 'number' || typeof title !== 'object' || title === null) return false
  const { en, sw } = title as Record<string, unknown>
  return typeof en === 'string' && typeof sw === 'string'
}
