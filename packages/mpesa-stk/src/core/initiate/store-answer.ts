import type { Clock, Logger, PaymentRecord, PushOutcome, Store } from '../ports.ts'
import { mayBecome } from './initiation.ts'
import { conclude, concluded } from './initiation-steps.ts'

type StoreAnswerPorts = { readonly store: Store; readonly clock: Clock; readonly logger: Logger }

/** A CheckoutRequestID cannot be looked up at Safaricom afterwards [documented by omission], so storing it is retried. */
const againAfterMs = [100, 500, 2_000]

/**
 * Stores what a push came to, and returns the record as it then stands. When the store does not come back, the answer is
 * known to us and to nobody else: the record returned says `unknown`, because a failure would invite a second prompt.
 */
export async function storeAnswer(
  ports: StoreAnswerPorts,
  sent: PaymentRecord,
  answer: PushOutcome,
): Promise<PaymentRecord> {
  const { clock, logger } = ports
  const { paymentId } = sent.initiation
  for (const delayMs of [...againAfterMs, null]) {
    try {
      return await storeOnce(ports, sent, answer)
    } catch (cause) {
      logger.warn({ paymentId, cause }, 'storing the answer to a push failed')
      if (delayMs !== null) await clock.sleep(delayMs)
    }
  }
  logger.error(
    { paymentId, outcome: answer.outcome },
    'the answer to a push could not be stored; the payment is unknown until a callback with its token or a person resolves it',
  )
  const unstored = {
    outcome: 'unknown',
    code: 'ANSWER_NOT_STORED',
    message: 'the store failed',
    httpStatus: null,
  } as const
  return { ...sent, initiation: concluded(sent.initiation, unstored, clock.now()) }
}

async function storeOnce(
  { store, clock, logger }: StoreAnswerPorts,
  sent: PaymentRecord,
  heard: PushOutcome,
): Promise<PaymentRecord> {
  let record = sent
  let answer = heard
  // A callback with the token was faster, or another process gave this sender up for dead: then less is left to say.
  while (mayBecome(record.initiation.state, answer.outcome)) {
    const committed = await store.commitTransition(conclude(record, answer, clock.now()))
    if (committed.outcome === 'committed') return committed.record
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
    logger.error(
      { paymentId: record.initiation.paymentId },
      'the answer to a push and its callback name different CheckoutRequestIDs; the callback was believed',
    )
  }
  return record
}
