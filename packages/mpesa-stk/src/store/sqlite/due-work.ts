import type { DueWork, NewWork, ParkedWork, WorkResult } from '../../core/due/due-work.ts'
import type { DueClaim } from '../../core/ports.ts'
import { toDueWork, toParkedWork, type WorkRow } from '../rows.ts'
import type { SqliteStatements } from './statements.ts'

/**
 * Work of an id that is there already comes no later, and begins anew: an attempt that is under way cannot end it, because
 * it does not know the new reason.
 */
export function addWork(on: SqliteStatements, { id, kind, paymentId, cause, delayMs }: NewWork, at: Date): void {
  on.run(
    `INSERT INTO mpesa_due_work (id, kind, payment_id, cause, attempts, due_at, is_parked) VALUES (?, ?, ?, ?, 0, ?, 0)
     ON CONFLICT (id) DO UPDATE SET due_at = min(due_at, excluded.due_at), attempts = 0, is_parked = 0,
       lease_id = NULL, lease_until = NULL, vain_tries = 0`,
    [id, kind, paymentId, cause, at.getTime() + delayMs],
  )
}

/** Work that is there already stays as it is; a lease on it may end, and then it is due after its delay. */
export function addWorkBeside(
  on: SqliteStatements,
  { id, kind, paymentId, cause, delayMs }: NewWork,
  at: Date,
  endsLease: boolean,
): void {
  on.run(
    `INSERT INTO mpesa_due_work (id, kind, payment_id, cause, attempts, due_at, is_parked) VALUES (?, ?, ?, ?, 0, ?, 0)
     ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, lease_id = NULL, lease_until = NULL
       WHERE ? = 1 AND lease_id IS NOT NULL`,
    [id, kind, paymentId, cause, at.getTime() + delayMs, endsLease ? 1 : 0],
  )
}

/** Not while a callback of the payment waits to be confirmed: the work may be what it waits for. */
export function endWork(on: SqliteStatements, paymentId: string, ids: readonly string[]): void {
  for (const id of ids) {
    on.run(
      `DELETE FROM mpesa_due_work WHERE id = ? AND NOT EXISTS (
         SELECT 1 FROM mpesa_callbacks WHERE payment_id = ? AND disposition = 'unconfirmed')`,
      [id, paymentId],
    )
  }
}

export function claimDue(on: SqliteStatements, { kinds, at, leaseMs, leaseId, limit }: DueClaim): readonly DueWork[] {
  const now = at.getTime()
  return on
    .all<WorkRow>(
      `UPDATE mpesa_due_work SET lease_id = ?1, lease_until = ?2 WHERE id IN (
       SELECT id FROM mpesa_due_work WHERE is_parked = 0 AND kind IN (SELECT value FROM json_each(?3)) AND due_at <= ?4
         AND (lease_until IS NULL OR lease_until <= ?4) ORDER BY due_at LIMIT ?5) RETURNING *`,
      [leaseId, now + leaseMs, JSON.stringify(kinds), now, limit],
    )
    .map(toDueWork)
    .sort((a, b) => a.dueAt.getTime() - b.dueAt.getTime())
}

export function finishWork(on: SqliteStatements, results: readonly WorkResult[], at: Date): void {
  for (const result of results) {
    const { id, leaseId, outcome } = result
    if (outcome === 'done') {
      on.run('DELETE FROM mpesa_due_work WHERE id = ? AND lease_id = ?', [id, leaseId])
    } else {
      const isAgain = outcome === 'again'
      const dueAt = isAgain && result.delayMs !== null ? at.getTime() + result.delayMs : null
      on.run(
        `UPDATE mpesa_due_work SET attempts = attempts + ?, vain_tries = vain_tries + ?, is_parked = ?, last_error = ?, due_at = coalesce(?, due_at),
             lease_id = NULL, lease_until = NULL WHERE id = ? AND lease_id = ?`,
        [
          isAgain && !result.isAttempt ? 0 : 1,
          isAgain && result.isVain === true ? 1 : 0,
          isAgain ? 0 : 1,
          result.error,
          dueAt,
          id,
          leaseId,
        ],
      )
    }
  }
}

export function releaseParkedWork(on: SqliteStatements, id: string, at: Date): boolean {
  const rows = on.all(
    'UPDATE mpesa_due_work SET is_parked = 0, attempts = 0, vain_tries = 0, due_at = ? WHERE id = ? AND is_parked = 1 RETURNING id',
    [at.getTime(), id],
  )
  return rows.length > 0
}

export function listParkedWork(on: SqliteStatements, limit: number): readonly ParkedWork[] {
  return on
    .all<WorkRow>('SELECT * FROM mpesa_due_work WHERE is_parked = 1 ORDER BY due_at LIMIT ?', [limit])
    .map(toParkedWork)
}
