import { expect, test } from 'vitest'
import { decodeReceived, encodeReceived, type ReceivedBody } from './received-body.ts'

const received: ReceivedBody = {
  appId: 'app',
  token: 'token',
  body: Uint8Array.of(0x7b, 0, 0xff, 0x7d),
  length: 4,
  receivedAt: new Date('2026-04-03T10:00:00.000Z'),
  unknownSource: '203.0.113.9',
  traceParent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
}
const plain = (decoded: ReceivedBody | null) => decoded && { ...decoded, body: [...decoded.body] }

test('what waits on the disk comes back as it came, with what was judged of it', () => {
  for (const one of [received, { ...received, token: null, unknownSource: null, traceParent: null }]) {
    expect(plain(decodeReceived(encodeReceived(one)))).toEqual(plain(one))
  }
})

test('what was written before there was an allow-list or a trace is still read', () => {
  const head = Buffer.from('{"appId":"app","token":"token","length":4,"receivedAt":1775210400000}')
  const size = Buffer.alloc(4)
  size.writeUInt32BE(head.length)
  const old = Buffer.concat([size, head, received.body])
  expect(plain(decodeReceived(old))).toEqual({ ...plain(received), unknownSource: null, traceParent: null })
})
