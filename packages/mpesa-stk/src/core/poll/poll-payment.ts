import type { DueWork, WorkOutcome } from '../due/due-work.ts'
import type { Daraja, QueryOutcome } from '../ports.ts'
import { claimOfQuery, claimOfWaiting } from '../settle/claim.ts'
import { type SettlePorts, settlePayment } from '../settle/settle-payment.ts'
import { disbelieve, judgedAtOnce, judgeUnconfirmed } from './judge-unconfirmed.ts'
import { isThrottled, queryInTurn } from './paced-query.ts'
import { maxVainTries, type PollSettings, pollDelayMs } from './poll-schedule.ts'

export type PollPorts = SettlePorts & { readonly daraja: Daraja }

/** What a poll came to. `not-now`: it is not our turn to query, for so long. */
export type PollOutcome = WorkOutcome | { readonly outcome: 'not-now'; readonly waitMs: number }

const done = { outcome: 'done' } as const

/**
 * One query about one payment, if it still needs one: it waits for an end, or a callback of it waits to be confirmed.
 * Only a final code that the catalogue knows ends it, or the end of patience: then it is `TIMEOUT`.
 */
export async function pollPayment(
  ports: PollPorts,
  settings: PollSettings & { readonly shortCode: string },
  work: DueWork,
): Promise<PollOutcome> {
  const { store, logger } = ports
  const record = await store.findPayment({ paymentId: work.paymentId })
  if (record?.payment == null) return done
  const { initiation, payment } = record
  const unconfirmed = await store.listCallbacks(work.paymentId, 'unconfirmed', judgedAtOnce)
  if (payment.status !== 'PENDING' && unconfirmed.length === 0) return done
  // The rest of a flood is judged next time: the true callback may be among them.
  const isAll = unconfirmed.length < judgedAtOnce
  const end: PollOutcome = isAll
    ? done
    : { outcome: 'again', delayMs: settings.pollIntervalMs, isAttempt: false, error: null }
  if (payment.status === 'SUCCESS') {
    const word = { status: 'SUCCESS', resultCode: '0', otherwise: 'other-status', evidence: {} } as const
    await judgeUnconfirmed(ports, record, word, unconfirmed)
    return end
  }
  const shortCode = initiation.shortCode || settings.shortCode
  const { checkoutRequestId } = payment
  const answer = await queryInTurn(ports, settings.queriesPerMinute, { shortCode, checkoutRequestId })
  if (answer.outcome === 'not-now') return answer
  const answers = work.attempts + (isAnswer(answer) ? 1 : 0)
  const claim = answer.outcome === 'settled' ? claimOfQuery(answer.resultCode, answer.resultDesc, answers) : null
  if (claim !== null) {
    const evidence = { ...claim.evidence, confirmedBy: 'query' }
    const { status, resultCode } = claim
    const word = { status, resultCode, otherwise: 'query-says-otherwise', evidence } as const
    const judged = await judgeUnconfirmed(ports, record, word, unconfirmed)
    await settlePayment(ports, judged, claim)
    return end
  }
  if (answer.outcome === 'indeterminate') {
    const { reason, code, httpStatus } = answer
    logger.warn({ paymentId: work.paymentId, reason, code, httpStatus }, 'a query told nothing about its payment')
  }
  const isVain = !isAnswer(answer) && !isThrottled(answer)
  const vainTries = work.vainTries + (isVain ? 1 : 0)
  if (isThrottled(answer) || (answers < settings.maxPollAttempts && vainTries < maxVainTries)) {
    const delayMs = pollDelayMs(answers + vainTries, settings.pollIntervalMs)
    return { outcome: 'again', delayMs, isAttempt: isAnswer(answer), isVain, error: null }
  }
  for (const callback of unconfirmed) await disbelieve(ports, record, callback, 'never-confirmed')
  if (payment.status === 'PENDING') await settlePayment(ports, record, claimOfWaiting(answers))
  return end
}

/** Only an answer about the payment counts as an attempt: not a rate limit, a firewall's page or a dead network. */
function isAnswer(answer: QueryOutcome): boolean {
  return answer.outcome !== 'indeterminate' || answer.reason === 'unclear'
}
