import type { DueWork, NewWork, ParkedWork, WorkResult } from '../../core/due/due-work.ts'
import type { DueClaim } from '../../core/ports.ts'

type Row = {
  readonly work: Omit<DueWork, 'leaseId'>
  readonly lease: { readonly id: string; readonly until: Date } | null
  readonly lastError: string
  readonly isParked: boolean
}

/** Work that is due, claimed under leases. */
export class MemoryWork {
  readonly #rows = new Map<string, Row>()

  /** Work of an id that is there already comes no later, and begins anew. */
  add(work: readonly NewWork[], at: Date): void {
    for (const { delayMs, ...rest } of work) {
      const known = this.#rows.get(rest.id)?.work.dueAt
      const dueAt = new Date(at.getTime() + delayMs)
      const due = { ...rest, attempts: 0, vainTries: 0, dueAt: known !== undefined && known < dueAt ? known : dueAt }
      this.#rows.set(rest.id, { work: due, lease: null, lastError: '', isParked: false })
    }
  }

  /** Work that is there already stays as it is; a lease on it may end, and then it is due after its delay. */
  addBeside(work: readonly NewWork[], at: Date, endsLease: boolean): void {
    for (const each of work) {
      const row = this.#rows.get(each.id)
      if (row === undefined) {
        this.add([each], at)
      } else if (endsLease && row.lease !== null) {
        const dueAt = new Date(at.getTime() + each.delayMs)
        this.#rows.set(each.id, { ...row, work: { ...row.work, dueAt }, lease: null })
      }
    }
  }

  end(ids: readonly string[]): void {
    for (const id of ids) this.#rows.delete(id)
  }

  claim({ kinds, at, leaseMs, leaseId, limit }: DueClaim): readonly DueWork[] {
    const claimed = [...this.#rows.values()]
      .filter(({ work, lease, isParked }) => {
        const isFree = lease === null || lease.until <= at
        return !isParked && isFree && work.dueAt <= at && kinds.includes(work.kind)
      })
      .sort((a, b) => a.work.dueAt.getTime() - b.work.dueAt.getTime())
      .slice(0, limit)
    const lease = { id: leaseId, until: new Date(at.getTime() + leaseMs) }
    return claimed.map(row => {
      this.#rows.set(row.work.id, { ...row, lease })
      return { ...row.work, leaseId }
    })
  }

  finish(results: readonly WorkResult[], at: Date): void {
    for (const result of results) {
      const row = this.#rows.get(result.id)
      if (row?.lease?.id !== result.leaseId) continue
      if (result.outcome === 'done') {
        this.#rows.delete(result.id)
        continue
      }
      const isAgain = result.outcome === 'again'
      const dueAt = isAgain && result.delayMs !== null ? new Date(at.getTime() + result.delayMs) : row.work.dueAt
      const attempts = row.work.attempts + (isAgain && !result.isAttempt ? 0 : 1)
      const vainTries = row.work.vainTries + (isAgain && result.isVain === true ? 1 : 0)
      const work = { ...row.work, attempts, vainTries, dueAt }
      this.#rows.set(result.id, { ...row, work, lease: null, lastError: result.error ?? '', isParked: !isAgain })
    }
  }

  listParked(limit: number): readonly ParkedWork[] {
    return [...this.#rows.values()]
      .filter(({ isParked }) => isParked)
      .sort((a, b) => a.work.dueAt.getTime() - b.work.dueAt.getTime())
      .map(({ work: { vainTries: _vainTries, ...work }, lastError }) => ({ ...work, lastError }))
      .slice(0, limit)
  }

  release(id: string, at: Date): boolean {
    const row = this.#rows.get(id)
    if (row?.isParked !== true) return false
    this.#rows.set(id, { ...row, work: { ...row.work, attempts: 0, vainTries: 0, dueAt: at }, isParked: false })
    return true
  }
}
