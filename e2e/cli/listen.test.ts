import { readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SqliteRelayAdapter, verifySignature } from 'mpesa-stk/server'
import { describe, expect, test, vi } from 'vitest'
import { failedBody } from '../callback-bodies.ts'
import { openCutOff } from '../relay/cut-off.ts'
import { openSink, type Sink } from '../relay/relay-floor.ts'
import { findFreePort } from '../relay/relay-process.ts'
import { type App, openFloor } from './cli-floor.ts'

// Every command is a process, which two cores that are busy with much else start in seconds.
vi.setConfig({ testTimeout: 300_000 })

type Floor = Awaited<ReturnType<typeof openFloor>>

const nobody = 'http://127.0.0.1:9/'

async function post(floor: Floor, { hookUrl }: App, ...ids: readonly string[]): Promise<void> {
  for (const id of ids) await floor.post(hookUrl, JSON.stringify(failedBody(id, 1032)))
}

const idOf = (body: string): string => /"CheckoutRequestID":"([^"]+)"/.exec(body)?.[1] ?? '?'
const idsOf = (sink: Sink): readonly string[] => sink.delivered.map(({ body }) => idOf(body))

/** Without those that follow themselves. */
const withoutRepeats = (ids: readonly string[]): readonly string[] => ids.filter((id, index) => id !== ids[index - 1])

/** What comes after it has said so is not missed. */
async function listen(floor: Floor, app: App, sink: Sink, environment = {}) {
  const cli = floor.start(['listen', app.appId, '--forward-to', sink.url], environment)
  await cli.says('callbacks go to')
  return cli
}

test('callbacks are forwarded as they would be delivered, in order, each once, over restarts of relay, command and network', async () => {
  await using sink = await openSink()
  await using floor = await openFloor(await findFreePort())
  await using network = await openCutOff({ host: '127.0.0.1', port: Number(new URL(floor.url()).port) })
  const app = await floor.createApp(nobody)
  await post(floor, app, 'ws_CO_before')
  const merchant = {
    RELAY_URL: `http://127.0.0.1:${network.port}`,
    RELAY_ADMIN_TOKEN: '',
    RELAY_SIGNING_SECRET: app.signingSecret,
  }
  const first = await listen(floor, app, sink, merchant)
  await post(floor, app, 'ws_CO_1', 'ws_CO_2')
  await sink.have(2)
  for (const { headers, body } of sink.delivered) {
    expect(verifySignature(body, app.signingSecret, headers['x-mpesa-signature'])).toBe(true)
    expect(headers).toMatchObject({ 'x-mpesa-kind': 'stk', 'content-type': 'application/json' })
    expect(headers['x-mpesa-event-id']).toMatch(/^[0-9a-f-]{36}$/)
    expect(headers).toHaveProperty('webhook-signature')
  }
  await network.cut()
  await first.says('asking again until it answers')
  await post(floor, app, 'ws_CO_3', 'ws_CO_4')
  await network.mend()
  await sink.have(4)
  await floor.killRelay()
  await floor.startRelay()
  await post(floor, app, 'ws_CO_5')
  await sink.have(5)
  const ack5 = await first.says('HTTP 200')
  expect(ack5).toMatch(/^\d\d:\d\d:\d\d {2}stk {5}[0-9a-f-]{36} {2}HTTP 200 in \d+ ms$/)
  await expect.poll(() => first.stdout.length).toBe(5)
  expect((await first.end('SIGINT')).code).toBe(0)
  await post(floor, app, 'ws_CO_6')
  const second = await listen(floor, app, sink, merchant)
  await second.says('from where it stopped')
  await sink.have(6)
  await post(floor, app, 'ws_CO_7')
  await sink.have(7)
  expect(idsOf(sink)).toEqual([1, 2, 3, 4, 5, 6, 7].map(number => `ws_CO_${number}`))
})

test('what the server does not take is sent to it again, signed anew, and nothing goes before it', async () => {
  await using sink = await openSink()
  await using floor = await openFloor()
  const app = await floor.createApp(nobody)
  let refusals = 2
  sink.answer((_request, response, { body }) => {
    const isRefused = idOf(body) === 'ws_CO_2' && refusals-- > 0
    if (isRefused) response.writeHead(refusals === 1 ? 500 : 302, { location: '/elsewhere' }).end()
    else response.writeHead(204).end()
  })
  const cli = await listen(floor, app, sink)
  await post(floor, app, 'ws_CO_1', 'ws_CO_2', 'ws_CO_3')
  await sink.have(5)
  expect(idsOf(sink)).toEqual(['ws_CO_1', 'ws_CO_2', 'ws_CO_2', 'ws_CO_2', 'ws_CO_3'])
  expect(await cli.says('HTTP 500')).toMatch(/HTTP 500, again in 1 s$/)
  expect(await cli.says('HTTP 302')).toMatch(/HTTP 302, again in 2 s$/)
  const times = sink.delivered.map(({ headers }) => Number(headers['x-mpesa-timestamp']))
  expect(times[3]).toBeGreaterThan(times[1] ?? 0)
})

test('a server that is not there yet is waited for', async () => {
  await using floor = await openFloor()
  const app = await floor.createApp(nobody)
  const port = await findFreePort()
  const cli = floor.start(['listen', app.appId, '--forward-to', `http://127.0.0.1:${port}/`, '--json'])
  await cli.says('callbacks go to')
  await post(floor, app, 'ws_CO_1')
  expect(JSON.parse(await cli.says('ECONNREFUSED'))).toMatchObject({
    kind: 'stk',
    isAcked: false,
    httpStatus: null,
    retryInMs: 1_000,
  })
  await using sink = await openSink(port)
  await sink.have(1)
})

test('killed again and again in the middle, it repeats at most the one that was under way, and leaves out none', async () => {
  await using sink = await openSink()
  await using floor = await openFloor()
  const app = await floor.createApp(nobody)
  let cli = await listen(floor, app, sink)
  const ids = Array.from({ length: 24 }, (_, index) => `ws_CO_${index}`)
  // Killed while the server has it and has not answered; when it has answered; and when the cursor may be written.
  let kills = 0
  sink.answer((_request, response) => {
    const count = sink.delivered.length
    if (count % 5 !== 0 || kills >= 4) return void response.writeHead(200).end()
    kills++
    if (kills % 2 === 1) process.kill(cli.pid, 'SIGKILL')
    response.writeHead(200).end(() => kills % 2 === 0 && process.kill(cli.pid, 'SIGKILL'))
  })
  await post(floor, app, ...ids)
  for (let round = 0; round < 4; round++) {
    await cli.ended
    cli = await listen(floor, app, sink)
  }
  await expect.poll(() => idsOf(sink).at(-1), { timeout: 60_000 }).toBe(ids.at(-1))
  expect(withoutRepeats(idsOf(sink))).toEqual(ids)
  expect(sink.delivered.length).toBeLessThanOrEqual(ids.length + 4)
  expect(sink.delivered.length).toBeGreaterThanOrEqual(ids.length + 2)
})

test('an event whose body was removed for its age is told, and holds up nobody', async () => {
  await using sink = await openSink()
  await using target = await openSink()
  await using floor = await openFloor(await findFreePort())
  const app = await floor.createApp(target.url)
  await post(floor, app, 'ws_CO_old')
  await target.have(1)
  // A stop stores what is under way.
  await floor.stopRelay()
  const storage = await SqliteRelayAdapter.open(join(floor.dataFolder, 'relay.db'))
  expect((await storage.retain('bodies', new Date(Date.now() + 60_000), '', 10)).removed).toBe(1)
  await storage.close()
  await floor.startRelay()
  await post(floor, app, 'ws_CO_1')
  const file = join(floor.folder, 'cursor.json')
  writeFileSync(file, JSON.stringify({ appId: app.appId, cursor: 'gone.7' }))
  const cli = floor.start(['listen', app.appId, '--forward-to', sink.url, '--cursor-file', file])
  await cli.says('its body was removed for its age; not forwarded')
  await sink.have(1)
  expect(idsOf(sink)).toEqual(['ws_CO_1'])
})

describe('the cursor file', () => {
  test('is one listener’s at a time', async () => {
    await using sink = await openSink()
    await using floor = await openFloor()
    const app = await floor.createApp(nobody)
    const first = await listen(floor, app, sink)
    const second = await floor.run(['listen', app.appId, '--forward-to', sink.url])
    expect([second.code, second.stderr.split(':')[0]]).toEqual([1, 'MPESA_STK_CURSOR_IN_USE'])
    symlinkSync(join(floor.folder, `.mpesa-stk/listen-${app.appId}.json`), join(floor.folder, 'link'))
    const third = await floor.run(['listen', app.appId, '--forward-to', sink.url, '--cursor-file', 'link'])
    expect([third.code, third.stderr.split(':')[0]]).toEqual([1, 'MPESA_STK_CURSOR_IN_USE'])
    await first.end('SIGKILL')
    await listen(floor, app, sink)
  })

  test('of another app, or that is none, is left alone', async () => {
    await using floor = await openFloor()
    const app = await floor.createApp(nobody)
    const file = join(floor.folder, 'cursor.json')
    for (const text of [JSON.stringify({ appId: 'other', cursor: 'x.1' }), 'not JSON', 'null']) {
      writeFileSync(file, text)
      const ended = await floor.run(['listen', app.appId, '--forward-to', nobody, '--cursor-file', file])
      expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('is not the cursor file of this app')])
      expect(readFileSync(file, 'utf8')).toBe(text)
    }
  })

  test('of a log that is not there any more is said loudly, and the log read from its beginning', async () => {
    await using sink = await openSink()
    await using floor = await openFloor()
    const app = await floor.createApp(nobody)
    await post(floor, app, 'ws_CO_1')
    const file = join(floor.folder, 'cursor.json')
    writeFileSync(file, JSON.stringify({ appId: app.appId, cursor: 'gone.7' }))
    const cli = floor.start(['listen', app.appId, '--forward-to', sink.url, '--cursor-file', file])
    await cli.says('GAP')
    await sink.have(1)
    expect(idsOf(sink)).toEqual(['ws_CO_1'])
  })
})
