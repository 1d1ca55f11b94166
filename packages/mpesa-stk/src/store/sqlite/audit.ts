import type { AuditEntry } from '../../core/audit/audit-entry.ts'
import type { SqliteStatements } from './statements.ts'

export function entriesLike(on: SqliteStatements, { paymentId, event }: AuditEntry): number {
  const row = on.get<{ count: number }>(
    'SELECT count(*) AS count FROM mpesa_audit WHERE payment_id = ? AND event = ?',
    [paymentId, event],
  )
  return row?.count ?? 0
}

export function append(on: SqliteStatements, entry: AuditEntry): void {
  on.run(
    `INSERT INTO mpesa_audit (payment_id, sequence, entry_id, at, event, cause, before, after, evidence)
     SELECT ?1, coalesce(max(sequence), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 FROM mpesa_audit WHERE payment_id = ?1`,
    [
      entry.paymentId,
      entry.id,
      entry.at.getTime(),
      entry.event,
      entry.cause,
      entry.before,
      entry.after,
      JSON.stringify(entry.evidence),
    ],
  )
}
