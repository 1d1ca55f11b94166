import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { Store } from '../ports.ts'

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

export type CheckpointStore = Pick<Store, 'openCheckpoint' | 'readAuditHashes' | 'saveCheckpoint'>

const pageSize = 10_000

/** Takes a checkpoint over everything that was written since the last one, and keeps it in the store too. */
export async function takeCheckpoint(store: CheckpointStore, key: string, now: () => Date): Promise<AuditCheckpoint> {
  for (;;) {
    const { through, previous } = await store.openCheckpoint()
    const covered = await digestEntries(store, previous?.through ?? 0, through)
    const unsealed = { number: (previous?.number ?? 0) + 1, at: now(), through, ...covered }
    const checkpoint = { ...unsealed, seal: sealOf(unsealed, previous?.seal ?? '', key) }
    // Somebody else may have taken one meanwhile: then ours follows it.
    if (await store.saveCheckpoint(checkpoint)) return checkpoint
  }
}

/** The number and digest of the entries after one position, through another. */
export async function digestEntries(
  store: Pick<Store, 'readAuditHashes'>,
  after: number,
  through: number,
): Promise<{ readonly entries: number; readonly digest: string }> {
  const digest = createHash('sha256')
  let entries = 0
  for (let position = after; ; ) {
    const page = await store.readAuditHashes(position, through, pageSize)
    for (const { hash } of page) digest.update(hash)
    entries += page.length
    const last = page.at(-1)
    if (last === undefined || page.length < pageSize) break
    position = last.position
  }
  return { entries, digest: digest.digest('hex') }
}

/** Whether `key` sealed this checkpoint after one with the seal `previous`. */
export function isSealedBy(checkpoint: AuditCheckpoint, previous: string, key: string): boolean {
  const expected = Buffer.from(sealOf(checkpoint, previous, key), 'hex')
  const given = Buffer.from(checkpoint.seal, 'hex')
  return given.length === expected.length && timingSafeEqual(given, expected)
}

function sealOf(checkpoint: Omit<AuditCheckpoint, 'seal'>, previous: string, key: string): string {
  const { number, at, through, entries, digest } = checkpoint
  return createHmac('sha256', key)
    .update(JSON.stringify(['mpesa-stk checkpoint', previous, number, at.toISOString(), through, entries, digest]))
    .digest('hex')
}
