import { expect, it } from 'vitest'
import { createBoundedList } from './bounded-list.ts'

it('keeps the newest and tells which it forgets', () => {
  const forgotten: number[] = []
  const list = createBoundedList<number>(100, item => forgotten.push(item))
  for (let item = 0; item < 1_000; item++) list.push(item)
  expect(list.all()).toEqual(Array.from({ length: 100 }, (_, index) => 900 + index))
  expect(forgotten).toEqual(Array.from({ length: forgotten.length }, (_, index) => index))
  // Never more than a quarter over the capacity.
  expect(forgotten.length).toBeGreaterThanOrEqual(875)
})
