import { randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import { nairobiTimestamp } from './payment/nairobi-time.ts'
import { createTimeOrderedId, firstIdOf } from './time-ordered-id.ts'

test('an id is a version 7 UUID that sorts by time', () => {
  const earlier = createTimeOrderedId(new Date(1_775_210_400_000), randomBytes(16))
  const later = createTimeOrderedId(new Date(1_775_210_400_001), randomBytes(16))
  expect(earlier).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(Number.parseInt(earlier.replaceAll('-', '').slice(0, 12), 16)).toBe(1_775_210_400_000)
  expect(earlier < later).toBe(true)
})

test('the timestamp of a request is Nairobi time, also across midnight', () => {
  expect(nairobiTimestamp(new Date('2026-12-31T21:30:05.999Z'))).toBe('20270101003005')
})

test('the first id of a time divides those before it from the others', () => {
  const at = 1_775_210_400_000
  const all = (ms: number, byte: number): string => createTimeOrderedId(new Date(ms), new Uint8Array(16).fill(byte))
  expect(all(at - 1, 255) < firstIdOf(new Date(at))).toBe(true)
  expect(all(at, 0) >= firstIdOf(new Date(at))).toBe(true)
})
