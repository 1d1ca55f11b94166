import { expect, test } from 'vitest'
import { resumeStream, streamEpoch } from './resume-stream.ts'

const head = { epoch: 'e-1', position: 10, floor: 3, clears: 2, eventsToday: 0 }
const at = (position: number, epoch = 'e-1-2', eventId: string | null = `event-${position}`) => ({
  epoch,
  position,
  eventId,
})

test.each([
  ['who begins at the beginning misses nothing', null, 5, null, { after: 5, gap: null }],
  ['a cursor of before the first event, of what was cleared since', at(0, '-'), 0, null, { after: 3, gap: 'cleared' }],
  ['a cursor of this log before its first event', at(0, 'e-1-1'), 0, null, { after: 3, gap: 'cleared' }],
  ['goes on behind what was read', at(7), 5, 'event-7', { after: 7, gap: null }],
  ['goes on where the event itself is gone', at(7), 5, null, { after: 7, gap: null }],
  ['the last that is too old is no loss', at(5), 5, null, { after: 5, gap: null }],
  ['one before it is', at(4), 5, null, { after: 5, gap: 'aged' }],
  ['what was cleared', at(2, 'e-1'), 0, null, { after: 3, gap: 'cleared' }],
  ['a cursor of before a clear, of an event behind it', at(4, 'e-1-1'), 0, 'event-4', { after: 4, gap: null }],
  ['another event stands there', at(7), 5, 'event-x', { after: 5, gap: 'restored' }],
  ['beyond the end', at(11), 5, null, { after: 5, gap: 'restored' }],
  ['another log', at(7, 'f'), 5, 'event-7', { after: 5, gap: 'restored' }],
  ['a clear that this log has not seen', at(7, 'e-1-3'), 5, 'event-7', { after: 5, gap: 'restored' }],
  ['a strange number of clears', at(7, 'e-1-02'), 5, 'event-7', { after: 5, gap: 'restored' }],
] as const)('%s', (_what, cursor, agedFloor, standing, expected) => {
  expect(resumeStream(cursor, head, agedFloor, standing)).toEqual(expected)
})

test('the epoch of subscribers changes with each clear', () => {
  expect([0, 1, 2].map(clears => streamEpoch({ epoch: 'e', clears }))).toEqual(['e', 'e-1', 'e-2'])
})
