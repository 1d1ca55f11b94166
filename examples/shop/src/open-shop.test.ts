import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'mpesa-stk'
import { afterAll, expect, test } from 'vitest'
import { readRelayedEvents } from './once-relayed.ts'
import { openShop } from './open-shop.ts'
import type { PaymentAnswer } from './payment-answer.ts'

const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-shop-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const logger: Logger = { info: () => {}, warn: () => {}, error: () => {} }
const ports = { port: 0, simulatorPort: 0, relayPort: 0 }
const open = (data: string, scheduleMs?: readonly number[]) =>
  openShop({ host: '127.0.0.1', ...ports, data: join(folder, data), latency: 'none', logger, scheduleMs })

async function list(url: string): Promise<readonly PaymentAnswer[]> {
  const { payments } = (await (await fetch(`${url}/api/payments`)).json()) as { payments: PaymentAnswer[] }
  return payments
}

const payNow = (url: string) =>
  fetch(`${url}/api/payments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    // Pays at once.
    body: JSON.stringify({ phoneNumber: '254700009001', product: 'chai', idempotencyKey: 'intent-0001' }),
  })

test('lists after a restart what it listed before', async () => {
  const first = await open('kept')
  await payNow(first.url)
  await first.settled()
  const before = await list(first.url)
  await first.close()
  const second = await open('kept')
  expect(before).toMatchObject([{ title: { en: 'Kericho tea' }, status: 'SUCCESS', isPacked: true }])
  expect(await list(second.url)).toEqual(before)
  await second.close()
})

test('packs at its start what was paid when the process died, once', async () => {
  const first = await open('packs')
  await payNow(first.url)
  await first.settled()
  await first.close()
  const file = join(folder, 'packs', 'orders.jsonl')
  writeFileSync(file, readFileSync(file, 'utf8').replace(/.*"packed".*\n/, ''))
  for (const _start of [1, 2]) {
    const next = await open('packs')
    expect(await list(next.url)).toMatchObject([{ isPacked: true }])
    await next.close()
  }
  expect(readFileSync(file, 'utf8').match(/"packed"/g)).toHaveLength(1)
})

test('leaves out what the store does not know', async () => {
  const first = await open('lost')
  await payNow(first.url)
  await first.settled()
  await first.close()
  for (const name of ['shop.db', 'shop.db-wal', 'shop.db-shm']) rmSync(join(folder, 'lost', name), { force: true })
  const second = await open('lost')
  expect(await list(second.url)).toEqual([])
  await second.close()
})

test('a callback that comes while the shop is down is delivered when it is back', async () => {
  const shop = await open('down', [10, 10, 10])
  shop.setDown(true)
  await payNow(shop.url)
  await shop.settled()
  expect(await readRelayedEvents(shop)).toMatchObject([{ status: 'FAILED', attempts: [{ httpStatus: 503 }] }])
  expect(await list(shop.url)).toMatchObject([{ status: 'PENDING', isPacked: false }])
  shop.setDown(false)
  await expect.poll(() => list(shop.url), { timeout: 5_000 }).toMatchObject([{ status: 'SUCCESS', isPacked: true }])
  await shop.settled()
  expect(await readRelayedEvents(shop)).toMatchObject([{ status: 'DELIVERED' }])
  await shop.close()
})

test('a callback that was not delivered when the shop closed is delivered after its next start, on another port', async () => {
  const first = await open('closed', [10, 10, 10, 10])
  first.setDown(true)
  await payNow(first.url)
  await first.settled()
  await first.close()
  const second = await open('closed')
  expect(second.relayApp).toEqual(first.relayApp)
  expect(second.url).not.toBe(first.url)
  await expect.poll(() => list(second.url), { timeout: 5_000 }).toMatchObject([{ status: 'SUCCESS', isPacked: true }])
  await second.close()
})

test('what was acknowledged when the shop closes is delivered before it has closed', async () => {
  const first = await open('closing')
  const acknowledged = first.simulator.waitFor('callback-attempted')
  await Promise.all([payNow(first.url), acknowledged])
  await first.close()
  const second = await open('closing')
  expect(await readRelayedEvents(second)).toMatchObject([{ status: 'DELIVERED', attempts: [{ number: 1 }] }])
  expect(await list(second.url)).toMatchObject([{ status: 'SUCCESS' }])
  await second.close()
})

test('a relay whose data are gone gets a new app, and payments go on', async () => {
  const first = await open('new-relay')
  await first.close()
  rmSync(join(folder, 'new-relay', 'relay'), { recursive: true })
  const second = await open('new-relay')
  expect(second.relayApp.appId).not.toBe(first.relayApp.appId)
  await payNow(second.url)
  await second.settled()
  expect(await list(second.url)).toMatchObject([{ status: 'SUCCESS' }])
  await second.close()
})
