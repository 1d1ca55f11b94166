import { describeError } from '../errors.ts'
import { isStandIn } from '../payment/request-id.ts'
import type { PaymentRecord, PushOutcome } from '../ports.ts'
import type { CallbackEvidence } from '../receive/callback-evidence.ts'
import type { ContradictionReason } from '../settle/decide-settlement.ts'
import { noteEntry } from '../settle/discrepancy.ts'
import { markSettlement, noteOnTrail, type SettlePorts } from '../settle/settle-payment.ts'
import { mayBecome } from './initiation.ts'
import { conclude, concluded } from './initiation-steps.ts'

/** The record as it stands after a push was answered, and the callbacks that had come before the answer. */
export type StoredAnswer = { readonly record: PaymentRecord; readonly parked: readonly CallbackEvidence[] }

/**
 * Stores what a push came to. A CheckoutRequestID cannot be looked up at Safaricom afterwards [documented by omission],
 * so storing is tried again; when the store does not come back, the answer is known to us and to nobody else, and the
 * record returned says `unknown`, because a failure would invite a second prompt.
 */
export async function storeAnswer(
  ports: SettlePorts,
  sent: PaymentRecord,
  answer: PushOutcome,
  pollIntervalMs: number,
): Promise<StoredAnswer> {
  const { clock, logger } = ports
  try {
    return await storeWhatFits(ports, sent, answer, pollIntervalMs)
  } catch (cause) {
    logger.error(
      { paymentId: sent.initiation.paymentId, outcome: answer.outcome, error: describeError(cause) },
      'the answer to a push could not be stored; the payment is unknown until a callback with its token or a person resolves it',
    )
    const unstored = {
      outcome: 'unknown',
      code: 'ANSWER_NOT_STORED',
      message: 'the store failed',
      httpStatus: null,
    } as const
    return { record: { ...sent, initiation: concluded(sent.initiation, unstored, clock.now()) }, parked: [] }
  }
}

async function storeWhatFits(
  ports: SettlePorts,
  sent: PaymentRecord,
  heard: PushOutcome,
  pollIntervalMs: number,
): Promise<StoredAnswer> {
  const { store, logger } = ports
  let record = sent
  let answer = heard
  // A callback with the token was faster, or another process gave this sender up for dead: then less is left to say.
  while (mayBecome(record.initiation.state, answer.outcome)) {
    const committed = await store.commitTransition(conclude(record, answer, markSettlement(ports), pollIntervalMs))
    if (committed.outcome === 'committed') return committed
    if (committed.outcome === 'conflict') {
      record = committed.record
    } else {
      answer = {
        outcome: 'unknown',
        code: 'REQUEST_ID_TAKEN',
        message: 'Daraja answered with the CheckoutRequestID of another payment',
        httpStatus: 200,
      }
    }
  }
  if (answer.outcome === 'accepted' && record.payment?.checkoutRequestId !== answer.checkoutRequestId) {
    const named = await nameAtLast(ports, record, answer)
    if (named !== null) return named
    try {
      await raiseUnheard(ports, record, answer.checkoutRequestId)
    } catch (cause) {
      // What stands in the store is the answer all the same.
      const { paymentId } = record.initiation
      logger.error({ paymentId, error: describeError(cause) }, 'a late acceptance could not be put on the trail')
    }
    logger.error(
      { paymentId: record.initiation.paymentId, state: record.initiation.state },
      record.payment === null
        ? 'Daraja accepted a push that somebody resolved as REFUSED meanwhile: the customer was prompted'
        : 'the answer to a push and its callback name different CheckoutRequestIDs; the callback was believed',
    )
  }
  return { record, parked: [] }
}

/**
 * A payment that a person or a statement resolved before its push was answered gets its ids after all, and the callbacks that
 * were parked for them. Null where it has others, or there is no payment.
 */
async function nameAtLast(
  ports: SettlePorts,
  { initiation, payment }: PaymentRecord,
  { checkoutRequestId, merchantRequestId }: Extract<PushOutcome, { readonly outcome: 'accepted' }>,
): Promise<StoredAnswer | null> {
  if (payment === null || !isStandIn(payment.checkoutRequestId)) return null
  const { paymentId } = initiation
  const { entryId, at, fingerprint } = markSettlement(ports)
  const committed = await ports.store.commitTransition({
    paymentId,
    expected: { initiationState: initiation.state, paymentVersion: payment.version },
    initiation,
    payment: { ...payment, checkoutRequestId, merchantRequestId, version: payment.version + 1 },
    entry: {
      id: entryId,
      paymentId,
      at,
      event: 'initiation.accepted',
      cause: 'push-answer',
      before: payment.status,
      after: payment.status,
      evidence: { checkoutRequestId: fingerprint(checkoutRequestId) },
    },
  })
  return committed.outcome === 'committed' ? committed : null
}

/** An acceptance that came too late to be believed must not be known to the log alone. */
function raiseUnheard(ports: SettlePorts, record: PaymentRecord, checkoutRequestId: string): Promise<void> {
  const reason: ContradictionReason = record.payment === null ? 'push-was-refused' : 'other-checkout-request-id'
  const evidence = { reason, claimed: 'accepted', checkoutRequestId: ports.fingerprint(checkoutRequestId) }
  const mark = markSettlement(ports)
  return noteOnTrail(ports, record, noteEntry(record, 'evidence.contradiction', 'push-answer', mark, evidence))
}
