import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { findServices } from '../../../scripts/services/find.ts'
import { openRelay } from '../relay-floor.ts'
import { startRelay } from '../relay-process.ts'
import { openRelaySchema } from '../relay-schema.ts'
import { relayStores } from '../relay-stores.ts'
import { SocketClient } from './socket-client.ts'
import { openStreams, receiptOf } from './stream-floor.ts'
import { readEvents, readUntil, transports } from './transports.ts'

const shared = relayStores.filter(([name]) => name === 'PostgreSQL')
const { postgres } = await findServices()

describe.each(shared)('two relays on one %s', (_name, openStore) => {
  async function openBoth() {
    const store = await openStore()
    const floor = await openStreams(store.options)
    const other = await openRelay({ ...store.options, dataFolder: floor.relay.folder })
    const close = async (): Promise<void> => {
      await other[Symbol.asyncDispose]()
      await floor[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    }
    return { ...floor, other, [Symbol.asyncDispose]: close }
  }

  test.each(transports)('what one takes, a subscriber of the other gets: by %s', async (_transport, open) => {
    await using floor = await openBoth()
    const { token } = await floor.mint()
    await using reader = await open({ url: floor.other.url, token, stream: 'source' })
    await readUntil(reader, 'live')
    await floor.pay(1)
    expect(await readEvents(reader, 1)).toMatchObject([{ event: { MpesaReceiptNumber: receiptOf(1) } }])
  })

  test('who reads while both take callbacks gets every event once, in the order of the log, at both', async () => {
    await using floor = await openBoth()
    const count = 300
    const here = await floor.open()
    const there = await floor.open(undefined, floor.other)
    for (const page of [here, there]) await page.subscribe('source')
    const numbers = Array.from({ length: count }, (_, number) => number)
    const paying = numbers.map(number => floor.pay(number, number % 2 === 0 ? floor.relay : floor.other))
    const [one, two] = await Promise.all([here.events(count), there.events(count)])
    await Promise.all(paying)
    const { entries } = await floor.relay.read<{ entries: { event: { eventId: string } }[] }>(
      `/v1/apps/${floor.appId}/log?limit=500`,
    )
    const log = entries.map(({ event }) => event.eventId)
    expect(one.map(({ event }) => event?.id)).toEqual(log)
    expect(two.map(({ event }) => event?.id)).toEqual(log)
    // A cursor of one is good at the other, however far that has come.
    const from = one[100]?.cursor
    const again = await floor.open(undefined, floor.other)
    await again.subscribe('source', { from })
    expect((await again.events(count - 101)).map(({ event }) => event?.id)).toEqual(log.slice(101))
    for (const page of [here, there, again]) await page[Symbol.asyncDispose]()
  })

  test('a token that is taken back at one ends a connection of the other', async () => {
    await using floor = await openBoth()
    const { token, tokenId } = await floor.mint()
    await using page = new SocketClient(floor.other.url)
    await page.authenticate({ token })
    await floor.post('/v1/tokens/revoke', { tokenId })
    expect(await page.until('error')).toMatchObject({ code: 'token_revoked' })
    expect(await page.closed).toBe(4401)
  })

  test('an app that is deleted at one ends the streams of the other', async () => {
    await using floor = await openBoth()
    await using page = await floor.open(undefined, floor.other)
    await page.subscribe('source')
    const headers = { authorization: `Bearer ${floor.signingSecret}` }
    await fetch(`${floor.relay.url}/apps/${floor.appId}`, { method: 'DELETE', headers })
    expect(await page.until('ended')).toMatchObject({ reason: 'destroyed' })
  })
})

test.each(postgres === undefined ? [] : [postgres.url])(
  'a store that was put back under a running relay is a gap, whatever stands there now',
  async url => {
    const schema = await openRelaySchema(url)
    onTestFinished(() => schema[Symbol.asyncDispose]())
    await schema.storage.migrate()
    await using floor = await openStreams({ storage: schema.storage })
    for (const number of [1, 2, 3]) await floor.pay(number)
    await using page = await floor.open()
    await page.subscribe('source')
    await page.until('live')
    // As a backup of an hour ago leaves it, and then other events at the places of those that are lost.
    await schema.pool.query('DELETE FROM relay_delivery_events WHERE log_position > 1')
    await schema.pool.query('UPDATE relay_logs SET head = 1')
    for (const number of [4, 5, 6]) await floor.pay(number)
    expect(await page.until('gap')).toMatchObject({ reason: 'restored' })
    const replayed = await page.events(4)
    expect(replayed.map(({ event }) => event?.MpesaReceiptNumber)).toEqual([1, 4, 5, 6].map(receiptOf))
  },
)

test('a relay that restarts says so, and whoever comes again has missed nothing', { timeout: 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-streams-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const environment = { PORT: '0', RELAY_DATA_DIR: folder, RELAY_ALLOW_PRIVATE_TARGETS: '1' }
  const relay = await startRelay(environment)
  onTestFinished(() => relay.kill())
  const json = { 'content-type': 'application/json' }
  const created = await fetch(`${relay.url}/apps`, {
    method: 'POST',
    headers: json,
    body: '{"targetUrl":"http://127.0.0.1:9/","publicStreams":true}',
  })
  const { appId, sourceId, streamSecret, signingSecret } = (await created.json()) as Record<string, string>
  const headers = { ...json, authorization: `Bearer ${signingSecret}` }
  const report = (url: string, paymentId: string): Promise<Response> =>
    fetch(`${url}/v1/events`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ appId, events: [{ type: 'payment.pending', paymentId }] }),
    })
  const minted = await fetch(`${relay.url}/v1/tokens`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ appId, streams: ['source'] }),
  })
  const { token } = (await minted.json()) as { token: string }
  const [, openEvents] = transports[1] ?? []
  if (openEvents === undefined) throw new Error('no server-sent events')
  await using old = new SocketClient(relay.url, { isOld: true, query: `source_id=${sourceId}` })
  await old.until('auth_required')
  old.send({ type: 'auth', secret: streamSecret })
  await old.until('auth_success')
  await using page = new SocketClient(relay.url)
  await page.authenticate({ token })
  await page.subscribe('source')
  await report(relay.url, 'a')
  const [event] = await page.events(1)
  await using reader = await openEvents({ url: relay.url, token, stream: 'source', from: 'now' })
  await reader.next()
  const stopped = relay.stop()
  expect(await page.until('error')).toMatchObject({ code: 'restarting', retry: 'now' })
  expect([await page.closed, await old.closed]).toEqual([1012, 1012])
  expect(await reader.next()).toMatchObject({ type: 'error', code: 'restarting' })
  expect(await reader.next()).toMatchObject({ type: 'closed' })
  expect(await stopped).toBe(0)
  expect(relay.log()).not.toContain('took too long')
  const next = await startRelay(environment)
  onTestFinished(() => next.kill())
  await report(next.url, 'b')
  await using again = new SocketClient(next.url)
  await again.authenticate({ token })
  await again.subscribe('source', { from: event?.cursor })
  expect((await again.next()).event?.paymentId).toBe('b')
})
