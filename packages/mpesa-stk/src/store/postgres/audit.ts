import type { AuditEntry } from '../../core/audit/audit-entry.ts'
import { all, first, type Queryable } from './pool.ts'

export async function entriesLike(client: Queryable, { paymentId, event }: AuditEntry): Promise<number> {
  const row = await first<{ count: number }>(
    client,
    'SELECT count(*)::int AS count FROM mpesa_audit WHERE payment_id = $1 AND event = $2',
    [paymentId, event],
  )
  return row?.count ?? 0
}

/** The caller holds the payment's lock, or is the one who made it: nobody else takes the same place. */
export async function append(client: Queryable, entry: AuditEntry): Promise<void> {
  await all(
    client,
    `INSERT INTO mpesa_audit (payment_id, sequence, entry_id, at, event, cause, before, after, evidence)
     SELECT $1, coalesce(max(sequence), 0) + 1, $2, $3, $4, $5, $6, $7, $8 FROM mpesa_audit WHERE payment_id = $1`,
    [
      entry.paymentId,
      entry.id,
      entry.at,
      entry.event,
      entry.cause,
      entry.before,
      entry.after,
      JSON.stringify(entry.evidence),
    ],
  )
}
