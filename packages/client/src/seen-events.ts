/** Remembers the last `limit` ids. `add` is false for one that it remembers. */
export function createSeenEvents(limit = 1_000): { add(id: string): boolean } {
  const ids = new Set<string>()
  return {
    add(id) {
      if (ids.has(id)) return false
      ids.add(id)
      if (ids.size > limit) {
        // A set lists in the order of adding.
        for (const oldest of ids) {
          ids.delete(oldest)
          break
        }
      }
      return true
    },
  }
}
