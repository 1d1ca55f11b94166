import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startRelay } from './relay-process.ts'

test('a stop waits neither for connections that a proxy keeps sending over nor for who follows a log', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-stop-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const relay = await startRelay({ PORT: '0', RELAY_DATA_DIR: folder })
  onTestFinished(() => relay.kill())
  const created = await fetch(`${relay.url}/apps`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"targetUrl":"http://127.0.0.1:9/"}',
  })
  const { appId } = (await created.json()) as { appId: string }
  const waiting = fetch(`${relay.url}/v1/apps/${appId}/log?waitMs=25000`).then(response => response.json())
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  onTestFinished(() => agent.destroy())
  /** The status, or null when the relay takes no more. */
  const ask = (): Promise<number | null> =>
    new Promise(resolve => {
      const asked = request(`${relay.url}/livez`, { agent }, response => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      })
      asked.on('error', () => resolve(null)).end()
    })
  await ask()
  const stopped = relay.stop()
  while ((await ask()) !== null);
  expect(await waiting).toMatchObject({ entries: [], gap: false })
  expect(await stopped).toBe(0)
  expect(relay.log()).not.toContain('took too long')
})

test.each([
  ['nothing', ''],
  ['half a request', 'POST /hooks/a HTTP/1.1\r\nHost: relay\r\nContent-Length: 9\r\n\r\n{'],
])('a stop ends what is under way whoever keeps a connection open and sends %s', async (_what, sent) => {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-stop-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const relay = await startRelay({ PORT: '0', RELAY_DATA_DIR: folder })
  onTestFinished(() => relay.kill())
  const { hostname, port } = new URL(relay.url)
  const stranger = connect(Number(port), hostname).on('error', () => undefined)
  onTestFinished(() => void stranger.destroy())
  await once(stranger, 'connect')
  stranger.write(sent)
  // Behind the stranger's: when this is answered, his connection is taken.
  await fetch(`${relay.url}/livez`)
  expect(await relay.stop()).toBe(0)
  expect(relay.log()).not.toContain('took too long')
})
