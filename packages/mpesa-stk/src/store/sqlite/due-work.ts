import type { DueWork, NewWork, ParkedWork, WorkResult } from '../../core/due/due-work.ts'
import type { DueClaim } from '../../core/ports.ts'
import { toDueWork, toParkedWork, type WorkRow } from '../rows.ts'
import type { SqliteStatements } from './statements.ts'

export function addWork(on: SqliteStatements, { id, kind, paymentId, cause, dueAt }: NewWork): void {
  on.run('INSERT INTO mpesa_due_work VALUES (?, ?, ?, ?, 0, ?, 0, NULL, NULL, NULL)', [
    id,
    kind,
    paymentId,
    cause,
    dueAt.getTime(),
  ])
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

export function finishWork(on: SqliteStatements, results: readonly WorkResult[]): void {
  for (const result of results) {
    const { id, leaseId, outcome } = result
    if (outcome === 'done') {
      on.run('DELETE FROM mpesa_due_work WHERE id = ? AND lease_id = ?', [id, leaseId])
    } else {
      on.run(
        `UPDATE mpesa_due_work SET attempts = attempts + 1, due_at = coalesce(?, due_at), is_parked = ?, last_error = ?,
             lease_id = NULL, lease_until = NULL WHERE id = ? AND lease_id = ?`,
        [outcome === 'again' ? result.dueAt.getTime() : null, outcome === 'parked' ? 1 : 0, result.error, id, leaseId],
      )
    }
  }
}

export function listParkedWork(on: SqliteStatements, limit: number): readonly ParkedWork[] {
  return on
    .all<WorkRow>('SELECT * FROM mpesa_due_work WHERE is_parked = 1 ORDER BY due_at LIMIT ?', [limit])
    .map(toParkedWork)
}
