import type { AuditEntry, RecordedAuditEntry } from '../../core/audit/audit-entry.ts'
import type { AuditCheckpoint } from '../../core/audit/checkpoint.ts'
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
import { all, first, type Queryable } from './pool.ts'
import type { Statement } from './statement.ts'

export async function entriesLike(client: Queryable, { paymentId, event }: AuditEntry): Promise<number> {
  const row = await first<{ count: number }>(
    client,
    'SELECT count(*)::int AS count FROM mpesa_audit WHERE payment_id = $1 AND event = $2',
    [paymentId, event],
  )
  return row?.count ?? 0
}

/**
 * An entry in its place. The caller holds the row of the intent and read its head under that lock, so that nobody else takes
 * the same place, and moves the head in the same step.
 */
export function insertEntry(entry: RecordedAuditEntry): Statement {
  return {
    text: `INSERT INTO mpesa_audit (payment_id, sequence, entry_id, at, event, cause, before, after, evidence, hash)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    values: [
      entry.paymentId,
      entry.sequence,
      entry.id,
      entry.at,
      entry.event,
      entry.cause,
      entry.before,
      entry.after,
      JSON.stringify(entry.evidence),
      entry.hash,
    ],
  }
}

/** The head of a trail after an entry. */
export function moveHead({ paymentId, sequence, hash }: RecordedAuditEntry): Statement {
  return {
    text: 'UPDATE mpesa_initiations SET audit_count = $2, audit_head = $3 WHERE payment_id = $1',
    values: [paymentId, sequence, hash],
  }
}

/** Which payments a key means, as a condition on `mpesa_initiations i`. */
const trailConditions = {
  paymentId: 'i.payment_id = $1',
  phoneNumber: 'i.phone_number = $1',
  accountReference: 'i.account_reference = $1',
  receipt: 'i.payment_id IN (SELECT id FROM mpesa_payments WHERE mpesa_receipt_number = $1)',
  checkoutRequestId: 'i.payment_id IN (SELECT id FROM mpesa_payments WHERE checkout_request_id = $1)',
  merchantRequestId: 'i.payment_id IN (SELECT id FROM mpesa_payments WHERE merchant_request_id = $1)',
} as const

export async function readTrail(on: Queryable, key: TrailKey, limit: number): Promise<readonly AuditRow[]> {
  const [[name, value] = ['', '']] = Object.entries(key)
  return all<AuditRow>(
    on,
    `SELECT a.* FROM (SELECT i.payment_id, i.reserved_at FROM mpesa_initiations i
       WHERE ${trailConditions[name as keyof typeof trailConditions]} ORDER BY i.reserved_at DESC LIMIT $2) p
     JOIN mpesa_audit a ON a.payment_id = p.payment_id ORDER BY p.reserved_at, p.payment_id, a.sequence`,
    [value, limit],
  )
}

/** One statement, so that trails and heads are of one instant. */
export async function readTrails(on: Queryable, after: string, limit: number): Promise<readonly RecordedTrail[]> {
  const rows = await all<TrailRow>(
    on,
    `SELECT i.payment_id AS trail_of, i.audit_count, i.audit_head, a.* FROM (
       SELECT payment_id, audit_count, audit_head FROM mpesa_initiations WHERE payment_id > $1 ORDER BY payment_id LIMIT $2) i
     LEFT JOIN mpesa_audit a ON a.payment_id = i.payment_id ORDER BY i.payment_id, a.sequence`,
    [after, limit],
  )
  return toTrails(rows)
}

export async function readAuditHashes(
  on: Queryable,
  after: number,
  through: number,
  limit: number,
): Promise<readonly PositionedHash[]> {
  const rows = await all<HashRow>(
    on,
    'SELECT position, hash FROM mpesa_audit WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3',
    [after, through, limit],
  )
  return rows.map(toPositionedHash)
}

export async function countOrphanedEntries(on: Queryable): Promise<number> {
  const row = await first<{ count: number }>(
    on,
    `SELECT count(*)::int AS count FROM mpesa_audit a
     WHERE NOT EXISTS (SELECT 1 FROM mpesa_initiations i WHERE i.payment_id = a.payment_id)`,
  )
  return row?.count ?? 0
}

/**
 * Positions are taken before their transactions commit, so a lower one may appear later. Whoever writes holds a lock on the
 * table that keeps ours waiting: when we have it, every position that was taken is committed or given up.
 */
export async function openCheckpoint(
  client: Queryable,
): Promise<{ readonly through: number; readonly previous: AuditCheckpoint | null }> {
  await all(client, 'LOCK TABLE mpesa_audit IN SHARE MODE')
  const last = await first<HashRow>(client, 'SELECT position, hash FROM mpesa_audit ORDER BY position DESC LIMIT 1')
  const previous = await first<CheckpointRow>(
    client,
    'SELECT * FROM mpesa_audit_checkpoints ORDER BY number DESC LIMIT 1',
  )
  return { through: Number(last?.position ?? 0), previous: previous === undefined ? null : toCheckpoint(previous) }
}

export async function saveCheckpoint(on: Queryable, checkpoint: AuditCheckpoint): Promise<boolean> {
  const { number, at, through, entries, digest, seal } = checkpoint
  const row = await first(
    on,
    'INSERT INTO mpesa_audit_checkpoints VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING number',
    [number, at, through, entries, digest, seal],
  )
  return row !== undefined
}

export async function listCheckpoints(
  on: Queryable,
  after: number,
  limit: number,
): Promise<readonly AuditCheckpoint[]> {
  const rows = await all<CheckpointRow>(
    on,
    'SELECT * FROM mpesa_audit_checkpoints WHERE number > $1 ORDER BY number LIMIT $2',
    [after, limit],
  )
  return rows.map(toCheckpoint)
}
