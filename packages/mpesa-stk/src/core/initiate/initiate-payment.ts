import type { ResolvedConfig } from '../config.ts'
import { MpesaStkError } from '../errors.ts'
import { createPaymentId } from '../payment/payment-id.ts'
import type { Clock, Daraja, Digest, Logger, PaymentRecord, Random, Store, Transition } from '../ports.ts'
import { callbackUrlWithToken, createCallbackToken } from './callback-token.ts'
import { claimSend, conclude, reservedEntry } from './initiation-steps.ts'
import { createIntent, differences, type PaymentRequest } from './intent.ts'
import { storeAnswer } from './store-answer.ts'

export type InitiatePorts = {
  readonly store: Store
  readonly daraja: Daraja
  readonly clock: Clock
  readonly random: Random
  readonly digest: Digest
  readonly logger: Logger
}

/** Room for the answer to be read and stored after the request's own deadline. */
const sendMarginMs = 15_000
/** How often to look again while another process waits for its push to be answered. */
const watchEveryMs = 150

/**
 * Takes a request to a known outcome with at most one push, whatever crashes: the intent is stored first, only the
 * winner of `reserved → sent` may push, and a `sent` whose owner did not come back in time is `unknown`, never pushed
 * again. The record returned is `accepted`, `refused` or `unknown`.
 */
export async function initiatePayment(
  ports: InitiatePorts,
  config: ResolvedConfig,
  request: PaymentRequest,
): Promise<PaymentRecord> {
  const { store, clock, random } = ports
  const reservedAt = clock.now()
  const intent = createIntent(request, config, createPaymentId(reservedAt, random(16)), reservedAt)
  const reserved = await store.reserveInitiation(intent, reservedEntry(intent))
  const different = differences(reserved.record.initiation, intent)
  if (different.length > 0) {
    throw new MpesaStkError(
      'MPESA_STK_IDEMPOTENCY_KEY_REUSED',
      `this idempotencyKey was used before with another ${different.join(', ')}; a new intent to be paid needs a new key`,
    )
  }
  let { record } = reserved
  while (record.initiation.state === 'reserved' || record.initiation.state === 'sent') {
    record = record.initiation.state === 'reserved' ? await send(ports, config, record) : await watch(ports, record)
  }
  return record
}

/** Pushes, if nobody else was first. */
async function send(ports: InitiatePorts, config: ResolvedConfig, record: PaymentRecord): Promise<PaymentRecord> {
  const { store, daraja, clock, random, digest } = ports
  const authorised = await daraja.authorise()
  if (authorised.outcome === 'refused') return commitOrSee(store, record, conclude(record, authorised, clock.now()))
  const token = config.callbackToken === 'path' ? createCallbackToken(random(24)) : null
  const at = clock.now()
  const claim = await store.commitTransition(
    claimSend(record, {
      at,
      sendDeadlineAt: new Date(at.getTime() + config.timeoutMs + sendMarginMs),
      tokenHash: token === null ? null : digest(token),
    }),
  )
  if (claim.outcome !== 'committed') return claim.outcome === 'conflict' ? claim.record : record
  const callbackUrl = token === null ? config.callbackUrl : callbackUrlWithToken(config.callbackUrl, token)
  return storeAnswer(ports, claim.record, await daraja.push({ ...claim.record.initiation, callbackUrl }))
}

/** Waits a moment for the process that pushes, or gives it up for dead when its time is over. */
async function watch({ store, clock }: InitiatePorts, record: PaymentRecord): Promise<PaymentRecord> {
  const { paymentId, sendDeadlineAt } = record.initiation
  const remainingMs = (sendDeadlineAt?.getTime() ?? 0) - clock.now().getTime()
  if (remainingMs > 0) {
    await clock.sleep(Math.min(watchEveryMs, remainingMs))
    return (await store.findPayment({ paymentId })) ?? record
  }
  const lost = { outcome: 'unknown', code: 'SENDER_DIED', message: 'no answer was stored', httpStatus: null } as const
  return commitOrSee(store, record, conclude(record, lost, clock.now()))
}

/** Commits a step, or returns what stands now because somebody else took one first. */
async function commitOrSee(store: Store, record: PaymentRecord, transition: Transition): Promise<PaymentRecord> {
  const outcome = await store.commitTransition(transition)
  return outcome.outcome === 'taken' ? record : outcome.record
}
