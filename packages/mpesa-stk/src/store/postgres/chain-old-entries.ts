import { emptyTrail, headOf, linkEntry, type TrailHead } from '../../core/audit/trail-chain.ts'
import { type AuditRow, toAuditEntry } from '../rows.ts'
import { insertEntry, moveHead } from './audit.ts'
import { all, type Queryable } from './pool.ts'
import { runTogether } from './statement.ts'

const pageSize = 1_000

/** Writes the entries from before there was a chain anew, payment by payment, and drops their table. */
export async function chainOldEntries(client: Queryable): Promise<void> {
  let after = { payment_id: '', sequence: 0 }
  let head: TrailHead = emptyTrail
  for (;;) {
    const rows = await all<Omit<AuditRow, 'hash'>>(
      client,
      `SELECT * FROM mpesa_audit_unchained WHERE (payment_id, sequence) > ($1, $2) ORDER BY payment_id, sequence LIMIT $3`,
      [after.payment_id, after.sequence, pageSize],
    )
    for (const row of rows) {
      const entry = toAuditEntry({ ...row, hash: '' })
      if (row.payment_id !== after.payment_id) head = emptyTrail
      const linked = linkEntry(head, entry)
      await runTogether(client, [insertEntry(linked), moveHead(linked)])
      head = headOf(linked)
      after = row
    }
    if (rows.length < pageSize) break
  }
  await all(client, 'DROP TABLE mpesa_audit_unchained')
}
