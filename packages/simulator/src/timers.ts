// setTimeout fires at once for anything above this.
const longestDelayMs = 2 ** 31 - 1

/** The one door to `setTimeout`, so that reset and close can end everything that is still waiting. */
export interface Timers {
  /** Runs `task` after `delayMs`; at 0 it runs before this returns. Gives back a function that cancels it. */
  after(delayMs: number, task: () => void): () => void
  /** Resolves after `delayMs`, or early when the timers are cancelled. */
  sleep(delayMs: number): Promise<void>
  cancelAll(): void
  /** Cancels all, and from now on nothing starts any more: what was interrupted may go on to ask for another timer. */
  close(): void
}

export function createTimers(): Timers {
  const waiting = new Map<NodeJS.Timeout, () => void>()
  let closed = false
  const schedule = (delayMs: number, task: () => void, cancelled: () => void) => {
    const timer = setTimeout(
      () => {
        waiting.delete(timer)
        task()
      },
      Math.min(delayMs, longestDelayMs),
    )
    waiting.set(timer, cancelled)
    return () => {
      clearTimeout(timer)
      waiting.delete(timer)
    }
  }
  const cancelAll = () => {
    const interrupted = [...waiting]
    waiting.clear()
    for (const [timer, cancelled] of interrupted) {
      clearTimeout(timer)
      cancelled()
    }
  }
  return {
    cancelAll,
    close() {
      closed = true
      cancelAll()
    },
    after(delayMs, task) {
      if (closed) return () => {}
      if (delayMs > 0) return schedule(delayMs, task, () => {})
      task()
      return () => {}
    },
    sleep: delayMs =>
      delayMs > 0 && !closed ? new Promise(resolve => schedule(delayMs, resolve, resolve)) : Promise.resolve(),
  }
}
