import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseClientFrame, parseOldClientFrame } from './client-frame.ts'

test.each([
  ['{"type":"auth","token":"t"}', { type: 'auth', token: 't' }],
  ['{"type":"auth","sourceId":"s","secret":"x"}', { type: 'auth', sourceId: 's', secret: 'x' }],
  ['{"type":"subscribe","id":1,"stream":"source"}', { type: 'subscribe', id: 1, stream: 'source', from: 'start' }],
  ['{"type":"ack","id":0,"cursor":"e.1","more":2}', { type: 'ack', id: 0, cursor: 'e.1' }],
  ['{"type":"ping","t":{"a":1}}', { type: 'ping', t: null }],
  ['{"type":"auth"}', null],
  ['{"type":"auth","token":7}', null],
  ['{"type":"subscribe","id":1.5,"stream":"source"}', null],
  ['{"type":"subscribe","id":"1","stream":"source"}', null],
  ['{"type":"__proto__"}', null],
  ['[{"type":"pong"}]', null],
  ['null', null],
  ['', null],
])('%s', (text, frame) => {
  expect(parseClientFrame(text)).toEqual(frame)
})

test('an old client says three things', () => {
  expect(parseOldClientFrame('{"type":"auth","secret":"x","v":1}')).toEqual({ type: 'auth', secret: 'x' })
  expect(parseOldClientFrame('{"type":"ping"}')).toEqual({ type: 'ping' })
  expect(parseOldClientFrame('{"type":"subscribe"}')).toBe(null)
})

test('nothing that a stranger sends is more than a frame', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), text => {
      for (const frame of [parseClientFrame(text), parseOldClientFrame(text)]) {
        expect(frame === null || typeof frame.type === 'string').toBe(true)
      }
    }),
  )
})
