import type { ResolvedConfig } from '../config.ts'
import { MpesaStkError } from '../errors.ts'
import type { Daraja, PaymentRecord, PushOutcome } from '../ports.ts'
import { markSettlement, type SettlePorts } from '../settle/settle-payment.ts'
import { sha256 } from '../sha256.ts'
import { createTimeOrderedId } from '../time-ordered-id.ts'
import { callbackUrlWithToken, createCallbackToken } from './callback-token.ts'
import { claimSend, conclude, reservedEntry } from './initiation-steps.ts'
import { createIntent, differences, type PaymentRequest } from './intent.ts'
import { type StoredAnswer, storeAnswer } from './store-answer.ts'

export type InitiatePorts = SettlePorts & { readonly daraja: Daraja }

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
): Promise<StoredAnswer> {
  const { store, clock, random } = ports
  const mark = markSettlement(ports)
  const intent = createIntent(request, config, createTimeOrderedId(mark.at, random(16)), mark.at)
  const reserved = await store.reserveInitiation(intent, reservedEntry(intent, mark))
  const different = differences(reserved.record.initiation, intent)
  if (different.length > 0) {
    throw new MpesaStkError(
      'MPESA_STK_IDEMPOTENCY_KEY_REUSED',
      `this idempotencyKey was used before with another ${different.join(', ')}; a new intent to be paid needs a new key`,
    )
  }
  // By what we waited ourselves: the deadline was written by another clock, which may be a day ahead of ours.
  let patienceMs = config.timeoutMs + sendMarginMs
  let current: StoredAnswer = { record: reserved.record, parked: [] }
  for (;;) {
    const { initiation } = current.record
    switch (initiation.state) {
      case 'accepted':
      case 'refused':
      case 'unknown':
        return current
      case 'reserved':
        current = await send(ports, config, current.record)
        break
      case 'sent': {
        const remainingMs = Math.min(patienceMs, (initiation.sendDeadlineAt?.getTime() ?? 0) - clock.now().getTime())
        if (remainingMs <= 0) {
          current = await take(ports, config, current.record, senderDied)
          break
        }
        const sleepMs = Math.min(watchEveryMs, remainingMs)
        await clock.sleep(sleepMs)
        patienceMs -= sleepMs
        const { paymentId } = initiation
        current = { record: (await store.findPayment({ paymentId })) ?? current.record, parked: [] }
        break
      }
    }
  }
}

const senderDied = {
  outcome: 'unknown',
  code: 'SENDER_DIED',
  message: 'no answer was stored',
  httpStatus: null,
} as const satisfies PushOutcome

const neverSent = {
  outcome: 'refused',
  code: 'NOT_SENT',
  message: 'the right to push was confirmed too late',
  httpStatus: null,
} as const satisfies PushOutcome

/** Pushes, if nobody else was first. */
async function send(ports: InitiatePorts, config: ResolvedConfig, record: PaymentRecord): Promise<StoredAnswer> {
  const { store, daraja, clock, random } = ports
  const authorised = await daraja.authorise()
  if (authorised.outcome === 'refused') return take(ports, config, record, authorised)
  const token = config.callbackToken === 'path' ? createCallbackToken(random(24)) : null
  const claim = await store.commitTransition(
    claimSend(record, markSettlement(ports), {
      sendDeadlineAt: new Date(clock.now().getTime() + config.timeoutMs + sendMarginMs),
      tokenHash: token === null ? null : sha256(token),
    }),
  )
  if (claim.outcome === 'conflict') return { record: claim.record, parked: [] }
  if (claim.outcome === 'taken') throw new Error('a step without a payment found its ids taken')
  // Its acknowledgement came so late that somebody gave us up meanwhile, and told so: the push provably never left.
  if (claim.record.initiation.state !== 'sent') return take(ports, config, claim.record, neverSent)
  const callbackUrl = token === null ? config.callbackUrl : callbackUrlWithToken(config.callbackUrl, token)
  const answer = await daraja.push({ ...claim.record.initiation, callbackUrl })
  return storeAnswer(ports, claim.record, answer, config.pollIntervalMs)
}

/** Commits what is known without an answer, or shows what stands because somebody else took a step first. */
async function take(
  ports: InitiatePorts,
  { pollIntervalMs }: ResolvedConfig,
  record: PaymentRecord,
  outcome: PushOutcome,
): Promise<StoredAnswer> {
  const transition = conclude(record, outcome, markSettlement(ports), pollIntervalMs)
  const committed = await ports.store.commitTransition(transition)
  return { record: committed.outcome === 'taken' ? record : committed.record, parked: [] }
}
