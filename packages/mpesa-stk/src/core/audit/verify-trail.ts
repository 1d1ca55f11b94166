import type { RecordedTrail, Store } from '../ports.ts'
import { type AuditCheckpoint, isSealedBy } from './checkpoint.ts'
import { digestEntries } from './take-checkpoint.ts'
import { emptyTrail, entryHash, headOf } from './trail-chain.ts'

/** What is wrong with the trail. */
export type AuditProblem =
  | {
      /**
       * `changed`: an entry does not follow the one before it. `cut`: entries are missing at the end, by the head that the
       * payment's row names.
       */
      readonly problem: 'changed' | 'cut'
      readonly paymentId: string
      /** The first entry that is wrong or missing. */
      readonly sequence: number
    }
  | {
      /**
       * `checkpoint-forged`: the audit key did not seal it. `checkpoint-differs`: the entries that it covers are not those
       * of then. `checkpoint-missing`: one that you kept is no longer in the store.
       */
      readonly problem: 'checkpoint-forged' | 'checkpoint-differs' | 'checkpoint-missing'
      readonly number: number
    }
  /** There are entries of payments that there are not: rows of intents were deleted. */
  | { readonly problem: 'orphans'; readonly entries: number }

export type AuditVerification = {
  readonly isIntact: boolean
  readonly payments: number
  readonly entries: number
  readonly checkpoints: number
  /** At most a thousand; `isIntact` tells whether there was any. */
  readonly problems: readonly AuditProblem[]
}

export type VerifyStore = Pick<Store, 'readTrails' | 'readAuditHashes' | 'countOrphanedEntries' | 'listCheckpoints'>

const trailsAtOnce = 200
const checkpointsAtOnce = 100
const maxProblems = 1_000

/**
 * Follows every trail from its first entry to the head on the row of its payment, and every checkpoint. Reads everything
 * in pages, while others go on writing.
 *
 * @param key the audit key that sealed the checkpoints
 * @param kept checkpoints that were kept outside of the store; the ones inside are checked anyway
 */
export async function verifyAuditTrail(
  store: VerifyStore,
  key: string,
  kept: readonly AuditCheckpoint[] = [],
): Promise<AuditVerification> {
  const problems: AuditProblem[] = []
  const report = (problem: AuditProblem): void => {
    if (problems.length < maxProblems) problems.push(problem)
  }
  const { payments, entries } = await followTrails(store, report)
  const orphans = await store.countOrphanedEntries()
  if (orphans > 0) report({ problem: 'orphans', entries: orphans })
  const checkpoints = await followCheckpoints(store, key, kept, report)
  return { isIntact: problems.length === 0, payments, entries, checkpoints, problems }
}

type Report = (problem: AuditProblem) => void

async function followTrails(store: VerifyStore, report: Report): Promise<{ payments: number; entries: number }> {
  let payments = 0
  let entries = 0
  for (let after = ''; ; ) {
    const trails = await store.readTrails(after, trailsAtOnce)
    for (const trail of trails) {
      payments++
      entries += trail.entries.length
      const problem = judgeTrail(trail)
      if (problem !== null) report(problem)
    }
    const last = trails.at(-1)
    if (last === undefined) return { payments, entries }
    after = last.paymentId
  }
}

/** The first thing that is wrong with a trail, or null. */
export function judgeTrail({ paymentId, head, entries }: RecordedTrail): AuditProblem | null {
  let current = emptyTrail
  for (const entry of entries) {
    const sequence = current.count + 1
    const isNext = entry.sequence === sequence && entry.hash === entryHash(current.hash, sequence, entry)
    if (!isNext) return { problem: 'changed', paymentId, sequence }
    current = headOf(entry)
  }
  if (current.count < head.count) return { problem: 'cut', paymentId, sequence: current.count + 1 }
  if (current.count > head.count || current.hash !== head.hash) {
    return { problem: 'changed', paymentId, sequence: Math.max(1, head.count) }
  }
  return null
}

async function followCheckpoints(
  store: VerifyStore,
  key: string,
  kept: readonly AuditCheckpoint[],
  report: Report,
): Promise<number> {
  const outside = new Map(kept.map(checkpoint => [checkpoint.number, checkpoint]))
  let previous: AuditCheckpoint | null = null
  let count = 0
  for (;;) {
    const page: readonly AuditCheckpoint[] = await store.listCheckpoints(previous?.number ?? 0, checkpointsAtOnce)
    for (const checkpoint of page) {
      count++
      const { number, through } = checkpoint
      const isSealed = isSealedBy(checkpoint, previous?.seal ?? '', key) && number === (previous?.number ?? 0) + 1
      if (!isSealed) report({ problem: 'checkpoint-forged', number })
      const covered = await digestEntries(store, previous?.through ?? 0, through)
      const isSame = covered.digest === checkpoint.digest && covered.entries === checkpoint.entries
      const isKept = (outside.get(number)?.seal ?? checkpoint.seal) === checkpoint.seal
      if (!isSame || !isKept) report({ problem: 'checkpoint-differs', number })
      outside.delete(number)
      previous = checkpoint
    }
    if (page.length < checkpointsAtOnce) break
  }
  for (const number of outside.keys()) report({ problem: 'checkpoint-missing', number })
  return count
}
