import type { Payment } from '../../core/payment/payment.ts'
import type { Lease, PaymentRange, ReconciliationOpened } from '../../core/ports.ts'
import {
  freshReconciliation,
  keptReconciliationMs,
  type ReconciliationProgress,
  type ReconciliationRange,
} from '../../core/reconcile/reconciliation.ts'
import { judgeReconciliation, type PaymentRow, type ReconciliationRow, toPayment, toProgress } from '../rows.ts'
import { all, first, type Queryable } from './pool.ts'

const isRange = 'short_code = $1 AND from_at = $2 AND to_at = $3'

export async function openReconciliation(
  client: Queryable,
  { shortCode, from, to }: ReconciliationRange,
  awaitedRun: number | null,
  { leaseId, leaseMs, at }: Lease,
): Promise<ReconciliationOpened> {
  // A row of a run before the first, so that there is one to hold and only one who asks begins.
  await all(
    client,
    `INSERT INTO mpesa_reconciliations VALUES ($1, $2, $3, 0, 0, 0, '[]', NULL, NULL, 1, now(), '', now(), 0)
     ON CONFLICT DO NOTHING`,
    [shortCode, from, to],
  )
  const row = await first<ReconciliationRow & { now: Date }>(
    client,
    `SELECT *, clock_timestamp() AS now FROM mpesa_reconciliations WHERE ${isRange} FOR UPDATE`,
    [shortCode, from, to],
  )
  // Old and finished, it was forgotten by somebody else between the two statements.
  if (row === undefined)
    return openReconciliation(client, { shortCode, from, to }, awaitedRun, { leaseId, leaseMs, at })
  const judged = judgeReconciliation(row, awaitedRun, row.now)
  if (judged !== null) return judged
  const range = { shortCode, from, to }
  if (row.is_done === 0) {
    const progress = toProgress(row)
    await write(client, range, row.run, progress, leaseId, leaseMs)
    return { outcome: 'opened', progress }
  }
  await write(client, range, row.run + 1, freshReconciliation, leaseId, leaseMs)
  await all(
    client,
    `DELETE FROM mpesa_reconciliations WHERE (short_code, from_at, to_at) IN (
       SELECT short_code, from_at, to_at FROM mpesa_reconciliations
       WHERE is_done = 1 AND saved_at < clock_timestamp() - $1 * interval '1 millisecond' FOR UPDATE SKIP LOCKED)`,
    [keptReconciliationMs],
  )
  return { outcome: 'opened', progress: freshReconciliation }
}

export async function saveReconciliation(
  client: Queryable,
  range: ReconciliationRange,
  progress: ReconciliationProgress,
  { leaseId, leaseMs }: Lease,
): Promise<boolean> {
  const { shortCode, from, to } = range
  const row = await first<{ lease_id: string; run: number }>(
    client,
    `SELECT lease_id, run FROM mpesa_reconciliations WHERE ${isRange} FOR UPDATE`,
    [shortCode, from, to],
  )
  if (row?.lease_id !== leaseId) return false
  await write(client, range, row.run, progress, leaseId, leaseMs)
  return true
}

async function write(
  client: Queryable,
  { shortCode, from, to }: ReconciliationRange,
  run: number,
  progress: ReconciliationProgress,
  leaseId: string,
  leaseMs: number,
): Promise<void> {
  await all(
    client,
    `UPDATE mpesa_reconciliations SET checked = $4, matched = $5, skipped = $6, mismatches = $7, after_initiated = $8,
       after_payment_id = $9, is_done = $10, saved_at = clock_timestamp(), lease_id = $11,
       lease_until = clock_timestamp() + $12 * interval '1 millisecond', run = $13 WHERE ${isRange}`,
    [
      shortCode,
      from,
      to,
      progress.checked,
      progress.matched,
      progress.skipped,
      JSON.stringify(progress.mismatches),
      progress.after?.initiatedAt ?? null,
      progress.after?.paymentId ?? null,
      progress.isDone ? 1 : 0,
      leaseId,
      leaseMs,
      run,
    ],
  )
}

/**
 * A payment that older code wrote has no shortcode: it is anybody's. Its time may have microseconds, which a Date has not:
 * pages go by milliseconds, or the last one of a page would come again on the next, for ever.
 */
export async function listPayments(
  on: Queryable,
  { shortCode, from, to, after }: PaymentRange,
  limit: number,
): Promise<readonly Payment[]> {
  const rows = await all<PaymentRow>(
    on,
    `SELECT p.* FROM mpesa_payments p JOIN mpesa_initiations i ON i.payment_id = p.id
     WHERE p.initiated_at >= $4 AND p.initiated_at < $3::timestamptz + interval '1 millisecond' AND p.initiated_at >= $2
       AND (date_trunc('milliseconds', p.initiated_at), p.id) > ($4, $5)
       AND i.short_code IN ($1, '') ORDER BY date_trunc('milliseconds', p.initiated_at), p.id LIMIT $6`,
    [shortCode, from, to, after?.initiatedAt ?? from, after?.paymentId ?? '', limit],
  )
  return rows.map(toPayment)
}
