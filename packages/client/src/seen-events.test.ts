import { expect, test } from 'vitest'
import { createSeenEvents } from './seen-events.ts'

test('remembers the last ids and no more', () => {
  const seen = createSeenEvents(3)
  expect(['a', 'b', 'c', 'a', 'd', 'c', 'a'].map(id => seen.add(id))).toEqual([
    true,
    true,
    true,
    false,
    true,
    false,
    true,
  ])
})
