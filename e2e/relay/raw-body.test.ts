import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { describe, expect, test } from 'vitest'
import { failedBody, paidBody } from '../callback-bodies.ts'
import { talk } from './raw-socket.ts'
import { openRelay, openSink } from './relay-floor.ts'

const success = { ResultCode: 0, ResultDesc: 'Success' }

/** Posts a body in pieces: in chunked encoding each comes to the server by itself, however the network joins them. */
async function postInPieces(url: string, pieces: Iterable<Uint8Array>): Promise<{ status: number; body: unknown }> {
  const posting = request(url, { method: 'POST', headers: { 'content-type': 'application/json' } })
  posting.setNoDelay(true)
  const answered = once(posting, 'response') as Promise<[IncomingMessage]>
  posting.flushHeaders()
  for (const piece of pieces) await new Promise(resolve => posting.write(piece, resolve))
  posting.end()
  const [response] = await answered
  const answer = Buffer.concat(await response.toArray()).toString()
  return { status: response.statusCode ?? 0, body: JSON.parse(answer) }
}

function* cut(body: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < body.length; at += size) yield body.subarray(at, at + size)
}

/** No part of it is like another. */
function longBody(length: number): Uint8Array {
  const body = Buffer.alloc(length)
  for (let at = 0; at + 4 <= length; at += 4) body.writeUInt32BE(at, at)
  return body
}

describe('a body', () => {
  test('that comes byte by byte is kept and delivered whole', async () => {
    await using sink = await openSink()
    await using relay = await openRelay()
    const app = await relay.createApp(sink.url)
    const callback = { ...paidBody('ws_CO_1', 'UHH0AB12CD'), Note: 'Njĩa ya mũtũrĩre 💰'.repeat(400) }
    const bytes = Buffer.from(JSON.stringify(callback))
    expect(bytes.length).toBeGreaterThan(8_192)
    expect(await postInPieces(`${relay.url}${app.hookUrl}`, cut(bytes, 1))).toEqual({ status: 200, body: success })
    const [event] = await relay.storage.listEvents(app.appId, {}, 10)
    const stored = await relay.storage.findEvent(event?.id ?? '')
    expect(Buffer.from(stored?.body ?? []).equals(bytes)).toBe(true)
    await sink.have(1)
    expect(JSON.parse(sink.delivered[0]?.body ?? '')).toEqual(callback)
  })

  test.each([1_000, 4_096, 65_536, 300 * 1024])(
    'of 300 KiB in pieces of %i bytes is kept with exactly its first 256 KiB, and how long it was',
    async size => {
      await using relay = await openRelay()
      const app = await relay.createApp('http://127.0.0.1:9/')
      const body = longBody(300 * 1024)
      const answer = await postInPieces(`${relay.url}${app.hookUrl}`, cut(body, size))
      expect(answer).toEqual({ status: 200, body: success })
      const kept = await relay.storage.listQuarantine(null, 10)
      expect(kept).toMatchObject([{ appId: app.appId, reason: 'oversize', length: 300 * 1024 }])
      const whole = await relay.storage.findQuarantined(kept[0]?.id ?? '')
      expect(whole?.body.length).toBe(256 * 1024)
      expect(Buffer.from(whole?.body ?? []).equals(body.subarray(0, 256 * 1024))).toBe(true)
    },
  )

  test('of exactly 256 KiB is not too long', async () => {
    await using relay = await openRelay()
    const app = await relay.createApp('http://127.0.0.1:9/')
    const body = longBody(256 * 1024)
    await postInPieces(`${relay.url}${app.hookUrl}`, cut(body, 10_000))
    const kept = await relay.storage.listQuarantine(null, 10)
    expect(kept).toMatchObject([{ reason: 'unrecognised', length: 256 * 1024 }])
    const whole = await relay.storage.findQuarantined(kept[0]?.id ?? '')
    expect(Buffer.from(whole?.body ?? []).equals(body)).toBe(true)
  })
})

test('two callbacks that come on one connection without waiting are both kept, and both answered', async () => {
  await using sink = await openSink()
  await using relay = await openRelay()
  const app = await relay.createApp(sink.url)
  const post = (callback: object): string => {
    const body = JSON.stringify(callback)
    const head = `POST ${app.hookUrl} HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\n`
    return `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
  }
  const two = `${post(paidBody('ws_CO_1', 'UHH0AB12CD'))}${post(failedBody('ws_CO_2', 1032))}`
  const answers = await talk(relay.url, two, /(?:HTTP\/1\.1 [^{]*\{[^}]*\}){2}/)
  expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200'])
  expect(answers.split(JSON.stringify(success))).toHaveLength(3)
  const events = await relay.storage.listEvents(app.appId, {}, 10)
  expect(events.map(({ businessKey }) => businessKey).toSorted()).toEqual(['ws_CO_1', 'ws_CO_2'])
  await sink.have(2)
})
