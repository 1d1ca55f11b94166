/** `wake`: somebody looks at the page again, or the machine slept. */
export type Signal = 'wake' | 'online' | 'offline'

/** What the client takes from where it runs. Tests bring their own. */
export type Environment = {
  /** Milliseconds that went by since some moment: never the time of day, which people and servers set. */
  nowMs(): number
  /** 0 to 1. */
  random(): number
  /** Returns how to cancel. */
  setTimer(run: () => void, delayMs: number): () => void
  /** Returns how to stop listening. */
  onSignal(listener: (signal: Signal) => void): () => void
}

type EventTargetLike = {
  addEventListener(type: string, listener: () => void): void
  removeEventListener(type: string, listener: () => void): void
}

type Page = Partial<EventTargetLike> & { readonly document?: EventTargetLike & { readonly visibilityState: string } }

export const pageEnvironment: Environment = {
  nowMs: createClock(
    () => Date.now(),
    () => performance.now(),
  ),
  random: () => Math.random(),
  setTimer(run, delayMs) {
    const timer = setTimeout(run, delayMs)
    return () => clearTimeout(timer)
  },
  onSignal(listener) {
    const page = globalThis as unknown as Page
    const document = page.document
    const heard: [Partial<EventTargetLike> | undefined, string, () => void][] = [
      [document, 'visibilitychange', () => document?.visibilityState === 'visible' && listener('wake')],
      [page, 'pageshow', () => listener('wake')],
      [page, 'online', () => listener('online')],
      [page, 'offline', () => listener('offline')],
    ]
    for (const [target, type, run] of heard) target?.addEventListener?.(type, run)
    return () => {
      for (const [target, type, run] of heard) target?.removeEventListener?.(type, run)
    }
  },
}

/**
 * Time that went by. The steady clock stops in some browsers while a machine sleeps, and the wall's is set by people; so the
 * steady one counts, except where the wall's is far ahead of it: then the machine slept, or it does no harm to think so.
 */
export function createClock(wallMs: () => number, steadyMs: () => number): () => number {
  let wall = wallMs()
  let steady = steadyMs()
  let now = 0
  return () => {
    const byWall = wallMs() - wall
    const bySteady = steadyMs() - steady
    wall += byWall
    steady += bySteady
    now += byWall > bySteady + 1_000 ? byWall : bySteady
    return now
  }
}
