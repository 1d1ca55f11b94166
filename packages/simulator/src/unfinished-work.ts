/** Counts what has been promised and not done yet (results to come, callbacks to send), so a test can wait for silence. */
export interface UnfinishedWork {
  begin(item: object): void
  finish(item: object): void
  /** Resolves as soon as nothing is unfinished. */
  idle(): Promise<void>
  clear(): void
}

export function createUnfinishedWork(): UnfinishedWork {
  const items = new Set<object>()
  let waiting: (() => void)[] = []
  const wake = () => {
    if (items.size > 0) return
    const woken = waiting
    waiting = []
    for (const resolve of woken) resolve()
  }
  return {
    begin: item => void items.add(item),
    finish(item) {
      items.delete(item)
      wake()
    },
    idle: () => (items.size === 0 ? Promise.resolve() : new Promise(resolve => waiting.push(resolve))),
    clear() {
      items.clear()
      wake()
    },
  }
}
