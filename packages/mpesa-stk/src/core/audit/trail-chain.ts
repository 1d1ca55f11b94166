import { sha256 } from '../sha256.ts'
import type { AuditEntry, RecordedAuditEntry } from './audit-entry.ts'

/** How long a trail is and the hash of its last entry, kept on the row of the payment's intent. */
export type TrailHead = { readonly count: number; readonly hash: string }

/** The head of a trail before its first entry. */
export const emptyTrail: TrailHead = { count: 0, hash: '' }

/** The entry as it follows a trail of this head. Whoever keeps it makes `headOf` it the trail's new head. */
export function linkEntry(head: TrailHead, entry: AuditEntry): RecordedAuditEntry {
  const sequence = head.count + 1
  return { ...entry, sequence, hash: entryHash(head.hash, sequence, entry) }
}

export function headOf({ sequence, hash }: RecordedAuditEntry): TrailHead {
  return { count: sequence, hash }
}

/**
 * SHA-256 over the hash before it and everything that the entry says. Without a key on purpose: anybody can follow the
 * chain. What keeps somebody with the database from writing it anew is a checkpoint outside of it.
 */
export function entryHash(previous: string, sequence: number, entry: AuditEntry): string {
  const { id, paymentId, at, event, cause, before, after, evidence } = entry
  return sha256(
    JSON.stringify([previous, sequence, id, paymentId, at.toISOString(), event, cause, before, after, evidence]),
  )
}
