import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { SqliteRelayAdapter } from 'mpesa-stk/server'
import { describe, expect, test } from 'vitest'
import { paidBody } from '../callback-bodies.ts'
import { openRelay, openSink, type QuarantinePage } from './relay-floor.ts'
import { createTroubledStorage } from './troubled-storage.ts'

const paid = (id: string): string => JSON.stringify(paidBody(id, 'UHH0AB12CD'))

async function openTroubled(options: Parameters<typeof openRelay>[0] = {}) {
  const sqlite = await SqliteRelayAdapter.open(':memory:')
  await sqlite.migrate()
  const { storage, set } = createTroubledStorage(sqlite)
  const relay = await openRelay({ storage, ...options })
  return Object.assign(relay, { set, sqlite })
}

describe('a store', () => {
  test('that hangs is away: callbacks go to the disk in time, and are delivered when it answers', async () => {
    await using sink = await openSink()
    await using relay = await openTroubled()
    const app = await relay.createApp(sink.url)
    await relay.post(app.hookUrl, paid('ws_CO_0'))
    await sink.have(1)
    relay.set('hangs')
    const answers = await Promise.all(
      Array.from({ length: 300 }, (_, index) => relay.post(app.hookUrl, paid(`ws_CO_${index + 1}`))),
    )
    expect(answers.filter(({ status }) => status !== 200)).toEqual([])
    expect(relay.app.relay.spool.isEmpty).toBe(false)
    relay.set('none')
    await sink.have(301)
    await expect.poll(() => relay.app.relay.spool.isEmpty).toBe(true)
  })

  test('that holds the unreadable secrets of one app keeps the callbacks of all, and delivers those of the others', async () => {
    await using sink = await openSink()
    await using relay = await openTroubled()
    const [bad, good] = [await relay.createApp(sink.url), await relay.createApp(sink.url)]
    const row = await relay.sqlite.findApp(bad.appId)
    if (row === null) throw new Error('no app')
    await relay.sqlite.saveApp({ ...row, sealedSecrets: Uint8Array.of(1, 2, 3), version: row.version + 1 })
    relay.app.relay.apps.forget(bad.appId)
    expect((await relay.post(bad.hookUrl, paid('ws_CO_1'))).status).toBe(200)
    expect((await relay.post(good.hookUrl, paid('ws_CO_2'))).status).toBe(200)
    await sink.have(1)
    expect(sink.delivered[0]?.body).toContain('ws_CO_2')
    expect(await relay.sqlite.findEventOfPush(bad.appId, 'ws_CO_1')).toMatchObject({ status: 'PENDING' })
    expect(relay.app.relay.spool.isEmpty).toBe(true)
  })

  test('that is back after a long time keeps nobody waiting while the disk is drained', async () => {
    await using sink = await openSink()
    await using before = await openTroubled()
    const app = await before.createApp(sink.url)
    before.set('fails')
    await Promise.all(Array.from({ length: 2_000 }, (_, index) => before.post(app.hookUrl, paid(`ws_CO_${index}`))))
    await before.app.stop()
    const { storage, set } = createTroubledStorage(before.sqlite)
    set('hangs')
    await using relay = await openRelay({ storage, dataFolder: before.folder })
    await relay.app.start()
    // Nothing of it is drained yet, and what comes is taken.
    expect((await relay.post(app.hookUrl, paid('ws_CO_new'))).status).toBe(200)
    expect(relay.app.relay.spool.isEmpty).toBe(false)
    set('none')
    await sink.have(2_001)
    await expect.poll(() => relay.app.relay.spool.isEmpty).toBe(true)
  })

  test('that is back is written to directly again, though callbacks never cease to come', async () => {
    await using sink = await openSink()
    await using relay = await openTroubled()
    const app = await relay.createApp(sink.url)
    relay.set('fails')
    let number = 0
    let isOver = false
    const isDirect = () => number > 500 && relay.app.relay.spool.isEmpty
    const wentDirectly = expect.poll(isDirect, { interval: 5 }).toBe(true)
    const clients = Array.from({ length: 40 }, async () => {
      while (!isOver && number < 20_000) {
        expect((await relay.post(app.hookUrl, paid(`ws_CO_${++number}`))).status).toBe(200)
        if (number === 500) relay.set('none')
      }
    })
    await wentDirectly
    isOver = true
    await Promise.all(clients)
    expect(number).toBeLessThan(20_000)
    await sink.have(number)
  })

  test('that is away leaves strangers no more of the disk than its budget, and the callbacks of apps their place', async () => {
    await using relay = await openTroubled({ quarantineBudgetBytes: 1024 * 1024 })
    const app = await relay.createApp('http://127.0.0.1:9/')
    await relay.post(app.hookUrl, paid('ws_CO_0'))
    relay.set('fails')
    const junk = new Uint8Array(256 * 1024)
    for (let body = 0; body < 20; body++) expect((await relay.post('/hooks/nobody', junk)).status).toBe(200)
    expect(relay.app.relay.spool.bytes).toBeLessThan(1024 * 1024 + 10_000)
    expect(relay.app.relay.spool.bytes).toBeGreaterThan(700_000)
    await relay.post(app.hookUrl, paid('ws_CO_1'))
    relay.set('none')
    await expect.poll(() => relay.sqlite.findEventOfPush(app.appId, 'ws_CO_1')).not.toBe(null)
  })

  test('and a disk that both take nothing are said so, until one does', async () => {
    await using relay = await openTroubled()
    const app = await relay.createApp('http://127.0.0.1:9/')
    relay.set('fails')
    const spool = join(relay.folder, 'spool')
    renameSync(spool, `${spool}-away`)
    writeFileSync(spool, 'no folder')
    expect((await relay.post(app.hookUrl, paid('ws_CO_1'))).status).toBe(503)
    const full = await relay.get('/readyz')
    expect([full.status, await full.json()]).toMatchObject([503, { spool: 'full' }])
    renameSync(spool, `${spool}-file`)
    renameSync(`${spool}-away`, spool)
    // Nobody has posted since: a balancer that waits for this one to be ready sends nothing.
    const again = await relay.get('/readyz')
    expect([again.status, await again.json()]).toMatchObject([200, { spool: 'empty' }])
  })

  test('that is well takes what a disk refuses, though more waits on that', async () => {
    await using relay = await openTroubled()
    const app = await relay.createApp('http://127.0.0.1:9/')
    relay.set('fails')
    await relay.post(app.hookUrl, paid('ws_CO_1'))
    const spool = join(relay.folder, 'spool')
    renameSync(spool, `${spool}-away`)
    writeFileSync(spool, 'no folder')
    relay.set('none')
    expect((await relay.post(app.hookUrl, paid('ws_CO_2'))).status).toBe(200)
    expect(await relay.sqlite.findEventOfPush(app.appId, 'ws_CO_2')).not.toBe(null)
  })

  test('of another key delivers nothing, and keeps what comes', async () => {
    await using first = await openTroubled()
    const app = await first.createApp('http://127.0.0.1:9/')
    await using other = await openRelay({ storage: first.sqlite, encryptionKey: 'another key than before' })
    expect((await other.post(app.hookUrl, paid('ws_CO_1'))).status).toBe(200)
    expect(await first.sqlite.findEventOfPush(app.appId, 'ws_CO_1')).toMatchObject({ status: 'PENDING' })
    await expect.poll(() => other.log()).toContain('MPESA_STK_RELAY_KEY_WRONG')
  })
})

test('a body that breaks whoever reads it is nobody’s event, and stops nobody', async () => {
  await using sink = await openSink()
  await using relay = await openTroubled()
  const app = await relay.createApp(sink.url)
  const odd = { Result: { ResultCode: 0, OriginatorConversationID: 'x', ResultType: { toString: 1 } } }
  const deep = `{"Body":{"stkCallback":{"ResultCode":0,"CheckoutRequestID":"ws_CO_1","x":${'['.repeat(50_000)}${']'.repeat(50_000)}}}}`
  expect((await relay.post(app.hookUrl, JSON.stringify(odd))).status).toBe(200)
  expect((await relay.post(app.hookUrl, deep)).status).toBe(200)
  expect((await relay.post(app.hookUrl, paid('ws_CO_1'))).status).toBe(200)
  await expect.poll(() => sink.delivered.some(({ body }) => body.includes('UHH0AB12CD'))).toBe(true)
  const { bodies } = await relay.read<QuarantinePage>('/v1/quarantine')
  expect(bodies.map(({ reason }) => reason)).toEqual(['unrecognised'])
  expect(relay.app.relay.spool.isEmpty).toBe(true)
})

describe('a C2B validation', () => {
  const ask = async (relay: Awaited<ReturnType<typeof openTroubled>>, hookUrl: string): Promise<unknown> =>
    (await relay.post(`${hookUrl}/c2b/validation`, '{"TransID":"UHH0AB12CD"}')).json()

  test('is answered by the fallback of its app, also where that is disabled or the store is away', async () => {
    await using relay = await openTroubled()
    const careful = await relay.createApp('http://127.0.0.1:9/', { c2bFallback: 'reject' })
    const rejected = { ResultCode: 'C2B00016', ResultDesc: 'Rejected' }
    expect(await ask(relay, careful.hookUrl)).toEqual(rejected)
    relay.set('fails')
    relay.app.relay.apps.forget(careful.appId)
    expect(await ask(relay, careful.hookUrl)).toEqual(rejected)
    relay.set('none')
    await relay.app.relay.register.update(careful.appId, { isDisabled: true })
    expect(await ask(relay, careful.hookUrl)).toEqual(rejected)
  })

  test('reaches the endpoint of an app that was seen before, though the store hangs', async () => {
    await using sink = await openSink()
    await using relay = await openTroubled()
    const app = await relay.createApp(sink.url, { c2bFallback: 'reject' })
    sink.answer((_request, response) => void response.end('{"ResultCode":"0"}'))
    expect(await ask(relay, app.hookUrl)).toMatchObject({ ResultCode: '0' })
    relay.set('hangs')
    relay.app.relay.apps.forget(app.appId)
    expect(await ask(relay, app.hookUrl)).toMatchObject({ ResultCode: '0' })
    relay.set('none')
  })
})
