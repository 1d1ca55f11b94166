import { expect, test } from 'vitest'
import type { StreamHub } from '../../relay/streams/stream-hub.ts'
import { LongPoll } from './long-poll.ts'

const visit = { origin: null, address: '192.0.2.1', wantsPhone: false }

function openPoll(endsAtMs: number) {
  const ends: string[] = []
  const hub = { places: {}, leave() {}, ended: (code: string) => void ends.push(code) } as unknown as StreamHub
  return { poll: new LongPoll(hub, visit, endsAtMs), ends }
}

test('a poll whose stream is still being opened does not say that all was sent: it waits for it, and then fails', async () => {
  const { poll, ends } = openPoll(0)
  poll.tick(1_000)
  expect(ends).toEqual([])
  poll.tick(5_000)
  expect(await poll.answer).toEqual({ outcome: 'failed', code: 'unavailable' })
  expect(ends).toEqual(['unavailable'])
})

test('nor does one that is ended before', async () => {
  const { poll } = openPoll(25_000)
  poll.tell(0, { type: 'gap', reason: 'aged' })
  poll.destroy()
  expect(await poll.answer).toEqual({ outcome: 'failed', code: 'unavailable' })
})

test('one that had nothing but that it is live has its place', async () => {
  const { poll } = openPoll(0)
  poll.tell(0, { type: 'live', cursor: 'e.7' })
  poll.destroy()
  expect(await poll.answer).toMatchObject({ outcome: 'frames', cursor: 'e.7' })
})
