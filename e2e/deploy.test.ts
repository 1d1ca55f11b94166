import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { findServices } from '../scripts/services/find.ts'
import { paidBody } from './callback-bodies.ts'
import { frontProxies, startFrontProxy } from './deploy/front-proxy.ts'
import { listen, openSink, type Sink } from './relay/relay-floor.ts'
import { findFreePort, type RelayProcess, startRelay } from './relay/relay-process.ts'
import { openRelaySchema } from './relay/relay-schema.ts'

const { postgres } = await findServices()
const adminToken = 'the-operator-of-the-relay'
const operator = { authorization: `Bearer ${adminToken}` }

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-deploy-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function createApp(relay: RelayProcess, sink: Sink) {
  const response = await fetch(`${relay.url}/apps`, {
    method: 'POST',
    headers: { ...operator, 'content-type': 'application/json' },
    body: JSON.stringify({ targetUrl: sink.url }),
  })
  return (await response.json()) as { appId: string; hookUrl: string; signingSecret: string }
}

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8')

test('the settings that deploy/ and its page name are the relay’s, and those of its help are all that there are', () => {
  const known = [...read('packages/mpesa-stk/src/cli/relay-help.ts').matchAll(/^ {2}([A-Z][A-Z_]+) /gm)].map(
    ([, name]) => name,
  )
  expect(known).toContain('RELAY_ADMIN_TOKEN')
  const named = [
    ...[...read('deploy/mpesa-stk-relay.env.example').matchAll(/^#?([A-Z][A-Z_]+)=/gm)].map(([, name]) => name),
    ...['deploy/mpesa-stk-relay.service', 'deploy/backup.sh', 'deploy/restore.sh', 'docs/deploy.md'].flatMap(path =>
      [...read(path).matchAll(/(?<![A-Z_])RELAY_[A-Z_]+/g)].map(([name]) => name),
    ),
  ]
  expect(new Set(named)).toContain('DATABASE_URL')
  expect(named.filter(name => !known.includes(name))).toEqual([])
})

// Left out only where there is no systemd, which no service of ours is.
const hasSystemd = spawnSync('systemd-analyze', ['--version']).status === 0
test.skipIf(!hasSystemd)('systemd understands the unit', () => {
  const unit = join(newFolder(), 'mpesa-stk-relay.service')
  writeFileSync(unit, read('deploy/mpesa-stk-relay.service').replace('/usr/bin/node ', `${process.execPath} `))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' })
  expect([status, stderr.split('\n').filter(line => line.includes('mpesa-stk-relay'))]).toEqual([0, []])
})

const callback = (number: number): string => JSON.stringify(paidBody(`ws_CO_${number}`, 'UHH0AB12CD'))

// Left out only where the proxy is not installed: npm run services -- install. REQUIRE_ALL=1 runs them all the same.
const proxies = frontProxies.filter(({ find }) => process.env['REQUIRE_ALL'] === '1' || find() !== undefined)

describe.each(proxies)('behind $name as deploy/ has it', proxy => {
  test('a callback and what a merchant needs go through; the operator’s routes, and what is too long, do not', async () => {
    await using sink = await openSink()
    const relay = await startRelay({ PORT: '0', RELAY_DATA_DIR: newFolder(), RELAY_ADMIN_TOKEN: adminToken })
    onTestFinished(() => relay.kill())
    const { appId, hookUrl, signingSecret } = await createApp(relay, sink)
    await using front = await startFrontProxy(proxy, [relay.url])
    const merchant = { authorization: `Bearer ${signingSecret}` }
    const log = (query: string) => front.ask('GET', `/v1/apps/${appId}/log?${query}`, { headers: merchant })

    const waiting = log('waitMs=25000')
    const [tooLong, hooked] = await Promise.all([
      front.ask('POST', hookUrl, { body: Buffer.alloc(400_000, 'x') }),
      front.ask('POST', `${hookUrl}/t/a-secret-token`, { body: callback(1) }),
    ])
    expect(tooLong.status).toBe(proxy.tooLong)
    expect(hooked).toEqual({ status: 200, body: '{"ResultCode":0,"ResultDesc":"Success"}' })
    expect(JSON.parse((await waiting).body).entries).toHaveLength(1)
    await sink.have(1)
    expect((await front.ask('POST', hookUrl, { body: Buffer.alloc(256 * 1024, 'x') })).status).toBe(200)
    const quarantine = await fetch(`${relay.url}/v1/quarantine`, { headers: operator })
    const { bodies } = (await quarantine.json()) as { bodies: readonly { length: number }[] }
    expect(bodies.map(({ length }) => length)).toEqual([256 * 1024])

    for (const [method, path] of [
      ['GET', `/apps/${appId}`],
      ['GET', `/v1/apps/${appId}/events`],
      ['GET', `/status/ws_CO_1?app_id=${appId}`],
    ] as const) {
      expect([path, (await front.ask(method, path, { headers: merchant })).status]).toEqual([path, 200])
    }
    for (const [method, path] of [
      ['POST', '/apps'],
      ...['/apps', '/apps?limit=1', '//apps', '/v1/quarantine', '/metrics', '/readyz', '/livez', '/openapi.json'].map(
        each => ['GET', each] as const,
      ),
      ...[
        '/hooks/../apps',
        '/hooks/%2e%2e/apps',
        '/hooks/..%2fapps',
        '/v1/apps/../quarantine',
        '/status/.././metrics',
      ].map(each => ['GET', each] as const),
    ] as const) {
      const answer = await front.ask(method, path, { headers: operator })
      expect([path, answer.status]).toEqual([path, 404])
    }
    for (const secret of [appId, 'a-secret-token', 'ws_CO_1', signingSecret, adminToken]) {
      expect(front.logs()).not.toContain(secret)
    }
  })

  test('a page has its payment live, by WebSocket and by each of what stands in for it', async () => {
    const relay = await startRelay({ PORT: '0', RELAY_DATA_DIR: newFolder(), RELAY_ADMIN_TOKEN: adminToken })
    onTestFinished(() => relay.kill())
    await using sink = await openSink()
    const { appId, hookUrl, signingSecret } = await createApp(relay, sink)
    await using front = await startFrontProxy(proxy, [relay.url])
    const merchant = { authorization: `Bearer ${signingSecret}`, 'content-type': 'application/json' }
    const minted = await front.ask('POST', '/v1/tokens', {
      headers: merchant,
      body: JSON.stringify({ appId, streams: ['source'] }),
    })
    const { token } = JSON.parse(minted.body) as { token: string }

    const socket = new WebSocket(`${front.socket.url}/ws`, ['mpesa-stk.v1'], front.socket.options)
    const types: string[] = []
    const streamed = new Promise<void>(resolve => {
      socket.on('message', data => {
        const { type } = JSON.parse((data as Buffer).toString()) as { type: string }
        types.push(type)
        if (type === 'hello') socket.send(JSON.stringify({ type: 'auth', token }))
        if (type === 'ready') socket.send(JSON.stringify({ type: 'subscribe', id: 1, stream: 'source' }))
        if (type === 'live') void front.ask('POST', hookUrl, { body: callback(1) })
        if (type === 'event') resolve()
      })
    })
    await streamed
    socket.terminate()
    expect(types).toEqual(['hello', 'ready', 'subscribed', 'live', 'event'])

    const bearer = { authorization: `Bearer ${token}` }
    const polled = await front.ask('GET', '/v1/streams/source/events?wait=5', { headers: bearer })
    expect(JSON.parse(polled.body).frames).toMatchObject([{ type: 'event' }, { type: 'live' }])
    const first = await front.firstBytes('/v1/streams/source/events', { ...bearer, accept: 'text/event-stream' })
    expect(first).toContain('data: {"type":"event"')
    expect(front.logs()).not.toContain(token)
  })

  test('whoever says that he is somebody else is not believed', async () => {
    const upstream = createServer((request, response) => response.end(JSON.stringify(request.headers)))
    const port = await listen(upstream)
    onTestFinished(() => void upstream.close())
    await using front = await startFrontProxy(proxy, [`http://127.0.0.1:${port}`])
    const lies = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-client-ip', 'true-client-ip', 'cf-connecting-ip']
    const headers = Object.fromEntries(lies.map(name => [name, '196.201.214.200']))
    const { body } = await front.ask('POST', '/hooks/app', { headers, body: '{}' })
    expect(body).not.toContain('196.201.214.200')
    expect(JSON.parse(body)).toMatchObject({ 'x-forwarded-for': '127.0.0.1' })
  })

  // Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
  test.skipIf(postgres === undefined)(
    'of two relays one is killed, comes back, and the other is restarted: nothing that was acknowledged is lost',
    async () => {
      await using schema = await openRelaySchema(postgres?.url ?? '')
      await using sink = await openSink()
      const start = async ({ port, folder }: { port: number; folder: string }): Promise<RelayProcess> => {
        const relay = await startRelay({
          DATABASE_URL: schema.url(),
          PORT: String(port),
          RELAY_DATA_DIR: folder,
          RELAY_ADMIN_TOKEN: adminToken,
          RELAY_ENCRYPTION_KEY: 'a key that both relays share',
          LOG_LEVEL: 'silent',
        })
        onTestFinished(() => relay.kill())
        return relay
      }
      const first = { port: await findFreePort(), folder: newFolder() }
      let one = await start(first)
      const other = await start({ port: 0, folder: newFolder() })
      const { appId, hookUrl } = await createApp(one, sink)
      await using front = await startFrontProxy(proxy, [one.url, other.url])

      const acknowledged = new Set<string>()
      const refusals: number[] = []
      let next = 0
      let isOver = false
      const posted = (more: number): Promise<void> => {
        const until = acknowledged.size + more
        return expect.poll(() => acknowledged.size, { interval: 10 }).toBeGreaterThanOrEqual(until)
      }
      const load = Array.from({ length: 4 }, async () => {
        while (!isOver) {
          const number = next++
          const { status } = await front.ask('POST', hookUrl, { body: callback(number) })
          if (status === 200) acknowledged.add(`ws_CO_${number}`)
          else refusals.push(status)
          // At a pace that leaves the machine time to start a relay.
          await new Promise(resolve => setTimeout(resolve, 50))
        }
      })
      await posted(50)
      await one.kill()
      await posted(50)
      one = await start(first)
      expect(await other.stop()).toBe(0)
      await posted(50)
      isOver = true
      await Promise.all(load)
      const missing = async (): Promise<readonly string[]> => {
        const events = await schema.storage.listEvents(appId, {}, next)
        const stored = new Set(events.map(({ checkoutRequestId }) => checkoutRequestId))
        return [...acknowledged].filter(id => !stored.has(id))
      }
      await expect.poll(missing).toEqual([])
      if (proxy.triesAgain) expect(refusals).toEqual([])
      expect(await one.stop()).toBe(0)
    },
    180_000,
  )
})
