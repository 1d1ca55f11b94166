import type { RecordedAuditEntry } from '../../core/audit/audit-entry.ts'
import { emptyTrail, headOf, linkEntry, type TrailHead } from '../../core/audit/trail-chain.ts'
import { type AuditRow, toAuditEntry } from '../rows.ts'
import { all, type Queryable } from './pool.ts'

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
    const page: RecordedAuditEntry[] = []
    for (const row of rows) {
      if (row.payment_id !== after.payment_id) head = emptyTrail
      const linked = linkEntry(head, toAuditEntry({ ...row, hash: '' }))
      page.push(linked)
      head = headOf(linked)
      after = row
    }
    await write(client, page)
    if (rows.length < pageSize) break
  }
  await all(client, 'DROP TABLE mpesa_audit_unchained')
}

/** A page in two statements: nobody can use the tables while they are upgraded, and a round trip a line would take hours. */
async function write(client: Queryable, page: readonly RecordedAuditEntry[]): Promise<void> {
  const column = <Key extends keyof RecordedAuditEntry>(key: Key) => page.map(entry => entry[key])
  await all(
    client,
    `INSERT INTO mpesa_audit (payment_id, sequence, entry_id, at, event, cause, before, after, evidence, hash)
     SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[],
       $8::text[], $9::text[], $10::text[]) AS line (payment_id, sequence) ORDER BY line.payment_id, line.sequence`,
    [
      column('paymentId'),
      column('sequence'),
      column('id'),
      column('at'),
      column('event'),
      column('cause'),
      column('before'),
      column('after'),
      page.map(({ evidence }) => JSON.stringify(evidence)),
      column('hash'),
    ],
  )
  const heads = [...new Map(page.map(entry => [entry.paymentId, entry])).values()]
  await all(
    client,
    `UPDATE mpesa_initiations i SET audit_count = head.count, audit_head = head.hash
     FROM unnest($1::text[], $2::int[], $3::text[]) AS head (payment_id, count, hash) WHERE i.payment_id = head.payment_id`,
    [heads.map(({ paymentId }) => paymentId), heads.map(({ sequence }) => sequence), heads.map(({ hash }) => hash)],
  )
}
