import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from 'mpesa-stk'
import { afterAll, expect, test } from 'vitest'
import { openShop } from './open-shop.ts'
import type { PaymentAnswer } from './payment-answer.ts'

const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-shop-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const logger: Logger = { info: () => {}, warn: () => {}, error: () => {} }
const open = (data: string) =>
  openShop({ host: '127.0.0.1', port: 0, simulatorPort: 0, data: join(folder, data), latency: 'none', logger })

async function list(url: string): Promise<readonly PaymentAnswer[]> {
  const { payments } = (await (await fetch(`${url}/api/payments`)).json()) as { payments: PaymentAnswer[] }
  return payments
}

const payNow = (url: string) =>
  fetch(`${url}/api/payments`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    // Settled when the push is answered.
    body: JSON.stringify({ phoneNumber: '254700009001', product: 'chai', idempotencyKey: 'intent-0001' }),
  })

test('lists after a restart what it listed before', async () => {
  const first = await open('kept')
  await payNow(first.url)
  await first.mpesa.idle()
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
  await first.close()
  for (const name of ['shop.db', 'shop.db-wal', 'shop.db-shm']) rmSync(join(folder, 'lost', name), { force: true })
  const second = await open('lost')
  expect(await list(second.url)).toEqual([])
  await second.close()
})
