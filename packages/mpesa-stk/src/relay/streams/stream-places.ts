/** How many connections one of each kind may have: Kenya's carriers put thousands of customers behind one address. */
export const streamPlaces = { unauthenticated: 100, address: 5_000, app: 20_000, token: 10 } as const

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
