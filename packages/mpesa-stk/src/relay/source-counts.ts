/** What came from one address. */
export type SourceCount = {
  /** `other`: all those that came before the last thousand; `unknown`: nobody can tell from where. */
  readonly address: string
  readonly callbacks: number
  readonly firstSeenAt: Date
  readonly lastSeenAt: Date
}

const maxAddresses = 1_000

/** Counts by address: of the last thousand each for itself, and of all others together. */
export class SourceCounts {
  /** In the order in which they were last seen. */
  readonly #counts = new Map<string, SourceCount>()
  #other: SourceCount | null = null

  note(address: string, at: Date): void {
    const known = this.#counts.get(address)
    this.#counts.delete(address)
    this.#counts.set(address, add(known, { address, callbacks: 1, firstSeenAt: at, lastSeenAt: at }))
    if (this.#counts.size <= maxAddresses) return
    const [oldest] = this.#counts.values()
    if (oldest === undefined) return
    this.#counts.delete(oldest.address)
    this.#other = add(this.#other ?? undefined, { ...oldest, address: 'other' })
  }

  /** Those that were last seen first, then the others. */
  list(): readonly SourceCount[] {
    return [...[...this.#counts.values()].reverse(), ...(this.#other === null ? [] : [this.#other])]
  }
}

function add(before: SourceCount | undefined, more: SourceCount): SourceCount {
  if (before === undefined) return more
  const { address, callbacks, firstSeenAt, lastSeenAt } = before
  return {
    address,
    callbacks: callbacks + more.callbacks,
    firstSeenAt: firstSeenAt < more.firstSeenAt ? firstSeenAt : more.firstSeenAt,
    lastSeenAt: lastSeenAt > more.lastSeenAt ? lastSeenAt : more.lastSeenAt,
  }
}
