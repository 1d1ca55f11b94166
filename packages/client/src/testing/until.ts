import { expect } from 'vitest'
import type { FakeEnvironment } from './fake-environment.ts'

/** Waits for a signal over real sockets. Timers that are due already run; time does not go by. */
export async function until(environment: FakeEnvironment, holds: () => boolean): Promise<void> {
  await expect
    .poll(
      () => {
        environment.advance(0)
        return holds()
      },
      { interval: 2, message: holds.toString() },
    )
    .toBe(true)
}
