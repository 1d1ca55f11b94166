import { type AuditEvidence, type ResolutionSource, resolutionSources } from '../audit/audit-entry.ts'
import { MpesaStkError } from '../errors.ts'
import { readText } from '../explain/read-answer.ts'
import { readReceipt } from '../payment/receipt.ts'
import type { PaymentRecord } from '../ports.ts'
import type { Claim } from '../settle/claim.ts'
import type { ContradictionReason } from '../settle/decide-settlement.ts'
import { markSettlement, type SettlePorts, settlePayment } from '../settle/settle-payment.ts'

/** What somebody found out about a payment, and how. */
export type Resolution = {
  readonly paymentId: string
  /**
   * How it ended. `REFUSED` is for a push of unknown outcome of which it is proven that nobody was charged: it frees the
   * idempotency key, so the next call with it prompts again.
   */
  readonly status: 'SUCCESS' | 'FAILED' | 'CANCELLED' | 'EXPIRED' | 'REFUSED'
  /**
   * A person, or where the money was seen: a C2B confirmation, a Pull transaction or a line of a statement. These three
   * prove a success only with its `receipt` and exact `amount`.
   */
  readonly source: ResolutionSource
  /** Who says so, as your system knows them (a user id). Kept in the audit trail for ever: no name, no phone number. */
  readonly by: string
  /** Why, in a sentence. Kept for ever too; at most 300 characters. */
  readonly note?: string
  /** The M-PESA receipt of a success. */
  readonly receipt?: string
  /** Whole Kenya shillings, as the evidence has it. Must be what was asked for. */
  readonly amount?: number
  /**
   * Let a person change what is settled otherwise: FAILED to SUCCESS, or one receipt to another. Default false: then it is a
   * contradiction. Not the amount, and not a push that was refused: its key may have prompted again.
   */
  readonly overrule?: boolean
}

/** What a resolution came to. `contradiction` changed nothing, and is on the trail and raised as a discrepancy. */
export type ResolutionResult =
  | { readonly outcome: 'resolved' | 'repeat'; readonly record: PaymentRecord }
  | { readonly outcome: 'contradiction'; readonly record: PaymentRecord; readonly reason: ContradictionReason }

/**
 * Resolves a payment by evidence from outside, through the same compare-and-set as everything else.
 *
 * @throws MpesaStkError `MPESA_STK_PAYMENT_NOT_FOUND`, `MPESA_STK_RESOLUTION_INVALID`
 */
export async function resolvePayment(ports: SettlePorts, resolution: Resolution): Promise<ResolutionResult> {
  const evidence = checked(resolution)
  const record = await ports.store.findPayment({ paymentId: resolution.paymentId })
  if (record === null) {
    throw new MpesaStkError('MPESA_STK_PAYMENT_NOT_FOUND', `there is no payment ${readText(resolution.paymentId)}`)
  }
  const { state } = record.initiation
  if (record.payment === null && state === 'reserved') {
    throw invalid('this push was never sent, so there is nothing to resolve: call initiatePayment with its key again')
  }
  if (record.payment === null && state === 'sent' && !isOverdue(record, ports.clock.now())) {
    throw invalid('this push is still under way; wait for its answer')
  }
  if (resolution.status === 'REFUSED') return refuse(ports, record, resolution, evidence)
  return outcomeOf(await settlePayment(ports, record, claimOf(resolution, resolution.status, evidence)))
}

function outcomeOf(settled: Awaited<ReturnType<typeof settlePayment>>): ResolutionResult {
  return settled.outcome === 'settled' ? { outcome: 'resolved', record: settled.record } : settled
}

/** Only a push whose outcome is unknown can turn out refused. */
async function refuse(
  ports: SettlePorts,
  record: PaymentRecord,
  { source }: Resolution,
  evidence: AuditEvidence,
): Promise<ResolutionResult> {
  const { initiation, payment } = record
  const { paymentId, state } = initiation
  if (state === 'refused') return { outcome: 'repeat', record }
  if (payment !== null) {
    throw invalid(`this push was accepted and is ${payment.status}; say FAILED or CANCELLED instead of REFUSED`)
  }
  const { entryId, at } = markSettlement(ports)
  const committed = await ports.store.commitTransition({
    paymentId,
    expected: { initiationState: state, paymentVersion: null },
    initiation: {
      ...initiation,
      state: 'refused',
      concludedAt: at,
      answerCode: 'RESOLVED_REFUSED',
      answerMessage: `resolved by ${source}`,
    },
    payment: null,
    entry: {
      id: entryId,
      paymentId,
      at,
      event: 'initiation.refused',
      cause: source,
      before: state,
      after: 'refused',
      evidence,
    },
  })
  if (committed.outcome === 'committed') return { outcome: 'resolved', record: committed.record }
  throw invalid('the payment changed while it was resolved; look at it again')
}

function claimOf(
  resolution: Resolution,
  status: Exclude<Resolution['status'], 'REFUSED'>,
  evidence: AuditEvidence,
): Claim {
  const { source, amount, receipt, note, overrule = false } = resolution
  return {
    cause: source,
    status,
    checkoutRequestId: null,
    merchantRequestId: null,
    resultCode: null,
    resultDesc: readText(note) || `resolved by ${source}`,
    amount,
    receipt: receipt === undefined ? null : readReceipt(receipt),
    needsAmount: source !== 'operator',
    weight: overrule ? 'overrules' : 'claims',
    evidence,
  }
}

/** The facts for the trail, once the resolution makes sense. */
function checked(resolution: Resolution): AuditEvidence {
  const { status, source, by, note, receipt, overrule } = resolution
  if (!resolutionSources.includes(source)) throw invalid(`source must be one of ${resolutionSources.join(', ')}`)
  if (!resolvableStatuses.includes(status)) throw invalid(`status must be one of ${resolvableStatuses.join(', ')}`)
  if (typeof by !== 'string' || readText(by).trim() === '') throw invalid('by must say who resolves it, e.g. a user id')
  if (receipt !== undefined && readReceipt(receipt) === null) throw invalid('receipt is not an M-PESA receipt number')
  if (status !== 'SUCCESS' && receipt !== undefined) throw invalid('only a SUCCESS has a receipt')
  if (source !== 'operator' && status === 'SUCCESS' && receipt === undefined) {
    throw invalid(`a SUCCESS by ${source} needs the receipt that was seen there`)
  }
  if (source !== 'operator' && status !== 'SUCCESS') {
    throw invalid(`${source} can only show that money came; that none came is for a person to say (source: 'operator')`)
  }
  if (source !== 'operator' && resolution.amount === undefined) {
    throw invalid(`a SUCCESS by ${source} needs the amount that was seen there`)
  }
  if (overrule === true && source !== 'operator') throw invalid("only a person may overrule: say source: 'operator'")
  return {
    by: readText(by),
    ...(note !== undefined && { note: readText(note) }),
    ...(overrule === true && { overrule }),
  }
}

const resolvableStatuses: readonly Resolution['status'][] = ['SUCCESS', 'FAILED', 'CANCELLED', 'EXPIRED', 'REFUSED']

function isOverdue({ initiation }: PaymentRecord, at: Date): boolean {
  return initiation.sendDeadlineAt !== null && initiation.sendDeadlineAt <= at
}

function invalid(message: string): MpesaStkError {
  return new MpesaStkError('MPESA_STK_RESOLUTION_INVALID', message)
}
