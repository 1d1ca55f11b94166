import { createHash } from 'node:crypto'
import type { Store } from '../ports.ts'
import { type AuditCheckpoint, sealOf } from './checkpoint.ts'

type CheckpointStore = Pick<Store, 'openCheckpoint' | 'readAuditHashes' | 'saveCheckpoint'>

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
