import { createPaymentView, type PaymentEvent, type PaymentView, reducePayment } from 'mpesa-stk-client'

/**
 * What a cashier sees of a payment. `paid`: the shop has checked it. `till`: paid to the till by the customer himself, which
 * no library started: its receipt is compared. `says-paid` and `says-not`: a callback's word alone.
 */
export type TillState = 'waiting' | 'says-paid' | 'paid' | 'till' | 'says-not' | 'failed' | 'none'

/** `unsure`: nobody answered, and the customer may still have paid. It is never counted as not paid. */
export type TillGroup = 'paid' | 'waiting' | 'unsure' | 'failed'

export type TillRow = {
  /** Stays the same, whatever names the payment is given. */
  readonly key: number
  readonly view: PaymentView
  readonly state: TillState
  readonly group: TillGroup
  /** When it was first heard of. ISO 8601. */
  readonly firstAt: string
  readonly lastAt: string
  /** News of it came while this screen was cut off. */
  readonly isMissed: boolean
}

export type TillDay = {
  /** Newest first. */
  readonly rows: readonly TillRow[]
  readonly paidShillings: number
  readonly counts: Readonly<Record<TillGroup, number>>
  readonly missed: number
}

export type TillBook = {
  /** Takes an event, in any number of copies. The row that it changed, or null. */
  take(event: PaymentEvent, isMissed: boolean): TillRow | null
  /** The payments that a day in Nairobi, `2026-11-24`, had the last news of. */
  day(name: string): TillDay
  /** Somebody has looked at what was missed. */
  markSeen(): void
  /** Lets go of payments of which nothing was heard since that day began. */
  forgetBefore(name: string): void
}

type Heard = { readonly event: PaymentEvent; readonly order: number }

type Entry = { readonly key: number; readonly names: Set<string>; readonly heard: Heard[]; row: TillRow }

const groups: Readonly<Record<TillState, TillGroup>> = {
  waiting: 'waiting',
  'says-paid': 'waiting',
  'says-not': 'waiting',
  paid: 'paid',
  till: 'paid',
  failed: 'failed',
  none: 'unsure',
}

const calendar = new Intl.DateTimeFormat('en-CA', { timeZone: 'Africa/Nairobi', dateStyle: 'short' })

/** The day of M-PESA, whatever the zone of the screen. */
export const nairobiDay = (at: string | number): string => calendar.format(new Date(at))

/**
 * One row for each payment, whatever tells of it. A callback that came before its payment was reported went by an opaque name,
 * which the report tells (`formerPaymentId`); and a payment to the till is often told of twice, as STK and as C2B, with one
 * receipt. What belongs together becomes one row, which is read anew from all of its events.
 */
export function createTillBook(): TillBook {
  const entries = new Map<number, Entry>()
  const byName = new Map<string, Entry>()
  const seen = new Set<string>()
  let lastKey = 0

  function join(names: readonly string[]): Entry | null {
    const found = [...new Set(names.flatMap(name => byName.get(name) ?? []))].sort((one, other) => one.key - other.key)
    const [first = null, ...more] = found
    for (const other of more) {
      first?.heard.push(...other.heard)
      for (const name of other.names) first?.names.add(name)
      entries.delete(other.key)
    }
    return first
  }

  /** Two payments that the shop knows apart stay two, whatever receipt somebody posts for both. */
  function mayShare(receipt: string, ids: readonly string[]): boolean {
    const all = new Set([
      ...(byName.get(receipt)?.names ?? []),
      ...ids.flatMap(id => [...(byName.get(id)?.names ?? [id])]),
    ])
    return [...all].filter(name => name.startsWith('id ') && !name.startsWith('id h_')).length <= 1
  }

  return {
    take(event, isMissed) {
      if (seen.has(event.id)) return null
      seen.add(event.id)
      const { paymentId, formerPaymentId, MpesaReceiptNumber } = event
      const names = [`id ${paymentId}`, ...(formerPaymentId === undefined ? [] : [`id ${formerPaymentId}`])]
      const receipt = `receipt ${MpesaReceiptNumber}`
      if (MpesaReceiptNumber !== undefined && mayShare(receipt, names)) names.push(receipt)
      const known = join(names)
      const key = known?.key ?? ++lastKey
      const heard = [...(known?.heard ?? []), { event, order: seen.size }].sort((one, other) => one.order - other.order)
      const row = readRow(key, heard, isMissed || known?.row.isMissed === true)
      const entry: Entry = { key, names: new Set([...(known?.names ?? []), ...names]), heard, row }
      entries.set(key, entry)
      for (const name of entry.names) byName.set(name, entry)
      return row
    },
    day(name) {
      const rows = [...entries.values()].map(({ row }) => row).filter(({ lastAt }) => nairobiDay(lastAt) === name)
      rows.sort((one, other) =>
        one.firstAt < other.firstAt ? 1 : one.firstAt > other.firstAt ? -1 : other.key - one.key,
      )
      const counts = { paid: 0, waiting: 0, unsure: 0, failed: 0 }
      let paidShillings = 0
      for (const { group, view } of rows) {
        counts[group] += 1
        if (group === 'paid') paidShillings += view.amount ?? 0
      }
      return { rows, paidShillings, counts, missed: rows.filter(({ isMissed }) => isMissed).length }
    },
    markSeen() {
      for (const entry of entries.values()) entry.row = { ...entry.row, isMissed: false }
    },
    forgetBefore(name) {
      for (const { key, names, row } of [...entries.values()]) {
        if (nairobiDay(row.lastAt) >= name) continue
        entries.delete(key)
        for (const each of names) byName.delete(each)
      }
    },
  }
}

function readRow(key: number, heard: readonly Heard[], isMissed: boolean): TillRow {
  const events = heard.map(({ event }) => event)
  const [first] = events
  const view = events.reduce(reducePayment, createPaymentView(first?.paymentId ?? ''))
  const state = stateOf(view, events)
  const firstAt = first?.at ?? ''
  return { key, view, state, group: groups[state], firstAt, lastAt: view.lastEventAt ?? firstAt, isMissed }
}

function stateOf({ status, isConfirmed }: PaymentView, events: readonly PaymentEvent[]): TillState {
  if (status === 'PENDING') return 'waiting'
  const isPaid = status === 'SUCCESS'
  if (!isConfirmed) {
    if (isPaid && events.every(({ kind }) => kind === 'c2b')) return 'till'
    return isPaid ? 'says-paid' : 'says-not'
  }
  if (isPaid) return 'paid'
  return status === 'TIMEOUT' ? 'none' : 'failed'
}
