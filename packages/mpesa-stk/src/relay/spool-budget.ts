/** What strangers may put on the disk while the store is away: nobody can be asked then which apps there are. */
export type SpoolBudgetBytes = {
  /** Bodies that cannot be anybody's event. */
  readonly junk: number
  /** Bodies for apps that this process has never seen, which may be true ones after a cold start. */
  readonly unseenApps: number
}

/**
 * - `take`: append it.
 * - `drop`: it is junk and over the budget, as it would be over that of the quarantine.
 * - `refuse`: it may be a true callback, and there is no room for another of apps that nobody knows.
 */
export type SpoolAdmission = 'take' | 'drop' | 'refuse'

/** Counts what strangers have put into the spool since it was empty. */
export class SpoolBudget {
  readonly #budget: SpoolBudgetBytes
  #junk = 0
  #unseen = 0

  constructor(budget: SpoolBudgetBytes) {
    this.#budget = budget
  }

  admit(bytes: number, is: { readonly junk: boolean; readonly ofSeenApp: boolean }): SpoolAdmission {
    if (is.junk) {
      if (this.#junk + bytes > this.#budget.junk) return 'drop'
      this.#junk += bytes
    } else if (!is.ofSeenApp) {
      if (this.#unseen + bytes > this.#budget.unseenApps) return 'refuse'
      this.#unseen += bytes
    }
    return 'take'
  }

  /** The spool is empty again. */
  reset(): void {
    this.#junk = 0
    this.#unseen = 0
  }
}
