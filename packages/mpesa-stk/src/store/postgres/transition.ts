import { headOf, linkEntry, type TrailHead } from '../../core/audit/trail-chain.ts'
import type { PaymentRecord, Transition, TransitionOutcome } from '../../core/ports.ts'
import { insertEntry } from './audit.ts'
import { keepCallback, lockRequestIds, parkedFor, releaseCallback } from './callbacks.ts'
import { addWork, endWork } from './due-work.ts'
import { lockRecord } from './lock-record.ts'
import type { Queryable } from './pool.ts'
import { find, putPayment, putReceipt, updateInitiation } from './records.ts'
import { runTogether, type Statement } from './statement.ts'

/** One step of a payment, inside a transaction: a round trip costs more than what it asks for, so there are few. */
export async function commitTransition(client: Queryable, transition: Transition): Promise<TransitionOutcome> {
  const { paymentId, expected, initiation, payment, entry } = transition
  const { record, head, hasEntry } = await lockRecord(client, paymentId, entry.id)
  if (hasEntry) return { outcome: 'committed', record, parked: await parkedFor(client, record.payment) }
  if (
    record.initiation.state !== expected.initiationState ||
    (record.payment?.version ?? null) !== expected.paymentVersion
  ) {
    return { outcome: 'conflict', record }
  }
  const isNewId = payment !== null && record.payment?.checkoutRequestId !== payment.checkoutRequestId
  if (isNewId) {
    await lockRequestIds(client, payment)
    const other = await find(client, { checkoutRequestId: payment.checkoutRequestId })
    if (other !== null && other.initiation.paymentId !== paymentId)
      return { outcome: 'taken', field: 'checkoutRequestId' }
  }
  await runTogether(client, writesOf(transition, record.payment, head))
  return {
    outcome: 'committed',
    record: { initiation, payment },
    parked: isNewId ? await parkedFor(client, payment) : [],
  }
}

/** What a step writes, each row once. */
function writesOf(
  transition: Transition,
  before: PaymentRecord['payment'],
  head: TrailHead,
): [...Statement[], Statement] {
  const { paymentId, initiation, payment, callback, disposition = 'applied', work = [], endsWork = [] } = transition
  const linked = linkEntry(head, transition.entry)
  return [
    ...(payment === null ? [] : [...putReceipt(before, payment), putPayment(payment, callback)]),
    ...(callback === undefined
      ? []
      : [...releaseCallback(callback, disposition, paymentId), keepCallback(callback, disposition, paymentId)]),
    ...work.filter(({ id }) => !endsWork.includes(id)).map(addWork),
    ...(endsWork.length === 0 ? [] : [endWork(paymentId, endsWork)]),
    insertEntry(linked),
    updateInitiation(initiation, headOf(linked)),
  ]
}
