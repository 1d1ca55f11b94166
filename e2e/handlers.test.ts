import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryAdapter, type SettledEvent, SqliteAdapter } from 'mpesa-stk'
import { afterAll, describe, expect, test } from 'vitest'
import { createManualClock, openShopFloor } from './shop-floor.ts'

const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-handlers-'))
afterAll(() => rmSync(folder, { recursive: true }))

const order = { phoneNumber: '0708374149', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' }
const day = 24 * 60 * 60 * 1000

describe('a settled-handler', () => {
  test('that fails is called again on the schedule, with the same event, until it succeeds', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const mpesa = floor.open(new MemoryAdapter(), {}, clock)
    const events: SettledEvent[] = []
    mpesa.onPaymentSettled((_payment, event) => {
      events.push(event)
      if (events.length < 3) throw new Error('the order system is down')
    })
    await mpesa.initiatePayment(order)
    await floor.idle()
    expect(events).toHaveLength(1)
    expect(await mpesa.runDueWork()).toBe(0)
    clock.advance(1_000)
    expect(await mpesa.runDueWork()).toBe(1)
    clock.advance(5_000)
    expect(await mpesa.runDueWork()).toBe(1)
    clock.advance(day)
    expect(await mpesa.runDueWork()).toBe(0)
    expect(events).toHaveLength(3)
    expect(new Set(events.map(({ id }) => id)).size).toBe(1)
    expect(events[0]?.cause).toBe('payment.settled')
  })

  test('that fails ten times is parked and shown, never forgotten', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const mpesa = floor.open(new MemoryAdapter(), {}, clock)
    let calls = 0
    mpesa.onPaymentSettled(payment => {
      calls++
      throw new Error(`cannot tell ${payment.phoneNumber}`)
    })
    const { paymentId } = await mpesa.initiatePayment(order)
    await floor.idle()
    for (let attempt = 2; attempt <= 12; attempt++) {
      clock.advance(day)
      await mpesa.runDueWork()
    }
    expect(calls).toBe(10)
    const parked = await mpesa.parkedWork()
    expect(parked).toMatchObject([{ kind: 'settled', paymentId, attempts: 10 }])
    expect(parked[0]?.lastError).toBe('Error: cannot tell 2547*****149')
  })

  test('that hangs holds up no other payment, and its call is made again when its lease has run out', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const mpesa = floor.open(new MemoryAdapter(), {}, clock)
    const called: string[] = []
    let release = () => {}
    mpesa.onPaymentSettled(payment => {
      called.push(payment.accountReference)
      if (payment.accountReference !== 'HANGS' || called.length > 1) return
      return new Promise<void>(resolve => {
        release = resolve
      })
    })
    await mpesa.initiatePayment({ ...order, accountReference: 'HANGS' })
    await floor.simulator.idle()
    await mpesa.initiatePayment({
      ...order,
      accountReference: 'NEXT',
      idempotencyKey: 'NEXT',
      phoneNumber: '0700000000',
    })
    await floor.simulator.idle()
    await mpesa.runDueWork()
    expect(called).toEqual(['HANGS', 'NEXT'])
    clock.advance(5 * 60_000)
    expect(await mpesa.runDueWork()).toBe(1)
    expect(called).toEqual(['HANGS', 'NEXT', 'HANGS'])
    release()
    await mpesa.idle()
    clock.advance(day)
    expect(await mpesa.runDueWork()).toBe(0)
  })

  test('is called by the next process when the one that settled died first', async () => {
    await using floor = await openShopFloor()
    const path = join(folder, 'died.db')
    const store = await SqliteAdapter.open(path)
    await store.migrate()
    // Settled by a process that never came to call anybody: it had no handlers.
    const { paymentId } = await floor.openSilent(store).initiatePayment(order)
    await floor.simulator.idle()
    await store.close()

    const again = await SqliteAdapter.open(path)
    await again.migrate()
    const mpesa = floor.open(again)
    await mpesa.start()
    await mpesa.stop()
    expect(floor.settled.map(({ id, status }) => [id, status])).toEqual([[paymentId, 'SUCCESS']])
    await again.close()
  })
})
