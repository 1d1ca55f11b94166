import type { Lease, ReconciliationOpened } from '../../core/ports.ts'
import {
  freshReconciliation,
  type ReconciliationProgress,
  type ReconciliationRange,
} from '../../core/reconcile/reconciliation.ts'

type Run = {
  readonly progress: ReconciliationProgress
  readonly savedAt: Date
  readonly lease: { readonly id: string; readonly until: Date }
}

/** How far each reconciliation has come, and who works on it. */
export class MemoryReconciliations {
  readonly #runs = new Map<string, Run>()

  open(range: ReconciliationRange, askedAt: Date, lease: Lease): ReconciliationOpened {
    const run = this.#runs.get(nameOf(range))
    if (run?.progress.isDone && run.savedAt >= askedAt) return { outcome: 'done', progress: run.progress }
    if (run !== undefined && !run.progress.isDone && run.lease.until > lease.at) return { outcome: 'busy' }
    const progress = run === undefined || run.progress.isDone ? freshReconciliation : run.progress
    this.#write(range, progress, lease)
    return { outcome: 'opened', progress }
  }

  save(range: ReconciliationRange, progress: ReconciliationProgress, lease: Lease): boolean {
    if (this.#runs.get(nameOf(range))?.lease.id !== lease.leaseId) return false
    this.#write(range, progress, lease)
    return true
  }

  #write(range: ReconciliationRange, progress: ReconciliationProgress, { leaseId, at, leaseMs }: Lease): void {
    const lease = { id: leaseId, until: new Date(at.getTime() + leaseMs) }
    this.#runs.set(nameOf(range), { progress, savedAt: at, lease })
  }
}

function nameOf({ shortCode, from, to }: ReconciliationRange): string {
  return `${shortCode} ${from.getTime()} ${to.getTime()}`
}
