import type { AuditEntry } from '../../core/audit/audit-entry.ts'
import type { AuditCheckpoint } from '../../core/audit/checkpoint.ts'
import { emptyTrail, headOf, linkEntry, type TrailHead } from '../../core/audit/trail-chain.ts'
import type { PositionedHash, RecordedTrail, TrailKey } from '../../core/ports.ts'
import {
  type AuditRow,
  type CheckpointRow,
  type HashRow,
  type TrailRow,
  toCheckpoint,
  toPositionedHash,
  toTrails,
} from '../rows.ts'
import type { SqliteStatements } from './statements.ts'

export function entriesLike(on: SqliteStatements, { paymentId, event }: AuditEntry): number {
  const row = on.get<{ count: number }>(
    'SELECT count(*) AS count FROM mpesa_audit WHERE payment_id = ? AND event = ?',
    [paymentId, event],
  )
  return row?.count ?? 0
}

/** Appends an entry and moves the head. The caller is in a transaction, so nobody else takes the same place. */
export function append(on: SqliteStatements, entry: AuditEntry): void {
  const row = on.get<{ audit_count: number; audit_head: string }>(
    'SELECT audit_count, audit_head FROM mpesa_initiations WHERE payment_id = ?',
    [entry.paymentId],
  )
  const head: TrailHead = row === undefined ? emptyTrail : { count: row.audit_count, hash: row.audit_head }
  const linked = linkEntry(head, entry)
  const { count, hash } = headOf(linked)
  on.run(
    `INSERT INTO mpesa_audit (payment_id, sequence, entry_id, at, event, cause, before, after, evidence, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      entry.paymentId,
      count,
      entry.id,
      entry.at.getTime(),
      entry.event,
      entry.cause,
      entry.before,
      entry.after,
      JSON.stringify(entry.evidence),
      hash,
    ],
  )
  on.run('UPDATE mpesa_initiations SET audit_count = ?, audit_head = ? WHERE payment_id = ?', [
    count,
    hash,
    entry.paymentId,
  ])
}

/** Which payments a key means, as a condition on `mpesa_initiations i`. */
const trailConditions = {
  paymentId: 'i.payment_id = ?',
  phoneNumber: 'i.phone_number = ?',
  accountReference: 'i.account_reference = ?',
  receipt: 'i.payment_id IN (SELECT id FROM mpesa_payments WHERE mpesa_receipt_number = ?)',
  checkoutRequestId: 'i.payment_id IN (SELECT id FROM mpesa_payments WHERE checkout_request_id = ?)',
  merchantRequestId: 'i.payment_id IN (SELECT id FROM mpesa_payments WHERE merchant_request_id = ?)',
} as const

export function readTrail(on: SqliteStatements, key: TrailKey, limit: number): readonly AuditRow[] {
  const [[name, value] = ['', '']] = Object.entries(key)
  return on.all<AuditRow>(
    `SELECT a.* FROM (SELECT i.payment_id, i.reserved_at FROM mpesa_initiations i
       WHERE ${trailConditions[name as keyof typeof trailConditions]} ORDER BY i.reserved_at DESC LIMIT ?) p
     JOIN mpesa_audit a ON a.payment_id = p.payment_id ORDER BY p.reserved_at, p.payment_id, a.sequence`,
    [value, limit],
  )
}

export function readTrails(on: SqliteStatements, after: string, limit: number): readonly RecordedTrail[] {
  return toTrails(
    on.all<TrailRow>(
      `SELECT i.payment_id AS trail_of, i.audit_count, i.audit_head, a.* FROM (
         SELECT payment_id, audit_count, audit_head FROM mpesa_initiations WHERE payment_id > ? ORDER BY payment_id LIMIT ?) i
       LEFT JOIN mpesa_audit a ON a.payment_id = i.payment_id ORDER BY i.payment_id, a.sequence`,
      [after, limit],
    ),
  )
}

export function readAuditHashes(
  on: SqliteStatements,
  after: number,
  through: number,
  limit: number,
): readonly PositionedHash[] {
  return on
    .all<HashRow>(
      'SELECT position, hash FROM mpesa_audit WHERE position > ? AND position <= ? ORDER BY position LIMIT ?',
      [after, through, limit],
    )
    .map(toPositionedHash)
}

export function countOrphanedEntries(on: SqliteStatements): number {
  const row = on.get<{ count: number }>(
    `SELECT count(*) AS count FROM mpesa_audit a
     WHERE NOT EXISTS (SELECT 1 FROM mpesa_initiations i WHERE i.payment_id = a.payment_id)`,
    [],
  )
  return row?.count ?? 0
}

export function openCheckpoint(on: SqliteStatements): {
  readonly through: number
  readonly previous: AuditCheckpoint | null
} {
  const last = on.get<HashRow>('SELECT position, hash FROM mpesa_audit ORDER BY position DESC LIMIT 1', [])
  const previous = on.get<CheckpointRow>('SELECT * FROM mpesa_audit_checkpoints ORDER BY number DESC LIMIT 1', [])
  return { through: Number(last?.position ?? 0), previous: previous === undefined ? null : toCheckpoint(previous) }
}

export function saveCheckpoint(on: SqliteStatements, checkpoint: AuditCheckpoint): boolean {
  const { number, at, through, entries, digest, seal } = checkpoint
  const rows = on.all(
    'INSERT INTO mpesa_audit_checkpoints VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING number',
    [number, at.getTime(), through, entries, digest, seal],
  )
  return rows.length > 0
}

export function listCheckpoints(on: SqliteStatements, after: number, limit: number): readonly AuditCheckpoint[] {
  return on
    .all<CheckpointRow>('SELECT * FROM mpesa_audit_checkpoints WHERE number > ? ORDER BY number LIMIT ?', [
      after,
      limit,
    ])
    .map(toCheckpoint)
}
