import { createHmac, timingSafeEqual } from 'node:crypto'

/**
 * A seal over every audit entry that was written since the checkpoint before. Keep a copy outside of the database: whoever
 * can write there can rewrite a trail and its head, and then only a checkpoint that he cannot reach tells.
 */
export type AuditCheckpoint = {
  /** Counts from 1. */
  readonly number: number
  readonly at: Date
  /** The last entry that it covers, by the order of writing. The first is the one after `through` of the one before. */
  readonly through: number
  /** How many entries it covers. */
  readonly entries: number
  /** SHA-256 over their hashes, in order. */
  readonly digest: string
  /** HMAC-SHA-256 of all of this and of the checkpoint before, under the audit key. */
  readonly seal: string
}

/** Whether `key` sealed this checkpoint after one with the seal `previous`. */
export function isSealedBy(checkpoint: AuditCheckpoint, previous: string, key: string): boolean {
  const expected = Buffer.from(sealOf(checkpoint, previous, key), 'hex')
  const given = Buffer.from(checkpoint.seal, 'hex')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/** The seal of a checkpoint that follows one with the seal `previous`; empty for the first. */
export function sealOf(checkpoint: Omit<AuditCheckpoint, 'seal'>, previous: string, key: string): string {
  const { number, at, through, entries, digest } = checkpoint
  return createHmac('sha256', key)
    .update(JSON.stringify(['mpesa-stk checkpoint', previous, number, at.toISOString(), through, entries, digest]))
    .digest('hex')
}
