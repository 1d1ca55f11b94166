import type { LogEntry } from '../deliver/event-log.ts'
import { explain } from '../explain/explain.ts'
import { readText } from '../explain/read-answer.ts'
import { readAmount } from '../payment/amount.ts'
import type { PaymentStatus } from '../payment/payment.ts'
import { readReceipt } from '../payment/receipt.ts'
import { statusOfCallbackCode } from '../payment/result-code.ts'
import { callbackItems, readCallback } from '../receive/parse-callback.ts'
import { field, parseJson } from '../receive/read-json.ts'
import { paymentAlias } from './payment-alias.ts'
import type { PaymentReport } from './payment-report.ts'
import type { StreamEvent, StreamExplanation, StreamScope } from './stream-event.ts'
import type { StreamEntry } from './stream-storage.ts'

/**
 * An entry of a log as it is streamed: nothing for what no stream has, more than one event for a report that tells whose
 * earlier callbacks were. Never throws, whatever a body holds.
 */
export function projectEntry(entry: StreamEntry, scope: StreamScope, aliasKey: string): readonly StreamEvent[] {
  const { paymentId, earlier } = entry
  if (entry.event.kind === 'lifecycle') {
    const report = projectReport(entry, scope, aliasKey)
    const callbacks = earlier.map(each => projectCallback(each, paymentId, scope, aliasKey))
    return [report, ...callbacks].filter(event => event !== null)
  }
  const event = projectCallback(entry, paymentId, scope, aliasKey)
  return event === null ? [] : [event]
}

/** What every scope sees of an event. */
function common({ event }: LogEntry, paymentId: string) {
  return { id: event.id, at: event.receivedAt.toISOString(), paymentId, contradicts: event.contradicts }
}

function projectReport(entry: LogEntry, scope: StreamScope, aliasKey: string): StreamEvent | null {
  // As we wrote it, when it was recorded.
  const report = parseJson(entry.body ?? new Uint8Array()) as PaymentReport | undefined
  if (report === undefined) return null
  const { type, paymentId, checkoutRequestId, status, amount, receipt, resultCode } = report
  return {
    ...common(entry, paymentId),
    type,
    status,
    explanation: explainStatus(status, resultCode, ''),
    ...(amount !== null && { Amount: amount }),
    ...(receipt !== null && { MpesaReceiptNumber: receipt }),
    ...(resultCode !== null && { ResultCode: resultCode }),
    ...(checkoutRequestId !== null && { formerPaymentId: paymentAlias(aliasKey, checkoutRequestId) }),
    ...(isServer(scope) && checkoutRequestId !== null && { CheckoutRequestID: checkoutRequestId }),
  }
}

function projectCallback(
  entry: LogEntry,
  paymentId: string | null,
  scope: StreamScope,
  aliasKey: string,
): StreamEvent | null {
  const { kind, businessKey } = entry.event
  const base = { ...common(entry, paymentId ?? paymentAlias(aliasKey, businessKey)), type: 'mpesa_callback' as const }
  const json = parseJson(entry.body ?? new Uint8Array())
  if (kind === 'c2b') {
    return {
      ...base,
      kind,
      status: 'SUCCESS',
      explanation: null,
      ResultCode: '0',
      ...details(field(json, 'TransAmount'), field(json, 'TransID'), field(json, 'TransTime')),
      ...(scope === 'server-with-phone' && phone(field(json, 'MSISDN'))),
    }
  }
  const callback = readCallback(json)
  if (kind !== 'stk' || callback.kind !== 'stk') return null
  const { resultCode, resultDesc, checkoutRequestId, merchantRequestId } = callback
  const items = callbackItems(json)
  const status = statusOfCallbackCode(resultCode) ?? 'PENDING'
  return {
    ...base,
    kind,
    status,
    explanation: explainStatus(status, resultCode, resultDesc),
    ResultCode: resultCode,
    ResultDesc: resultDesc,
    ...details(callback.amount, callback.receipt, items.get('TransactionDate')),
    ...(isServer(scope) && checkoutRequestId !== null && { CheckoutRequestID: checkoutRequestId }),
    ...(scope !== 'browser' && merchantRequestId !== null && { MerchantRequestID: merchantRequestId }),
    ...(scope === 'server-with-phone' && phone(items.get('PhoneNumber'))),
  }
}

/** A CheckoutRequestID ends with the customer's number. [observed] Old pages match payments by MerchantRequestID. */
const isServer = (scope: StreamScope): boolean => scope === 'server' || scope === 'server-with-phone'

/** Each where it is what it should be: whoever found the hook can post anything, and it goes to a page. */
function details(amount: unknown, receipt: unknown, date: unknown) {
  const shillings = readAmount(amount)
  const number = readReceipt(receipt)
  const time = readText(typeof date === 'number' ? String(date) : date).slice(0, 30)
  return {
    ...(shillings !== null && { Amount: shillings }),
    ...(number !== null && { MpesaReceiptNumber: number }),
    ...(time !== '' && { TransactionDate: time }),
  }
}

/** As Safaricom wrote it: masked from 2026 on [documented], hashed in older C2B bodies [observed]. */
function phone(value: unknown): { readonly PhoneNumber?: string } {
  const text = typeof value === 'number' || typeof value === 'string' ? String(value).slice(0, 64) : ''
  return text === '' ? {} : { PhoneNumber: text }
}

/** For the customer; what the operator should do is not for a page. */
function explainStatus(status: PaymentStatus, resultCode: string | null, resultDesc: string): StreamExplanation | null {
  if (status === 'SUCCESS' || status === 'PENDING') return null
  // Without a code of Daraja it was the library that stopped waiting, or a person who resolved it.
  const code = resultCode ?? (status === 'TIMEOUT' ? 'NO_FINAL_ANSWER' : null)
  if (code === null) return null
  const { category, retryable, customer } = explain('stk-callback', code, resultDesc)
  return { code, category, retryable, customer }
}
