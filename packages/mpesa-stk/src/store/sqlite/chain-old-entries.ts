import { type AuditRow, toAuditEntry } from '../rows.ts'
import { append } from './audit.ts'
import type { SqliteDatabase } from './database.ts'
import { SqliteStatements } from './statements.ts'

const pageSize = 1_000

/** Writes the entries from before there was a chain anew, payment by payment, and drops their table. */
export function chainOldEntries(database: SqliteDatabase): void {
  const on = new SqliteStatements(database)
  for (let after = { payment_id: '', sequence: 0 }; ; ) {
    const rows = on.all<Omit<AuditRow, 'hash'>>(
      `SELECT * FROM mpesa_audit_unchained WHERE (payment_id, sequence) > (?, ?) ORDER BY payment_id, sequence LIMIT ?`,
      [after.payment_id, after.sequence, pageSize],
    )
    for (const row of rows) append(on, toAuditEntry({ ...row, hash: '' }))
    const last = rows.at(-1)
    if (last === undefined || rows.length < pageSize) break
    after = last
  }
  on.clear()
  database.exec('DROP TABLE mpesa_audit_unchained')
}
