import { createBoundedList } from './bounded-list.ts'
import type { StkPush } from './stk-push-request.ts'
import { isOpen, type LiveTransaction } from './transaction.ts'

/** Transactions kept in memory; older ones are forgotten and a query for them answers "Invalid CheckoutRequestID". */
const rememberedTransactions = 10_000

/** Every accepted push, found by id or by phone. */
export interface TransactionBook {
  add(transaction: LiveTransaction): void
  find(checkoutRequestId: string): LiveTransaction | undefined
  all(): readonly LiveTransaction[]
  /** Newest last. */
  onPhone(msisdn: string): readonly LiveTransaction[]
  clear(): void
}

export function createTransactionBook(): TransactionBook {
  const byId = new Map<string, LiveTransaction>()
  const byPhone = new Map<string, LiveTransaction[]>()
  const list = createBoundedList<LiveTransaction>(rememberedTransactions, old => {
    byId.delete(old.checkoutRequestId)
    const rest = (byPhone.get(old.msisdn) ?? []).filter(other => other !== old)
    if (rest.length > 0) byPhone.set(old.msisdn, rest)
    else byPhone.delete(old.msisdn)
  })
  return {
    add(transaction) {
      byId.set(transaction.checkoutRequestId, transaction)
      const samePhone = byPhone.get(transaction.msisdn) ?? []
      samePhone.push(transaction)
      byPhone.set(transaction.msisdn, samePhone)
      list.push(transaction)
    },
    find: checkoutRequestId => byId.get(checkoutRequestId),
    all: list.all,
    onPhone: msisdn => byPhone.get(msisdn) ?? [],
    clear() {
      list.clear()
      byId.clear()
      byPhone.clear()
    },
  }
}

/** A phone can hold one session: true while a payment on it has no result and its prompt could still be showing. */
export function hasLiveSession(book: TransactionBook, msisdn: string, nowMs: number, promptTimeoutMs: number): boolean {
  return book
    .onPhone(msisdn)
    .some(transaction => isOpen(transaction) && nowMs - transaction.acceptedAtMs < promptTimeoutMs)
}

const twoMinutesMs = 120_000

/** Result 17: the same amount from the same customer within two minutes. A failed payment moved nothing, so it does not count. */
export function breaksTwoMinuteRule(book: TransactionBook, push: StkPush, nowMs: number): boolean {
  return book
    .onPhone(push.msisdn)
    .some(
      earlier =>
        earlier.state !== 'failed' && earlier.amount === push.amount && nowMs - earlier.acceptedAtMs < twoMinutesMs,
    )
}
