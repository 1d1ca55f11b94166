import { expect, test } from 'vitest'
import { EventFrame } from '../../relay/streams/event-frame.ts'
import type { StreamHub } from '../../relay/streams/stream-hub.ts'
import { StreamPlaces } from '../../relay/streams/stream-places.ts'
import { EventStream } from './event-stream.ts'

/** A response of which nobody has taken anything, at a time of its own. */
function openStream() {
  let nowMs = 0
  let isLeft = false
  const hub = {
    places: new StreamPlaces(),
    ended() {},
    leave() {
      isLeft = true
    },
  } as unknown as StreamHub
  const visit = { address: '127.0.0.1', origin: null, wantsPhone: false }
  const logger = { info() {}, warn() {}, error() {} }
  const tools = { now: () => new Date(nowMs), monotonicMs: () => nowMs, chance: () => 0, logger }
  const stream = new EventStream(hub, visit, tools)
  return {
    stream,
    hasLeft: () => isLeft,
    pass(ms: number): void {
      nowMs += ms
      stream.tick(nowMs)
    },
  }
}

const frame = new EventFrame({ epoch: 'e', position: 1, eventId: 'event-1' }, '{"id":"event-1"}')

test('what has ended keeps its place while its end is not taken, and is cut off when it is not', async () => {
  const { stream, hasLeft, pass } = openStream()
  stream.send(0, frame)
  stream.fail('token_revoked')
  pass(9_000)
  expect(hasLeft(), 'somebody may still read it').toBe(false)
  pass(2_000)
  expect(hasLeft()).toBe(true)
  await expect(stream.body.getReader().read()).rejects.toThrow('the stream has ended')
})

test('what has ended and is taken to its end leaves its place', async () => {
  const { stream, hasLeft, pass } = openStream()
  stream.send(0, frame)
  stream.fail('token_revoked')
  const text = await new Response(stream.body).text()
  expect(text).toContain('"id":"event-1"')
  expect(text).toContain('token_revoked')
  pass(1_000)
  expect(hasLeft()).toBe(true)
})

test('whoever goes away leaves his place at once', async () => {
  const { stream, hasLeft } = openStream()
  stream.send(0, frame)
  await stream.body.cancel()
  expect(hasLeft()).toBe(true)
})
