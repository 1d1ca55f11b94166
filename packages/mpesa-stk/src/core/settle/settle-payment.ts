import type { AuditEvidence } from '../audit/audit-entry.ts'
import type { Fingerprint } from '../audit/fingerprint.ts'
import { MpesaStkError } from '../errors.ts'
import { pollId } from '../poll/poll-schedule.ts'
import type { Clock, Logger, PaymentRecord, Random, Store, Transition } from '../ports.ts'
import type { CallbackEvidence } from '../receive/callback-evidence.ts'
import { createTimeOrderedId } from '../time-ordered-id.ts'
import type { Claim } from './claim.ts'
import {
  type ContradictionReason,
  decideSettlement,
  type SettlementDecision,
  type SettlementMark,
} from './decide-settlement.ts'
import { discrepancyWork, noteEntry } from './discrepancy.ts'

/** What settling needs, whoever brings the claim. */
export type SettlePorts = {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly fingerprint: Fingerprint
  readonly confirmSuccess: 'never' | 'query'
}

/** What a claim came to. `record` is what stands now. */
export type SettlementOutcome =
  | { readonly outcome: 'settled'; readonly record: PaymentRecord }
  | { readonly outcome: 'repeat'; readonly record: PaymentRecord }
  | { readonly outcome: 'contradiction'; readonly record: PaymentRecord; readonly reason: ContradictionReason }

/** Each lost race shows a newer record, and a payment has only a handful of moves: more than these is a broken store. */
const maxAttempts = 10

export function markSettlement({ clock, random, fingerprint }: SettlePorts): SettlementMark {
  const at = clock.now()
  return { entryId: createTimeOrderedId(at, random(16)), at, fingerprint }
}

type Contradiction = Extract<SettlementDecision, { readonly decision: 'contradict' }>

/** What to do about a record: take a step, or leave it for the reason that was found. */
export type Step<Reason> =
  | { readonly step: 'commit'; readonly transition: Transition }
  | { readonly step: 'leave'; readonly decision: Reason }

/**
 * Decides and commits until a step is taken or none is needed: a lost race shows what stands now, and that is decided upon
 * anew.
 *
 * @throws MpesaStkError `MPESA_STK_STORE_CONTENDED`
 */
export async function decideAndCommit<Reason>(
  ports: SettlePorts,
  found: PaymentRecord,
  decide: (record: PaymentRecord, mark: SettlementMark) => Step<Reason>,
): Promise<
  | { readonly outcome: 'moved'; readonly record: PaymentRecord }
  | { readonly outcome: 'left'; readonly record: PaymentRecord; readonly decision: Reason | Contradiction }
> {
  let record = found
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const decided = decide(record, markSettlement(ports))
    if (decided.step === 'leave') return { outcome: 'left', record, decision: decided.decision }
    const committed = await ports.store.commitTransition(decided.transition)
    if (committed.outcome === 'committed') return { outcome: 'moved', record: committed.record }
    if (committed.outcome === 'taken') {
      const reason = committed.field === 'receipt' ? 'receipt-seen-before' : 'checkout-request-id-seen-before'
      return { outcome: 'left', record, decision: { decision: 'contradict', reason } }
    }
    record = committed.record
  }
  throw contended(found)
}

function contended({ initiation }: PaymentRecord): MpesaStkError {
  return new MpesaStkError(
    'MPESA_STK_STORE_CONTENDED',
    `payment ${initiation.paymentId} changed ${maxAttempts} times while one step was taken; try again`,
  )
}

/** Settles a payment by a claim that is no callback: it goes into the trail, and so does what it contradicts. */
export async function settlePayment(
  ports: SettlePorts,
  found: PaymentRecord,
  claim: Claim,
): Promise<SettlementOutcome> {
  const result = await decideAndCommit(ports, found, (record, mark) => {
    const decision = decideSettlement(record, claim, mark)
    return decision.decision === 'move'
      ? { step: 'commit', transition: endingPoll(decision.transition) }
      : { step: 'leave', decision }
  })
  if (result.outcome === 'moved') return { outcome: 'settled', record: result.record }
  const { record, decision } = result
  if (decision.decision !== 'contradict') return { outcome: 'repeat', record }
  const { reason } = decision
  await noteDiscrepancy(ports, record, claim.cause, { reason, claimed: claim.status, ...claim.evidence })
  return { outcome: 'contradiction', record, reason }
}

/** A payment that is settled needs no poll, unless a callback of it waits for one. */
export function endingPoll(transition: Transition): Transition {
  return { ...transition, endsWork: [pollId(transition.paymentId)] }
}

/** Puts a contradiction on the trail of a payment and raises it, without changing anything else. */
async function noteDiscrepancy(
  ports: SettlePorts,
  record: PaymentRecord,
  cause: Claim['cause'],
  evidence: AuditEvidence,
): Promise<void> {
  const mark = markSettlement(ports)
  await noteOnTrail(ports, record, noteEntry(record, 'evidence.contradiction', cause, mark, evidence))
}

/**
 * Writes a line and its discrepancy beside a record that stays as it is. Should somebody move the payment meanwhile, the
 * line still tells what was seen when it was written.
 *
 * @throws MpesaStkError `MPESA_STK_STORE_CONTENDED`
 */
export async function noteOnTrail(
  { store }: Pick<SettlePorts, 'store'>,
  found: PaymentRecord,
  entry: Transition['entry'],
): Promise<void> {
  let record = found
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const { initiation, payment } = record
    const noted = await store.commitTransition({
      paymentId: initiation.paymentId,
      expected: { initiationState: initiation.state, paymentVersion: payment?.version ?? null },
      initiation,
      payment,
      entry,
      work: [discrepancyWork(entry)],
    })
    if (noted.outcome === 'committed') return
    if (noted.outcome === 'taken') throw new Error('a step that changes no payment found its ids taken')
    record = noted.record
  }
  throw contended(found)
}

/** Keeps a callback that was not believed, once on the payment's own trail. A contradiction is raised as a discrepancy. */
export async function keepDisbelieved(
  { store }: Pick<SettlePorts, 'store'>,
  record: PaymentRecord,
  callback: CallbackEvidence,
  mark: { readonly entryId: string; readonly at: Date },
  verdict: {
    readonly disposition: 'contradiction' | 'refused'
    readonly reason: string
    readonly claimed: string | null
  },
): Promise<void> {
  const { disposition, reason, claimed } = verdict
  const evidence = { reason, claimed, callback: callback.digest }
  const entry = noteEntry(record, `callback.${disposition}`, 'callback', mark, evidence)
  await store.recordCallback({
    callback,
    disposition,
    paymentId: record.initiation.paymentId,
    entry,
    ...(disposition === 'contradiction' && { entryWork: [discrepancyWork(entry)] }),
  })
}
