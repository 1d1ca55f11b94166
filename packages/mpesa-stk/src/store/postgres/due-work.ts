import type { DueWork, NewWork, ParkedWork, WorkResult } from '../../core/due/due-work.ts'
import type { DueClaim } from '../../core/ports.ts'
import { toDueWork, toParkedWork, type WorkRow } from '../rows.ts'
import { all, first, type Queryable } from './pool.ts'
import type { Statement } from './statement.ts'

/**
 * Work of an id that is there already comes no later, and begins anew: an attempt that is under way cannot end it, because
 * it does not know the new reason.
 */
export function addWork({ id, kind, paymentId, cause, delayMs }: NewWork): Statement {
  return {
    text: `INSERT INTO mpesa_due_work AS w (id, kind, payment_id, cause, attempts, due_at, is_parked)
      VALUES ($1, $2, $3, $4, 0, clock_timestamp() + $5 * interval '1 millisecond', 0)
      ON CONFLICT (id) DO UPDATE SET due_at = least(w.due_at, excluded.due_at), attempts = 0, is_parked = 0,
        lease_id = NULL, lease_until = NULL, vain_tries = 0`,
    values: [id, kind, paymentId, cause, delayMs],
  }
}

/** Work that is there already stays as it is; a lease on it may end, and then it is due after its delay. */
export function addWorkBeside({ id, kind, paymentId, cause, delayMs }: NewWork, endsLease: boolean): Statement {
  return {
    text: `INSERT INTO mpesa_due_work AS w (id, kind, payment_id, cause, attempts, due_at, is_parked)
      VALUES ($1, $2, $3, $4, 0, clock_timestamp() + $5 * interval '1 millisecond', 0)
      ON CONFLICT (id) DO UPDATE SET due_at = excluded.due_at, lease_id = NULL, lease_until = NULL
        WHERE $6 AND w.lease_id IS NOT NULL`,
    values: [id, kind, paymentId, cause, delayMs, endsLease],
  }
}

/** Not while a callback of the payment waits to be confirmed: the work may be what it waits for. */
export function endWork(paymentId: string, ids: readonly string[]): Statement {
  return {
    text: `DELETE FROM mpesa_due_work WHERE id = ANY ($1) AND NOT EXISTS (
      SELECT 1 FROM mpesa_callbacks WHERE payment_id = $2 AND disposition = 'unconfirmed')`,
    values: [ids, paymentId],
  }
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
       SELECT id FROM mpesa_due_work WHERE is_parked = 0 AND kind = ANY ($3) AND due_at <= statement_timestamp()
         AND (lease_until IS NULL OR lease_until <= statement_timestamp())
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
      const isAgain = outcome === 'again'
      await all(
        client,
        `UPDATE mpesa_due_work SET attempts = attempts + $3, vain_tries = vain_tries + $7, is_parked = $4, last_error = $5,
           due_at = coalesce(clock_timestamp() + $6 * interval '1 millisecond', due_at),
           lease_id = NULL, lease_until = NULL WHERE id = $1 AND lease_id = $2`,
        [
          id,
          leaseId,
          isAgain && !result.isAttempt ? 0 : 1,
          isAgain ? 0 : 1,
          result.error,
          isAgain ? result.delayMs : null,
          isAgain && result.isVain === true ? 1 : 0,
        ],
      )
    }
  }
}

export async function releaseParkedWork(client: Queryable, id: string): Promise<boolean> {
  const row = await first(
    client,
    `UPDATE mpesa_due_work SET is_parked = 0, attempts = 0, vain_tries = 0, due_at = clock_timestamp() WHERE id = $1 AND is_parked = 1
     RETURNING id`,
    [id],
  )
  return row !== undefined
}

export async function listParkedWork(client: Queryable, limit: number): Promise<readonly ParkedWork[]> {
  const rows = await all<WorkRow>(client, 'SELECT * FROM mpesa_due_work WHERE is_parked = 1 ORDER BY due_at LIMIT $1', [
    limit,
  ])
  return rows.map(toParkedWork)
}
