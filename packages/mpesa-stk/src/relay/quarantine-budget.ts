/** What one body costs beside its bytes. */
export const quarantineRowBytes = 1_024

const countAgainAfterMs = 3_600_000

type Used = { readonly countedAtMs: number; readonly counted: Promise<{ bytes: number }> }

/**
 * How much may be kept of bodies that are nobody's event, for each app within a day. What was used is counted in the store
 * once an hour: to count it for every body would cost more than a flood of them.
 */
export class QuarantineBudget {
  readonly #budgetBytes: number
  readonly #count: (appId: string) => Promise<number>
  readonly #monotonicMs: () => number
  readonly #used = new Map<string, Used>()

  constructor(budgetBytes: number, count: (appId: string) => Promise<number>, monotonicMs: () => number) {
    this.#budgetBytes = budgetBytes
    this.#count = count
    this.#monotonicMs = monotonicMs
  }

  /** Whether there is room for so many bytes more; then they are used. Rejects when the store fails. */
  async take(appId: string, bytes: number): Promise<boolean> {
    const used = await this.#usedBy(appId)
    const cost = bytes + quarantineRowBytes
    if (used.bytes + cost > this.#budgetBytes) return false
    used.bytes += cost
    return true
  }

  #usedBy(appId: string): Promise<{ bytes: number }> {
    const nowMs = this.#monotonicMs()
    const known = this.#used.get(appId)
    if (known !== undefined && nowMs - known.countedAtMs < countAgainAfterMs) return known.counted
    const counted = this.#count(appId).then(bytes => ({ bytes }))
    this.#used.set(appId, { countedAtMs: nowMs, counted })
    counted.catch(() => this.#used.delete(appId))
    return counted
  }
}
