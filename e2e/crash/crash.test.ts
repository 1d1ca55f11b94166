import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SqliteAdapter } from 'mpesa-stk'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { createManualClock, openShopFloor, type ShopFloor } from '../shop-floor.ts'

const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-crash-'))
afterAll(() => rmSync(folder, { recursive: true }))

const children: ChildProcess[] = []
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

function startInitiating(floor: ShopFloor, path: string): ChildProcess {
  const script = fileURLToPath(new URL('initiate-once.ts', import.meta.url))
  const child = spawn(
    process.execPath,
    ['--conditions=@mpesa-stk/source', '--import', 'tsx', script, path, floor.simulator.url, floor.callbackUrl],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  )
  children.push(child)
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL')
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

const order = { phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' }

describe('kill -9 while a push is under way', () => {
  test('never prompts twice, says UNKNOWN, and the callback with the token settles it', async () => {
    await using floor = await openShopFloor()
    const path = join(folder, 'under-way.db')
    floor.simulator.addScenario({ outcome: 'paid', ackDelayMs: 60_000, callbackDelayMs: 60_000 })
    const child = startInitiating(floor, path)
    const transaction = await floor.simulator.waitForTransaction(() => true, { timeoutMs: 15_000 })
    await killed(child)

    const store = await SqliteAdapter.open(path)
    await store.migrate()
    const clock = createManualClock()
    const mpesa = floor.open(store, { callbackToken: 'path' }, clock)
    const after = await mpesa.initiatePayment(order)
    expect(after).toEqual({ paymentId: expect.any(String), status: 'UNKNOWN' })
    expect(floor.simulator.transactions()).toHaveLength(1)

    const token = transaction.callbackUrl.split('/t/')[1]
    const settled = await mpesa.processCallback(successFor(transaction.checkoutRequestId), { token })
    expect(settled).toMatchObject({ outcome: 'settled', paymentId: after.paymentId, status: 'SUCCESS' })
    expect(await mpesa.initiatePayment(order)).toMatchObject({ status: 'SUCCESS', paymentId: after.paymentId })
    expect(floor.simulator.transactions()).toHaveLength(1)
    const trail = await mpesa.history({ paymentId: after.paymentId })
    expect(trail.map(({ event }) => event)).toEqual([
      'initiation.reserved',
      'initiation.sent',
      'initiation.unknown',
      'payment.settled',
    ])
    await store.close()
  })

  test('before the push has left: the next process finds the intent and prompts once', async () => {
    await using floor = await openShopFloor()
    const path = join(folder, 'before.db')
    // A push waits for its token first: with that held back, the process dies between storing the intent and pushing.
    floor.simulator.addScenario({ api: 'oauth', ackDelayMs: 60_000 })
    const asked = floor.simulator.waitFor('request-received', { timeoutMs: 15_000 })
    const child = startInitiating(floor, path)
    await asked
    await killed(child)
    expect(floor.simulator.transactions()).toHaveLength(0)

    const store = await SqliteAdapter.open(path)
    await store.migrate()
    const mpesa = floor.open(store, { callbackToken: 'path' }, createManualClock())
    expect(await mpesa.initiatePayment(order)).toMatchObject({ status: 'PENDING' })
    expect(floor.simulator.transactions()).toHaveLength(1)
    await store.close()
  })
})

function successFor(CheckoutRequestID: string): object {
  const Item = [
    { Name: 'Amount', Value: 500 },
    { Name: 'MpesaReceiptNumber', Value: 'UHH0AB12CD' },
  ]
  return {
    Body: {
      stkCallback: {
        MerchantRequestID: 'm',
        CheckoutRequestID,
        ResultCode: 0,
        ResultDesc: 'ok',
        CallbackMetadata: { Item },
      },
    },
  }
}
