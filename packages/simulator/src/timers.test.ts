import { describe, expect, it, vi } from 'vitest'
import { createTimers } from './timers.ts'

describe('closed timers', () => {
  it('start nothing any more, so that an interrupted push cannot keep the process', async () => {
    vi.useFakeTimers()
    try {
      const timers = createTimers()
      const task = vi.fn()
      const interrupted = timers.sleep(60_000).then(() => timers.after(60_000, task))
      timers.close()
      await interrupted
      timers.after(0, task)
      await timers.sleep(60_000)
      expect(vi.getTimerCount()).toBe(0)
      expect(task).not.toHaveBeenCalled()
    } finally {
      vi.useRealTimers()
    }
  })
})
