import type { AuditEntry, RecordedAuditEntry } from '../../core/audit/audit-entry.ts'
import type { AuditCheckpoint } from '../../core/audit/checkpoint.ts'
import { emptyTrail, headOf, linkEntry } from '../../core/audit/trail-chain.ts'
import type { PositionedHash, RecordedTrail } from '../../core/ports.ts'

/** Trails, and their checkpoints. */
export class MemoryAudit {
  readonly #trails = new Map<string, RecordedAuditEntry[]>()
  /** Every entry in the order of writing: its position is its index and one. */
  readonly #written: RecordedAuditEntry[] = []
  readonly #checkpoints: AuditCheckpoint[] = []

  append(entry: AuditEntry): void {
    const trail = this.#trails.get(entry.paymentId) ?? []
    const last = trail.at(-1)
    const linked = linkEntry(last === undefined ? emptyTrail : headOf(last), entry)
    trail.push(linked)
    this.#written.push(linked)
    this.#trails.set(entry.paymentId, trail)
  }

  trailOf(paymentId: string): readonly RecordedAuditEntry[] {
    return [...(this.#trails.get(paymentId) ?? [])]
  }

  withHead(paymentId: string): RecordedTrail {
    const entries = this.trailOf(paymentId)
    const last = entries.at(-1)
    return { paymentId, head: last === undefined ? emptyTrail : headOf(last), entries }
  }

  hashes(after: number, through: number, limit: number): readonly PositionedHash[] {
    return this.#written
      .map(({ hash }, index) => ({ position: index + 1, hash }))
      .filter(({ position }) => position > after && position <= through)
      .slice(0, limit)
  }

  openCheckpoint(): { readonly through: number; readonly previous: AuditCheckpoint | null } {
    return { through: this.#written.length, previous: this.#checkpoints.at(-1) ?? null }
  }

  saveCheckpoint(checkpoint: AuditCheckpoint): boolean {
    if (checkpoint.number <= this.#checkpoints.length) return false
    this.#checkpoints.push(checkpoint)
    return true
  }

  listCheckpoints(after: number, limit: number): readonly AuditCheckpoint[] {
    return this.#checkpoints.filter(({ number }) => number > after).slice(0, limit)
  }
}
