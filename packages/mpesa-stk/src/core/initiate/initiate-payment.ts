import type { AuditEntry, AuditEvent } from '../audit/audit-entry.ts'
import type { ResolvedConfig } from '../config.ts'
import { MpesaStkError } from '../errors.ts'
import { createPaymentId } from '../payment/payment-id.ts'
import type { Clock, Daraja, Digest, Logger, PaymentRecord, PushOutcome, Random, Store, Transition } from '../ports.ts'
import { pendingPayment } from '../settle/decide-settlement.ts'
import { callbackUrlWithToken, createCallbackToken } from './callback-token.ts'
import { type Initiation, type InitiationState, mayBecome } from './initiation.ts'
import { createIntent, differences, type PaymentRequest } from './intent.ts'

export type InitiatePorts = {
  readonly store: Store
  readonly daraja: Daraja
  readonly clock: Clock
  readonly random: Random
  readonly digest: Digest
  readonly logger: Logger
}

/** Where an initiation came to rest. `accepted` records have their payment; `refused` and `unknown` ones may not. */
export type InitiationResult = {
  readonly record: PaymentRecord
  /** True when this call made the push, so that what waited for its ids can be applied now. */
  readonly pushed: boolean
}

/** Room for the answer to be read and stored after the request's own deadline. */
const sendMarginMs = 15_000
/** How often to look again while another process waits for its push to be answered. */
const watchEveryMs = 150

/**
 * Takes a request to a known outcome with at most one HTTP request, whatever crashes: the intent is stored first, only
 * the winner of `reserved → sent` may push, and a `sent` whose owner did not come back in time is `unknown`, never
 * pushed again.
 */
export async function initiatePayment(
  ports: InitiatePorts,
  config: ResolvedConfig,
  request: PaymentRequest,
): Promise<InitiationResult> {
  const { store, clock, random } = ports
  const reservedAt = clock.now()
  const intent = createIntent(request, config, createPaymentId(reservedAt, random(16)), reservedAt)
  const reserved = await store.reserveInitiation(intent, {
    ...entryFor(intent.paymentId, 'initiation.reserved', reservedAt, null, 'reserved'),
    evidence: { amount: intent.amount, transactionType: intent.transactionType },
  })
  if (reserved.outcome === 'exists') {
    const different = differences(reserved.record.initiation, intent)
    if (different.length > 0) {
      throw new MpesaStkError(
        'MPESA_STK_IDEMPOTENCY_KEY_REUSED',
        `this idempotencyKey was used before with another ${different.join(', ')}; a new intent to be paid needs a new key`,
      )
    }
  }

  let { record } = reserved
  for (;;) {
    const { initiation } = record
    switch (initiation.state) {
      case 'accepted':
      case 'refused':
      case 'unknown':
        return { record, pushed: false }
      case 'reserved': {
        const authorised = await ports.daraja.authorise()
        if (authorised.outcome === 'refused') {
          const outcome = await store.commitTransition(conclude(record, authorised, clock.now()))
          record = outcome.outcome === 'taken' ? record : outcome.record
          break
        }
        const token = config.callbackToken === 'path' ? createCallbackToken(random(24)) : null
        const claim = await store.commitTransition(claimSend(ports, config, record, token))
        if (claim.outcome === 'committed') return await push(ports, config, claim.record, token)
        record = claim.outcome === 'conflict' ? claim.record : record
        break
      }
      case 'sent': {
        const remainingMs = (initiation.sendDeadlineAt?.getTime() ?? 0) - clock.now().getTime()
        if (remainingMs > 0) {
          await clock.sleep(Math.min(watchEveryMs, remainingMs))
          record = (await store.findPayment({ paymentId: initiation.paymentId })) ?? record
          break
        }
        const lost = {
          outcome: 'unknown',
          code: 'SENDER_DIED',
          message: 'no answer was stored',
          httpStatus: null,
        } as const
        const outcome = await store.commitTransition(conclude(record, lost, clock.now()))
        record = outcome.outcome === 'taken' ? record : outcome.record
        break
      }
    }
  }
}

async function push(
  ports: InitiatePorts,
  config: ResolvedConfig,
  sent: PaymentRecord,
  token: string | null,
): Promise<InitiationResult> {
  const { clock, daraja, logger } = ports
  const callbackUrl = token === null ? config.callbackUrl : callbackUrlWithToken(config.callbackUrl, token)
  const outcome = await daraja.push({ ...sent.initiation, callbackUrl })
  const record = await storeAnswer(ports, sent, outcome)
  if (record !== null) return { record, pushed: true }
  // The answer is known to us and to nobody else. Reporting a failure here would invite a second prompt.
  logger.error(
    { paymentId: sent.initiation.paymentId, outcome: outcome.outcome },
    'the answer to a push could not be stored; the payment is unknown until a callback with its token or a person resolves it',
  )
  const unstored = {
    outcome: 'unknown',
    code: 'ANSWER_NOT_STORED',
    message: 'the store failed',
    httpStatus: null,
  } as const
  return { record: { ...sent, initiation: concluded(sent.initiation, unstored, clock.now()) }, pushed: true }
}

/** A CheckoutRequestID cannot be looked up at Safaricom afterwards [documented by omission], so storing it is retried. */
const storeAgainAfterMs = [100, 500, 2_000]

async function storeAnswer(
  ports: InitiatePorts,
  sent: PaymentRecord,
  outcome: PushOutcome,
): Promise<PaymentRecord | null> {
  for (const delayMs of [...storeAgainAfterMs, null]) {
    try {
      return await storeAnswerOnce(ports, sent, outcome)
    } catch (cause) {
      ports.logger.warn({ paymentId: sent.initiation.paymentId, cause }, 'storing the answer to a push failed')
      if (delayMs !== null) await ports.clock.sleep(delayMs)
    }
  }
  return null
}

async function storeAnswerOnce(
  { store, clock }: InitiatePorts,
  sent: PaymentRecord,
  outcome: PushOutcome,
): Promise<PaymentRecord> {
  let record = sent
  let answer = outcome
  for (;;) {
    // A callback with the token was faster, or another process gave this sender up for dead.
    if (!mayBecome(record.initiation.state, answer.outcome)) return record
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
}

function claimSend(
  { clock, digest }: InitiatePorts,
  config: ResolvedConfig,
  { initiation }: PaymentRecord,
  token: string | null,
): Transition {
  const at = clock.now()
  return {
    paymentId: initiation.paymentId,
    expected: { initiationState: 'reserved', paymentVersion: null },
    initiation: {
      ...initiation,
      state: 'sent',
      tokenHash: token === null ? null : digest(token),
      sendDeadlineAt: new Date(at.getTime() + config.timeoutMs + sendMarginMs),
    },
    payment: null,
    entry: {
      ...entryFor(initiation.paymentId, 'initiation.sent', at, 'reserved', 'sent'),
      evidence: { token: token !== null },
    },
  }
}

const eventOfOutcome = {
  accepted: 'initiation.accepted',
  refused: 'initiation.refused',
  unknown: 'initiation.unknown',
} as const satisfies Record<PushOutcome['outcome'], AuditEvent>

function conclude({ initiation }: PaymentRecord, answer: PushOutcome, at: Date): Transition {
  const { paymentId, state } = initiation
  return {
    paymentId,
    expected: { initiationState: state, paymentVersion: null },
    initiation: concluded(initiation, answer, at),
    payment:
      answer.outcome === 'accepted'
        ? pendingPayment(initiation, answer.checkoutRequestId, answer.merchantRequestId)
        : null,
    entry: {
      ...entryFor(paymentId, eventOfOutcome[answer.outcome], at, state, answer.outcome),
      cause: 'push-answer',
      evidence: answer.outcome === 'accepted' ? {} : { code: answer.code, httpStatus: answer.httpStatus },
    },
  }
}

function concluded(initiation: Initiation, answer: PushOutcome, at: Date): Initiation {
  const isAccepted = answer.outcome === 'accepted'
  return {
    ...initiation,
    state: answer.outcome,
    concludedAt: at,
    answerCode: isAccepted ? null : answer.code,
    answerMessage: isAccepted ? null : answer.message,
  }
}

function entryFor(
  paymentId: string,
  event: AuditEvent,
  at: Date,
  before: InitiationState | null,
  after: InitiationState,
): AuditEntry {
  return { paymentId, at, event, cause: 'initiate', before, after, evidence: {} }
}
