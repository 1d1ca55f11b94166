import type { Clock } from 'mpesa-stk'

/** The machine's clock, `aheadMs` ahead: real pauses, and no waiting for what is minutes away. */
export function createSteppedClock(aheadMs: number): Clock {
  return {
    now: () => new Date(Date.now() + aheadMs),
    sleep: durationMs => new Promise(resolve => setTimeout(resolve, durationMs)),
  }
}
