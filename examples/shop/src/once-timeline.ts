import { maskMsisdn, type RecordedAuditEntry } from 'mpesa-stk'
import type { Transaction } from 'mpesa-stk-simulator'
import type { HeardCallback } from './once-listener.ts'
import { type RelayedEvent, tellRelayed } from './once-relayed.ts'
import { type TimelineRow, tellTrail } from './timeline.ts'

type Row = Omit<TimelineRow, 'sinceStartMs'>

/** Everything that was seen of one payment from all sides, in order of time. */
export function tellWholeStory(seen: {
  /** Of each payment. */
  readonly trails: readonly (readonly RecordedAuditEntry[])[]
  readonly transactions: readonly Transaction[]
  readonly relayed: readonly RelayedEvent[]
  readonly heard: readonly HeardCallback[]
  readonly notes: readonly Row[]
}): readonly TimelineRow[] {
  const rows = [
    ...seen.trails.flatMap(tellTrail),
    ...seen.transactions.flatMap(tellTransaction),
    ...seen.relayed.flatMap(tellRelayed),
    ...seen.heard.flatMap(tellCallback),
    ...seen.notes,
  ]
  const startMs = Math.min(...rows.map(({ at }) => Date.parse(at)))
  // Times are whole milliseconds, and several steps fit into one: then what caused the other comes first.
  return rows
    .map(row => ({ ...row, sinceStartMs: Date.parse(row.at) - startMs }))
    .sort((one, other) => one.sinceStartMs - other.sinceStartMs || rank(one) - rank(other))
}

function tellTransaction(transaction: Transaction): Row[] {
  const { acceptedAt, acknowledgement, settledAt, resultCode, resultDesc, receipt, callbackAttempts } = transaction
  const answer = acknowledgement === 'lost' ? ', and its answer is lost on the way' : ''
  const rows: Row[] = [
    {
      at: acceptedAt,
      by: 'safaricom',
      step: 'Queues the prompt',
      evidence: `on ${maskMsisdn(transaction.msisdn)}${answer}`,
    },
  ]
  if (settledAt !== undefined) {
    const evidence = receipt === undefined ? `result ${resultCode}: ${resultDesc}` : `money moved, receipt ${receipt}`
    rows.push({ at: settledAt, by: 'safaricom', step: 'Has the result', evidence })
    if (transaction.callbackLost)
      rows.push({ at: settledAt, by: 'safaricom', step: 'Callback', evidence: 'lost, never sent' })
  }
  const copies = Math.max(0, ...callbackAttempts.map(({ copy }) => copy))
  for (const { startedAt, copy, httpStatus, durationMs, error } of callbackAttempts) {
    const which = copies > 1 ? `copy ${copy} of ${copies}, ` : ''
    const answered = httpStatus === undefined ? `no answer: ${error}` : `answered ${httpStatus} after ${durationMs} ms`
    rows.push({ at: startedAt, by: 'safaricom', step: 'Posts the callback', evidence: `${which}${answered}` })
  }
  return rows
}

const outcomeWords: Readonly<Record<string, readonly [step: string, evidence: string]>> = {
  repeat: ['Callback absorbed', 'it says what is known; nothing changes'],
  parked: ['Callback parked', 'its payment is not known yet'],
  'in-progress': ['Callback noted', 'M-PESA is still working on it'],
  unrecognised: ['Callback kept', 'it is not an STK callback'],
}

/** Only those that the audit trail does not tell of. */
function tellCallback({ at, outcome }: HeardCallback): Row[] {
  const told = outcomeWords[outcome]
  return told === undefined ? [] : [{ at, by: 'shop', step: told[0], evidence: told[1] }]
}

const order = [
  'Pays again',
  'Intent stored',
  'Push sent',
  'Queues the prompt',
  'Push',
  'Outcome',
  'Goes down',
  'Enters',
  'Has the result',
  'Posts',
  'Callback stored',
  'Is back',
  'Delivers',
]

function rank({ step }: Row): number {
  const place = order.findIndex(start => step.startsWith(start))
  return place === -1 ? order.length : place
}
