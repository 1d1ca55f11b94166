import type { Lease, ReconciliationOpened } from '../../core/ports.ts'
import {
  freshReconciliation,
  keptReconciliationMs,
  type ReconciliationProgress,
  type ReconciliationRange,
} from '../../core/reconcile/reconciliation.ts'

type Run = {
  readonly number: number
  readonly progress: ReconciliationProgress
  readonly savedAt: Date
  readonly lease: { readonly id: string; readonly until: Date }
}

/** How far each reconciliation has come, and who works on it. */
export class MemoryReconciliations {
  readonly #runs = new Map<string, Run>()

  open(range: ReconciliationRange, awaitedRun: number | null, lease: Lease): ReconciliationOpened {
    const run = this.#runs.get(nameOf(range))
    if (run?.progress.isDone && awaitedRun !== null && run.number >= awaitedRun) {
      return { outcome: 'done', progress: run.progress }
    }
    if (run !== undefined && !run.progress.isDone && run.lease.until > lease.at) {
      return { outcome: 'busy', run: run.number }
    }
    if (run !== undefined && !run.progress.isDone) {
      this.#write(range, run.number, run.progress, lease)
      return { outcome: 'opened', progress: run.progress }
    }
    this.#forgetOld(lease.at)
    this.#write(range, (run?.number ?? 0) + 1, freshReconciliation, lease)
    return { outcome: 'opened', progress: freshReconciliation }
  }

  save(range: ReconciliationRange, progress: ReconciliationProgress, lease: Lease): boolean {
    const run = this.#runs.get(nameOf(range))
    if (run?.lease.id !== lease.leaseId) return false
    this.#write(range, run.number, progress, lease)
    return true
  }

  #write(
    range: ReconciliationRange,
    number: number,
    progress: ReconciliationProgress,
    { leaseId, at, leaseMs }: Lease,
  ): void {
    const lease = { id: leaseId, until: new Date(at.getTime() + leaseMs) }
    this.#runs.set(nameOf(range), { number, progress, savedAt: at, lease })
  }

  #forgetOld(at: Date): void {
    for (const [name, { progress, savedAt }] of this.#runs) {
      if (progress.isDone && at.getTime() - savedAt.getTime() > keptReconciliationMs) this.#runs.delete(name)
    }
  }
}

function nameOf({ shortCode, from, to }: ReconciliationRange): string {
  return `${shortCode} ${from.getTime()} ${to.getTime()}`
}
