import type { Payment } from '../../core/payment/payment.ts'
import type { Lease, PaymentRange, ReconciliationOpened } from '../../core/ports.ts'
import {
  freshReconciliation,
  type ReconciliationProgress,
  type ReconciliationRange,
} from '../../core/reconcile/reconciliation.ts'
import { judgeReconciliation, type PaymentRow, type ReconciliationRow, toPayment, toProgress } from '../rows.ts'
import type { SqliteStatements } from './statements.ts'

export function openReconciliation(
  on: SqliteStatements,
  range: ReconciliationRange,
  askedAt: Date,
  lease: Lease,
): ReconciliationOpened {
  const row = findReconciliation(on, range)
  const judged = judgeReconciliation(row, askedAt, lease.at)
  if (judged !== null) return judged
  const progress = row === undefined || row.is_done === 1 ? freshReconciliation : toProgress(row)
  write(on, range, progress, lease)
  return { outcome: 'opened', progress }
}

export function saveReconciliation(
  on: SqliteStatements,
  range: ReconciliationRange,
  progress: ReconciliationProgress,
  lease: Lease,
): boolean {
  if (findReconciliation(on, range)?.lease_id !== lease.leaseId) return false
  write(on, range, progress, lease)
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
  progress: ReconciliationProgress,
  { leaseId, at, leaseMs }: Lease,
): void {
  on.run('INSERT OR REPLACE INTO mpesa_reconciliations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)', [
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
