/** A list that forgets its oldest items past `capacity`, so that a simulator left running for a week stays small. */
export interface BoundedList<T> {
  push(item: T): void
  all(): readonly T[]
  clear(): void
}

export function createBoundedList<T>(capacity: number, forget: (item: T) => void = () => {}): BoundedList<T> {
  let items: T[] = []
  return {
    push(item) {
      items.push(item)
      // Cut in slices of a quarter: shifting one by one would copy the whole list for every push.
      if (items.length < capacity * 1.25) return
      for (const old of items.slice(0, items.length - capacity)) forget(old)
      items = items.slice(-capacity)
    },
    all: () => items.slice(-capacity),
    clear() {
      items = []
    },
  }
}
