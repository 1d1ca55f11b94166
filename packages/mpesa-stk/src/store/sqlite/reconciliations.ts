import type { Payment } from '../../core/payment/payment.ts'
import type { Lease, PaymentRange, ReconciliationOpened } from '../../core/ports.ts'
import {
  freshReconciliation,
  keptReconciliationMs,
  type ReconciliationProgress,
  type ReconciliationRange,
} from '../../core/reconcile/reconciliation.ts'
import { judgeReconciliation, type PaymentRow, type ReconciliationRow, toPayment, toProgress } from '../rows.ts'
import type { SqliteStatements } from './statements.ts'

export function openReconciliation(
  on: SqliteStatements,
  range: ReconciliationRange,
  awaitedRun: number | null,
  lease: Lease,
): ReconciliationOpened {
  const row = findReconciliation(on, range)
  const judged = judgeReconciliation(row, awaitedRun, lease.at)
  if (judged !== null) return judged
  if (row !== undefined && row.is_done === 0) {
    const progress = toProgress(row)
    write(on, range, row.run, progress, lease)
    return { outcome: 'opened', progress }
  }
  on.run('DELETE FROM mpesa_reconciliations WHERE is_done = 1 AND saved_at < ?', [
    lease.at.getTime() - keptReconciliationMs,
  ])
  write(on, range, (row?.run ?? 0) + 1, freshReconciliation, lease)
  return { outcome: 'opened', progress: freshReconciliation }
}

export function saveReconciliation(
  on: SqliteStatements,
  range: ReconciliationRange,
  progress: ReconciliationProgress,
  lease: Lease,
): boolean {
  const row = findReconciliation(on, range)
  if (row?.lease_id !== lease.leaseId) return false
  write(on, range, row.run, progress, lease)
  return true
}

function findReconciliation(
  on: SqliteStatements,
  { shortCode, from, to }: ReconciliationRange,
): ReconciliationRow | undefined {
  return on.get<ReconciliationRow>(
    'SELECT * FROM mpesa_reconciliations WHERE short_code = ? AND from_at = ? AND to_at = ?',
    [shortCode, from.getTime(), to.getTime()],
  )
}

function write(
  on: SqliteStatements,
  { shortCode, from, to }: ReconciliationRange,
  run: number,
  progress: ReconciliationProgress,
  { leaseId, at, leaseMs }: Lease,
): void {
  on.run('INSERT OR REPLACE INTO mpesa_reconciliations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', [
    shortCode,
    from.getTime(),
    to.getTime(),
    progress.checked,
    progress.matched,
    progress.skipped,
    JSON.stringify(progress.mismatches),
    progress.after?.initiatedAt.getTime() ?? null,
    progress.after?.paymentId ?? null,
    progress.isDone ? 1 : 0,
    at.getTime(),
    leaseId,
    at.getTime() + leaseMs,
    run,
  ])
}

export function listPayments(
  on: SqliteStatements,
  { shortCode, from, to, after }: PaymentRange,
  limit: number,
): readonly Payment[] {
  return on
    .all<PaymentRow>(
      `SELECT p.* FROM mpesa_payments p JOIN mpesa_initiations i ON i.payment_id = p.id
       WHERE p.initiated_at >= ?2 AND p.initiated_at <= ?3 AND (p.initiated_at, p.id) > (?4, ?5)
         AND i.short_code IN (?1, '') ORDER BY p.initiated_at, p.id LIMIT ?6`,
      [shortCode, from.getTime(), to.getTime(), (after?.initiatedAt ?? from).getTime(), after?.paymentId ?? '', limit],
    )
    .map(toPayment)
}
