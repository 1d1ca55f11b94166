import type { AuditEvidence } from '../audit/audit-entry.ts'
import { readAmount } from '../payment/amount.ts'
import type { SettledStatus } from '../payment/payment.ts'
import { statusOfCallbackCode } from '../payment/result-code.ts'
import type { PaymentRecord } from '../ports.ts'
import type { CallbackEvidence } from '../receive/callback-evidence.ts'
import { parseCallback } from '../receive/parse-callback.ts'
import { claimOfCallback } from '../settle/claim.ts'
import { type ContradictionReason, decideSettlement } from '../settle/decide-settlement.ts'
import { decideAndCommit, keepDisbelieved, markSettlement, type SettlePorts } from '../settle/settle-payment.ts'

/** Callbacks of one payment that are judged at once; each may be 256 KiB. */
export const judgedAtOnce = 100

/** How a payment ended, from who knows. A callback that says anything else is not believed, for the reason `otherwise`. */
type KnownEnd = {
  readonly status: SettledStatus
  /** A callback with another code says something else: its code and its words may be a stranger's. */
  readonly resultCode: string | null
  readonly otherwise: ContradictionReason
  readonly evidence: AuditEvidence
}

/**
 * Applies the callbacks that waited and say what is known now, because only a callback has the receipt, and keeps the others
 * as contradictions. Where several receipts are named, some are forged and no query can tell which: then the payment gets
 * none until a person says which is true.
 */
export async function judgeUnconfirmed(
  ports: SettlePorts,
  found: PaymentRecord,
  { status, resultCode, otherwise, evidence }: KnownEnd,
  unconfirmed: readonly CallbackEvidence[],
): Promise<PaymentRecord> {
  let record = found
  const isDisputed = record.payment?.mpesaReceiptNumber == null && (await areReceiptsMany(ports, record, unconfirmed))
  for (const callback of unconfirmed) {
    const parsed = parseCallback(callback.body)
    const confirmed = parsed.kind === 'stk' ? claimOfCallback(parsed, callback.digest, evidence) : null
    if (confirmed?.status !== status || confirmed.resultCode !== resultCode) {
      await disbelieve(ports, record, callback, otherwise)
      continue
    }
    if (isDisputed && confirmed.receipt !== null) {
      await disbelieve(ports, record, callback, 'receipt-differs')
      continue
    }
    const result = await decideAndCommit(ports, record, (current, mark) => {
      const decision = decideSettlement(current, confirmed, mark)
      return decision.decision === 'move'
        ? { step: 'commit', transition: { ...decision.transition, callback } }
        : { step: 'leave', decision }
    })
    record = result.record
    if (result.outcome === 'moved') continue
    const { decision } = result
    const { paymentId } = record.initiation
    if (decision.decision === 'contradict') await disbelieve(ports, record, callback, decision.reason)
    else await ports.store.recordCallback({ callback, disposition: 'repeat', paymentId })
  }
  return record
}

/**
 * Whether callbacks that say paid, with the right amount, name more than one receipt. Those that were not believed count:
 * a crash, or the next page of a flood, must not make the last one that is left the only one there ever was.
 */
async function areReceiptsMany(
  { store }: SettlePorts,
  { initiation }: PaymentRecord,
  unconfirmed: readonly CallbackEvidence[],
): Promise<boolean> {
  const receipts = new Set<string>()
  const look = (callbacks: readonly CallbackEvidence[]): void => {
    for (const { body } of callbacks) {
      const parsed = parseCallback(body)
      if (parsed.kind !== 'stk' || parsed.receipt === null) continue
      const isPaid = statusOfCallbackCode(parsed.resultCode) === 'SUCCESS'
      if (isPaid && readAmount(parsed.amount) === initiation.amount) receipts.add(parsed.receipt)
    }
  }
  look(unconfirmed)
  for (let offset = 0; receipts.size < 2; offset += judgedAtOnce) {
    const page = await store.listCallbacks(initiation.paymentId, 'contradiction', judgedAtOnce, offset)
    look(page)
    if (page.length < judgedAtOnce) break
  }
  return receipts.size > 1
}

/** Keeps a callback that waited, and is not believed. */
export function disbelieve(
  ports: SettlePorts,
  record: PaymentRecord,
  callback: CallbackEvidence,
  reason: ContradictionReason,
): Promise<void> {
  const parsed = parseCallback(callback.body)
  return keepDisbelieved(ports, record, callback, markSettlement(ports), {
    disposition: 'contradiction',
    reason,
    claimed: parsed.kind === 'stk' ? statusOfCallbackCode(parsed.resultCode) : null,
  })
}
