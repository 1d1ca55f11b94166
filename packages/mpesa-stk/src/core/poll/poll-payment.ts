import type { DueWork, WorkOutcome } from '../due/due-work.ts'
import type { Daraja, PaymentRecord, QueryOutcome } from '../ports.ts'
import type { CallbackEvidence } from '../receive/callback-evidence.ts'
import { parseCallback } from '../receive/parse-callback.ts'
import { type Claim, claimOfCallback, claimOfQuery, claimOfWaiting } from '../settle/claim.ts'
import { type ContradictionReason, decideSettlement } from '../settle/decide-settlement.ts'
import {
  decideAndCommit,
  keepDisbelieved,
  markSettlement,
  type SettlePorts,
  settlePayment,
} from '../settle/settle-payment.ts'
import { queryInTurn } from './paced-query.ts'
import { type PollSettings, pollAgeBoundMs, pollDelayMs } from './poll-schedule.ts'

export type PollPorts = SettlePorts & { readonly daraja: Daraja }

/** What a poll came to. `not-now`: it is not our turn to query, for so long. */
export type PollOutcome = WorkOutcome | { readonly outcome: 'not-now'; readonly waitMs: number }

const done = { outcome: 'done' } as const

/** Callbacks of one payment that are judged at once; each may be 256 KiB. */
const maxUnconfirmed = 100

/**
 * One query about one payment, if it still needs one: it waits for an end, or a callback of it waits to be confirmed.
 * Only a final code that the catalogue knows ends it, or the end of patience: then it is `TIMEOUT`.
 */
export async function pollPayment(
  ports: PollPorts,
  settings: PollSettings & { readonly shortCode: string },
  work: DueWork,
): Promise<PollOutcome> {
  const { store, clock, logger } = ports
  const record = await store.findPayment({ paymentId: work.paymentId })
  if (record?.payment == null) return done
  const { initiation, payment } = record
  const unconfirmed = await store.listUnconfirmed(work.paymentId, maxUnconfirmed)
  if (payment.status !== 'PENDING' && unconfirmed.length === 0) return done
  const shortCode = initiation.shortCode || settings.shortCode
  const { checkoutRequestId } = payment
  const answer = await queryInTurn(ports, settings.queriesPerMinute, { shortCode, checkoutRequestId })
  if (answer.outcome === 'not-now') return answer
  const answers = work.attempts + (isAnswer(answer) ? 1 : 0)
  if (answer.outcome === 'settled') {
    const claim = claimOfQuery(answer.resultCode, answer.resultDesc, answers)
    if (claim !== null) {
      await settleAsAsked(ports, record, claim, unconfirmed)
      // A flood of forged successes: the rest of them is judged by the next query.
      const isAll = unconfirmed.length < maxUnconfirmed
      return isAll ? done : { outcome: 'again', delayMs: settings.pollIntervalMs, isAttempt: false, error: null }
    }
  }
  if (answer.outcome === 'indeterminate') {
    const { reason, code, httpStatus } = answer
    logger.warn({ paymentId: work.paymentId, reason, code, httpStatus }, 'a query told nothing about its payment')
  }
  const waitingSince = unconfirmed[0]?.receivedAt ?? payment.initiatedAt
  const ageMs = clock.now().getTime() - waitingSince.getTime()
  if (answers < settings.maxPollAttempts && ageMs < pollAgeBoundMs(settings)) {
    const delayMs = pollDelayMs(answers, settings.pollIntervalMs)
    return { outcome: 'again', delayMs, isAttempt: isAnswer(answer), error: null }
  }
  for (const callback of unconfirmed) await disbelieve(ports, record, callback, 'never-confirmed')
  if (payment.status === 'PENDING') await settlePayment(ports, record, claimOfWaiting(answers))
  // The rest of a flood waits for the next query: the true callback may be among them.
  const isAll = unconfirmed.length < maxUnconfirmed
  return isAll ? done : { outcome: 'again', delayMs: settings.pollIntervalMs, isAttempt: false, error: null }
}

/** Only an answer about the payment counts as an attempt: not a rate limit, a firewall's page or a dead network. */
function isAnswer(answer: QueryOutcome): boolean {
  return answer.outcome !== 'indeterminate' || answer.reason === 'unclear'
}

/**
 * Settles a payment by Safaricom's final word. A callback that waited for it is applied in its stead where the two agree,
 * because it has the receipt, and kept as a contradiction where they do not. Where several wait that name different
 * receipts, some are forged and nobody can tell which: then the payment is settled without a receipt.
 */
async function settleAsAsked(
  ports: PollPorts,
  found: PaymentRecord,
  claim: Claim,
  unconfirmed: readonly CallbackEvidence[],
): Promise<void> {
  let record = found
  const read = unconfirmed.map(callback => ({ callback, parsed: parseCallback(callback.body) }))
  const named = read.map(({ parsed }) => (parsed.kind === 'stk' ? parsed.receipt : null))
  const receipts = new Set(named.filter(receipt => receipt !== null))
  for (const { callback, parsed } of read) {
    const confirmed =
      parsed.kind === 'stk'
        ? claimOfCallback(parsed, callback.digest, { ...claim.evidence, confirmedBy: 'query' })
        : null
    if (confirmed?.status !== claim.status) {
      await disbelieve(ports, record, callback, 'query-says-otherwise')
      continue
    }
    if (receipts.size > 1) {
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
  await settlePayment(ports, record, claim)
}

function disbelieve(
  ports: PollPorts,
  record: PaymentRecord,
  callback: CallbackEvidence,
  reason: ContradictionReason,
): Promise<void> {
  return keepDisbelieved(ports, record, callback, markSettlement(ports), { disposition: 'contradiction', reason })
}
