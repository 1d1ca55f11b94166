import { expect, test } from 'vitest'
import { readTime } from './read-time.ts'

const now = new Date('2026-11-24T02:00:00.000Z')

test.each([
  ['2026-11-24', '2026-11-24T00:00:00.000Z'],
  ['2026-11-24T01:30', '2026-11-24T01:30:00.000Z'],
  ['2026-11-24 01:30:05', '2026-11-24T01:30:05.000Z'],
  ['2026-11-24T04:30+03:00', '2026-11-24T01:30:00.000Z'],
  ['2026-11-24T01:30:00Z', '2026-11-24T01:30:00.000Z'],
  ['90s', '2026-11-24T01:58:30.000Z'],
  ['30m', '2026-11-24T01:30:00.000Z'],
  ['2h', '2026-11-24T00:00:00.000Z'],
  ['3d', '2026-11-21T02:00:00.000Z'],
])('%s is %s, whatever zone this machine is in', (text, iso) => {
  expect(readTime('--from', text, now)).toBe(iso)
})

test.each(['yesterday', '2026-13-45', '2w', '', '999999999d'])('%j is no time', text => {
  expect(() => readTime('--from', text, now)).toThrow(expect.objectContaining({ code: 'MPESA_STK_CLI_USAGE' }))
})
