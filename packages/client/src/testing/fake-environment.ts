import type { Environment, Signal } from '../environment.ts'

/** Time that stands still until a test moves it. */
export type FakeEnvironment = Environment & {
  /** Runs what falls due on the way, in order. */
  advance(ms: number): void
  /** Time goes by and no timer runs, as in a machine that sleeps. */
  sleep(ms: number): void
  signal(signal: Signal): void
  readonly listeners: number
}

export function createFakeEnvironment(random = 0.5): FakeEnvironment {
  const timers = new Map<object, { atMs: number; run: () => void }>()
  const listeners = new Set<(signal: Signal) => void>()
  let nowMs = 1_000
  return {
    nowMs: () => nowMs,
    random: () => random,
    setTimer(run, delayMs) {
      const key = {}
      timers.set(key, { atMs: nowMs + delayMs, run })
      return () => timers.delete(key)
    },
    onSignal(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    advance(ms) {
      const endMs = nowMs + ms
      for (;;) {
        const [next] = [...timers].sort(([, a], [, b]) => a.atMs - b.atMs)
        if (!next || next[1].atMs > endMs) break
        timers.delete(next[0])
        nowMs = Math.max(nowMs, next[1].atMs)
        next[1].run()
      }
      nowMs = endMs
    },
    sleep(ms) {
      nowMs += ms
    },
    signal(signal) {
      for (const listener of [...listeners]) listener(signal)
    },
    get listeners() {
      return listeners.size
    },
  }
}
