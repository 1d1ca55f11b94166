import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openDoor } from './door.ts'
import { openRelay } from './open-relay.ts'
import { quiet } from './open-test-shop.ts'
import { findRelayApp } from './relay-app.ts'

const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-relay-app-'))
const file = join(folder, 'relay-app.json')
const targetUrl = 'http://127.0.0.1:3000/mpesa/callback'

let relayUrl: string
let close: () => Promise<void>
beforeAll(async () => {
  const door = await openDoor('127.0.0.1', 0)
  const relay = await openRelay(door, folder, quiet)
  relayUrl = relay.url
  close = async () => {
    await relay.stop()
    await door.close()
    await relay.close()
  }
})
beforeEach(() => rmSync(file, { force: true }))
afterAll(async () => {
  await close()
  rmSync(folder, { recursive: true, force: true })
})

async function targetOf({ appId }: { readonly appId: string }): Promise<string> {
  return ((await (await fetch(`${relayUrl}/apps/${appId}`)).json()) as { targetUrl: string }).targetUrl
}

test("is kept for its owner's eyes only, and nothing unfinished beside it", async () => {
  writeFileSync(`${file}.unfinished`, 'half a li')
  const app = await findRelayApp({ file, relayUrl, targetUrl })
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(app)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(existsSync(`${file}.unfinished`)).toBe(false)
  expect(app.hookUrl).toBe(`/hooks/${app.appId}`)
})

test('is the same at the next start, and follows the shop to another port', async () => {
  const app = await findRelayApp({ file, relayUrl, targetUrl })
  expect(await targetOf(app)).toBe(targetUrl)
  const moved = 'http://127.0.0.1:3001/mpesa/callback'
  expect(await findRelayApp({ file, relayUrl, targetUrl: moved })).toEqual(app)
  expect(await targetOf(app)).toBe(moved)
})

test.each<[string, (kept: object) => string]>([
  ['that the relay does not know', kept => JSON.stringify({ ...kept, appId: crypto.randomUUID() })],
  ['with another secret', kept => JSON.stringify({ ...kept, signingSecret: 'guessed' })],
  ['that is half written', kept => JSON.stringify(kept).slice(0, 20)],
  ['that lacks its secret', kept => JSON.stringify({ ...kept, signingSecret: undefined })],
])('a kept app %s makes way for a new one', async (_what, spoil) => {
  const first = await findRelayApp({ file, relayUrl, targetUrl })
  writeFileSync(file, spoil(first))
  const second = await findRelayApp({ file, relayUrl, targetUrl })
  expect(second.appId).not.toBe(first.appId)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(second)
})

test('a relay that refuses the shop is named with its code, and what to do', async () => {
  const refused = findRelayApp({ file, relayUrl, targetUrl: 'ftp://127.0.0.1/' })
  await expect(refused).rejects.toThrow(/answered 422 \(MPESA_STK_TARGET_REFUSED\).*delete the folder relay/)
  expect(existsSync(file)).toBe(false)
})

test('the address of the relay greets whoever opens it', async () => {
  const response = await fetch(relayUrl)
  expect([response.status, await response.text()]).toEqual([200, expect.stringMatching(/^This is the relay/)])
})
