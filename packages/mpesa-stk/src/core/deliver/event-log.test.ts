import { describe, expect, test } from 'vitest'
import { dayOf, formatCursor, isOfAnother, judgeQuota, logBeginning, parseCursor, resume } from './event-log.ts'
import type { RelayEvent } from './relay-event.ts'

describe('a cursor', () => {
  test('is of another log where another event stands at its place, and not where none does any more', () => {
    const cursor = { epoch: 'a', position: 3, eventId: 'read' }
    const entry = (position: number, id: string) => ({ position, body: null, event: { id } as RelayEvent })
    expect(isOfAnother(cursor, [entry(3, 'read'), entry(4, 'next')])).toBe(false)
    expect(isOfAnother(cursor, [entry(4, 'next')])).toBe(false)
    expect(isOfAnother(cursor, [entry(3, 'other')])).toBe(true)
    expect(isOfAnother({ ...cursor, eventId: null }, [entry(3, 'other')])).toBe(false)
  })

  test('is read as it was written, and nothing else is one', () => {
    const cursor = { epoch: '01a2-b3', position: 812, eventId: '0198-7c' }
    for (const each of [cursor, { ...cursor, eventId: null }, logBeginning]) {
      expect(parseCursor(formatCursor(each))).toEqual(each)
    }
    for (const text of [
      '',
      'x',
      '.1',
      'a.',
      'a.-1',
      'a.1.',
      'a.1.b.c',
      'a.1e3',
      'a b.1',
      `a.${'9'.repeat(16)}`,
      'latest',
    ]) {
      expect(parseCursor(text)).toBeNull()
    }
  })

  test.each([
    ['of this log', { epoch: 'a', position: 3, eventId: 'x' }, { after: 3, isGap: false }],
    ['at its head', { epoch: 'a', position: 9, eventId: 'x' }, { after: 9, isGap: false }],
    ['of another log', { epoch: 'b', position: 3, eventId: 'x' }, { after: 0, isGap: true }],
    ['behind the head, as after a restore', { epoch: 'a', position: 10, eventId: null }, { after: 0, isGap: true }],
    ['from before there was a log', logBeginning, { after: 0, isGap: false }],
  ])('%s goes on where it can', (_what, cursor, expected) => {
    expect(resume(cursor, { epoch: 'a', position: 9 })).toEqual(expected)
  })
})

test('a day begins at Nairobi’s midnight', () => {
  expect(dayOf(new Date('2026-11-24T20:59:59.999Z'))).toBe('2026-11-24')
  expect(dayOf(new Date('2026-11-24T21:00:00Z'))).toBe('2026-11-25')
})

test.each([
  [null, 99, false],
  [100, 100, false],
  [99, 100, true],
])('a quota of %s with %s events of today', (perDay, eventsToday, isOver) => {
  const head = { epoch: 'a', position: 500, eventsToday }
  expect(judgeQuota(perDay, head)).toEqual({ perDay, usedToday: eventsToday, isOver })
  expect(judgeQuota(perDay, null)).toEqual({ perDay, usedToday: 0, isOver: false })
})
