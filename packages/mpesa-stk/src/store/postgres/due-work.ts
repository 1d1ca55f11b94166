import type { DueWork, NewWork, ParkedWork, WorkResult } from '../../core/due/due-work.ts'
import type { DueClaim } from '../../core/ports.ts'
import { toDueWork, toParkedWork, type WorkRow } from '../rows.ts'
import { all, type Queryable } from './pool.ts'

export async function addWork(client: Queryable, due: NewWork): Promise<void> {
  await all(
    client,
    'INSERT INTO mpesa_due_work VALUES ($1, $2, $3, $4, 0, least($5, clock_timestamp()), 0, NULL, NULL, NULL)',
    [due.id, due.kind, due.paymentId, due.cause, due.dueAt],
  )
}

/** By the database's time, so that no clock of a caller takes a lease early. */
export async function claimDue(
  client: Queryable,
  { kinds, leaseMs, leaseId, limit }: DueClaim,
): Promise<readonly DueWork[]> {
  const rows = await all<WorkRow>(
    client,
    `UPDATE mpesa_due_work SET lease_id = $1, lease_until = clock_timestamp() + $2 * interval '1 millisecond'
     WHERE id IN (
       SELECT id FROM mpesa_due_work WHERE is_parked = 0 AND kind = ANY ($3) AND due_at <= clock_timestamp()
         AND (lease_until IS NULL OR lease_until <= clock_timestamp())
       ORDER BY due_at LIMIT $4 FOR UPDATE SKIP LOCKED)
     RETURNING *`,
    [leaseId, leaseMs, kinds, limit],
  )
  return rows.map(toDueWork).sort((a, b) => a.dueAt.getTime() - b.dueAt.getTime())
}

export async function finishWork(client: Queryable, results: readonly WorkResult[]): Promise<void> {
  for (const result of results) {
    const { id, leaseId, outcome } = result
    if (outcome === 'done') {
      await all(client, 'DELETE FROM mpesa_due_work WHERE id = $1 AND lease_id = $2', [id, leaseId])
    } else {
      await all(
        client,
        `UPDATE mpesa_due_work SET attempts = attempts + 1, due_at = coalesce($3, due_at), is_parked = $4,
           last_error = $5, lease_id = NULL, lease_until = NULL WHERE id = $1 AND lease_id = $2`,
        [id, leaseId, outcome === 'again' ? result.dueAt : null, outcome === 'parked' ? 1 : 0, result.error],
      )
    }
  }
}

export async function listParkedWork(client: Queryable, limit: number): Promise<readonly ParkedWork[]> {
  const rows = await all<WorkRow>(client, 'SELECT * FROM mpesa_due_work WHERE is_parked = 1 ORDER BY due_at LIMIT $1', [
    limit,
  ])
  return rows.map(toParkedWork)
}
