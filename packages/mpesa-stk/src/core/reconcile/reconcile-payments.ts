import type { Payment } from '../payment/payment.ts'
import { isStandIn } from '../payment/request-id.ts'
import { isThrottled, queryInTurn } from '../poll/paced-query.ts'
import type { PollPorts } from '../poll/poll-payment.ts'
import type { Lease, PaymentRecord, ReconciliationOpened } from '../ports.ts'
import { noteEntry } from '../settle/discrepancy.ts'
import { noteOnTrail } from '../settle/settle-payment.ts'
import { createTimeOrderedId } from '../time-ordered-id.ts'
import { type Comparison, compareWithDaraja } from './compare-with-daraja.ts'
import type {
  ReconciliationMismatch,
  ReconciliationProgress,
  ReconciliationRange,
  ReconciliationResult,
} from './reconciliation.ts'

const pageSize = 100
/** How often a payment is asked about again when Daraja throttles us, before it is skipped. */
const maxThrottled = 5
/** Whoever works on a range says so at least this often; longer than one query may take. */
const leaseMarginMs = 60_000
/** The longest sleep before we say that we are still here. */
const longestSleepMs = 10_000
/** Customers wait for polls and nobody for us: whoever polls looks for a turn every second, and gets it first. */
const pollsFirstMs = 1_100
/** But not for ever: a shop that is always busy must be reconciled too. */
const longestGraceMs = 120_000
/** How often to look at somebody else's progress. */
const watchEveryMs = 1_000

/** Somebody took the range over while we were asking: his work counts. */
class TakenOver extends Error {}

/** What a reconciliation needs of the configuration. */
type ReconcileSettings = { readonly queriesPerMinute: number; readonly timeoutMs: number }

/**
 * Asks Daraja about every payment of a range and tells where the two differ, in every status and both directions. Changes
 * no payment. How far it came is stored after each payment: after a crash the same range goes on where it stood, and two
 * who reconcile the same range at once share one run.
 */
export async function reconcilePayments(
  ports: PollPorts,
  settings: ReconcileSettings,
  range: ReconciliationRange,
): Promise<ReconciliationResult> {
  const { store, clock, random } = ports
  const leaseId = createTimeOrderedId(clock.now(), random(16))
  const lease = (): Lease => ({ leaseId, at: clock.now(), leaseMs: settings.timeoutMs + leaseMarginMs })
  let awaitedRun: number | null = null
  for (;;) {
    const opened: ReconciliationOpened = await store.openReconciliation(range, awaitedRun, lease())
    if (opened.outcome === 'done') return resultOf(store, opened.progress)
    if (opened.outcome === 'busy') {
      awaitedRun ??= opened.run
      await clock.sleep(watchEveryMs)
      continue
    }
    let last = opened.progress
    try {
      return await work(ports, settings, range, opened.progress, async progress => {
        last = progress
        if (!(await store.saveReconciliation(range, progress, lease()))) throw new TakenOver()
      })
    } catch (error) {
      if (error instanceof TakenOver) continue
      // Whoever tries again need not wait for our lease to run out.
      await store.saveReconciliation(range, last, { ...lease(), leaseMs: 0 }).catch(() => undefined)
      throw error
    }
  }
}

type Save = (progress: ReconciliationProgress) => Promise<void>

async function work(
  ports: PollPorts,
  settings: ReconcileSettings,
  range: ReconciliationRange,
  begun: ReconciliationProgress,
  save: Save,
): Promise<ReconciliationResult> {
  let progress = begun
  for (;;) {
    const page = await ports.store.listPayments({ ...range, after: progress.after }, pageSize)
    for (const payment of page) {
      const { comparison, compared } = await compare(ports, settings, range.shortCode, payment, () => save(progress))
      if (comparison.comparison === 'mismatch') await raise(ports, compared, comparison.mpesaStatus)
      progress = advance(progress, compared, comparison)
      await save(progress)
    }
    if (page.length < pageSize) break
  }
  progress = { ...progress, isDone: true }
  await save(progress)
  return resultOf(ports.store, progress)
}

/** Compares a payment as it stands when the answer is there: a page may be old by the time of its last payment. */
async function compare(
  ports: PollPorts,
  settings: ReconcileSettings,
  shortCode: string,
  payment: Payment,
  stillHere: () => Promise<void>,
): Promise<{ readonly comparison: Comparison; readonly compared: Payment }> {
  const { store, clock } = ports
  const { checkoutRequestId } = payment
  const skipped = { comparison: { comparison: 'skipped' }, compared: payment } as const
  // Of a push whose answer was lost and which a person resolved: there is nothing to ask about.
  if (isStandIn(checkoutRequestId)) return skipped
  const since = clock.now().getTime()
  for (let throttled = 0; throttled < maxThrottled; ) {
    const answer = await queryInTurn(ports, settings.queriesPerMinute, { shortCode, checkoutRequestId })
    if (answer.outcome === 'not-now') {
      const isPatient = clock.now().getTime() - since < longestGraceMs
      const graceMs = isPatient ? Math.min(answer.waitMs, pollsFirstMs) : 0
      await clock.sleep(Math.min(answer.waitMs + graceMs, longestSleepMs))
      await stillHere()
    } else if (isThrottled(answer)) {
      throttled++
    } else {
      const compared = (await store.findPayment({ paymentId: payment.id }))?.payment ?? payment
      return { comparison: compareWithDaraja(compared, answer, clock.now()), compared }
    }
  }
  return skipped
}

/**
 * Puts a mismatch on the payment's trail and raises it: once for a state of the payment and an answer, however often the
 * range is reconciled. It is left out when the payment has moved since it was listed.
 */
async function raise(ports: PollPorts, payment: Payment, mpesaStatus: string): Promise<void> {
  const { store, clock } = ports
  const record: PaymentRecord | null = await store.findPayment({ paymentId: payment.id })
  if (record?.payment?.version !== payment.version) return
  const entryId = `mismatch:${payment.id}:${payment.version}:${mpesaStatus}`
  const mark = { entryId, at: clock.now() }
  await noteOnTrail(ports, record, noteEntry(record, 'reconcile.mismatch', 'reconcile', mark, { claimed: mpesaStatus }))
}

function advance(progress: ReconciliationProgress, payment: Payment, comparison: Comparison): ReconciliationProgress {
  const after = { initiatedAt: payment.initiatedAt, paymentId: payment.id }
  switch (comparison.comparison) {
    case 'matched':
      return { ...progress, after, checked: progress.checked + 1, matched: progress.matched + 1 }
    case 'skipped':
      return { ...progress, after, skipped: progress.skipped + 1 }
    case 'mismatch': {
      const { id: paymentId, status: storedStatus, amount } = payment
      const mismatch = { paymentId, storedStatus, mpesaStatus: comparison.mpesaStatus, amount }
      return { ...progress, after, checked: progress.checked + 1, mismatches: [...progress.mismatches, mismatch] }
    }
  }
}

async function resultOf(
  store: PollPorts['store'],
  { checked, matched, skipped, mismatches: kept }: ReconciliationProgress,
): Promise<ReconciliationResult> {
  const mismatches: ReconciliationMismatch[] = []
  for (const mismatch of kept) {
    const { paymentId } = mismatch
    const checkoutRequestId = (await store.findPayment({ paymentId }))?.payment?.checkoutRequestId ?? ''
    mismatches.push({ ...mismatch, checkoutRequestId })
  }
  return { checked, matched, skipped, mismatches }
}
