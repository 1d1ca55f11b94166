/** How many connections one of each kind may have: Kenya's carriers put thousands of customers behind one address. */
export const streamPlaces = { unauthenticated: 1_000, address: 5_000, app: 20_000, token: 10 } as const

export type PlaceKind = keyof typeof streamPlaces

/** The places that connections have. */
export class StreamPlaces {
  readonly #most: Readonly<Record<PlaceKind, number>>
  readonly #taken = new Map<string, number>()

  constructor(most: Readonly<Record<PlaceKind, number>> = streamPlaces) {
    this.#most = most
  }

  /** False where there is none left. */
  take(kind: PlaceKind, of: string): boolean {
    const name = `${kind} ${of}`
    const taken = this.#taken.get(name) ?? 0
    if (taken >= this.#most[kind]) return false
    this.#taken.set(name, taken + 1)
    return true
  }

  leave(kind: PlaceKind, of: string): void {
    const name = `${kind} ${of}`
    const left = (this.#taken.get(name) ?? 1) - 1
    if (left > 0) this.#taken.set(name, left)
    else this.#taken.delete(name)
  }
}

/** The places of one connection, given back together. */
export class Seat {
  readonly #places: StreamPlaces
  readonly #taken = new Map<PlaceKind, string>()

  constructor(places: StreamPlaces) {
    this.#places = places
  }

  /** Instead of the one that it had of this kind. False where there is none left, and it keeps what it had. */
  take(kind: PlaceKind, of: string): boolean {
    const had = this.#taken.get(kind)
    if (had === of) return true
    if (!this.#places.take(kind, of)) return false
    if (had !== undefined) this.#places.leave(kind, had)
    this.#taken.set(kind, of)
    return true
  }

  leave(kind: PlaceKind): void {
    const of = this.#taken.get(kind)
    if (of !== undefined) this.#places.leave(kind, of)
    this.#taken.delete(kind)
  }

  leaveAll(): void {
    for (const kind of [...this.#taken.keys()]) this.leave(kind)
  }
}
