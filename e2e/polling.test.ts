import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MemoryAdapter, SqliteAdapter } from 'mpesa-stk'
import type { ScenarioInput } from 'mpesa-stk-simulator'
import { afterAll, describe, expect, test } from 'vitest'
import { paidBody } from './callback-bodies.ts'
import { createManualClock, openShopFloor, type ShopFloor } from './shop-floor.ts'

const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-polling-'))
afterAll(() => rmSync(folder, { recursive: true }))

const order = { phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' }
const lost: ScenarioInput = { outcome: 'paid', callbackLost: true }
/** Fast enough that the pace never matters where a test is not about it. */
const unpaced = { queriesPerMinute: 6_000 }

const queries = ({ simulator }: ShopFloor): number =>
  simulator.requests().filter(({ path }) => path.includes('stkpushquery')).length

describe('a payment whose callback does not come', () => {
  test('is settled by asking, without a receipt, and its handlers hear of it once', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const mpesa = floor.open(new MemoryAdapter(), {}, clock)
    floor.simulator.addScenario(lost)
    const { paymentId } = await mpesa.initiatePayment(order)
    await floor.idle()
    expect(await mpesa.runDueWork(), 'nothing is due before the first pause').toBe(0)
    clock.advance(5_000)
    expect(await mpesa.runDueWork(), 'one query and one call of the handler').toBe(2)
    expect(floor.settled.map(({ status, mpesaReceiptNumber }) => [status, mpesaReceiptNumber])).toEqual([
      ['SUCCESS', null],
    ])
    const trail = await mpesa.history({ paymentId })
    expect(trail.at(-1)).toMatchObject({ event: 'payment.settled', cause: 'poll', before: 'PENDING', after: 'SUCCESS' })
    clock.advance(3_600_000)
    expect(await mpesa.runDueWork()).toBe(0)
    expect(queries(floor)).toBe(1)
  })

  test('gets its receipt from a callback that comes after all, and that is announced', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const mpesa = floor.open(new MemoryAdapter(), {}, clock)
    const causes: string[] = []
    mpesa.onPaymentSettled((_payment, { cause }) => void causes.push(cause))
    floor.simulator.addScenario(lost)
    await mpesa.initiatePayment(order)
    await floor.idle()
    clock.advance(5_000)
    await mpesa.runDueWork()
    const [transaction] = floor.simulator.transactions()
    await floor.post(paidBody(transaction?.checkoutRequestId ?? '', 'UHH0AB12CD'))
    await floor.idle()
    expect(floor.settled.at(-1)).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD' })
    expect(causes).toEqual(['payment.settled', 'payment.receipt-added'])
  })

  test('is asked about on the documented schedule, and is TIMEOUT after ten answers', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const mpesa = floor.open(new MemoryAdapter(), unpaced, clock)
    floor.simulator.addScenario({ outcome: 'pending' })
    const { paymentId } = await mpesa.initiatePayment(order)
    const askedAtSecond: number[] = []
    for (let second = 1; second <= 240; second++) {
      clock.advance(1_000)
      const before = queries(floor)
      await mpesa.runDueWork()
      if (queries(floor) > before) askedAtSecond.push(second)
    }
    expect(askedAtSecond).toEqual([5, 15, 30, 55, 85, 115, 145, 175, 205, 235])
    expect(await mpesa.getPayment(paymentId)).toMatchObject({
      status: 'TIMEOUT',
      resultCodeText: null,
      explanation: { code: 'NO_FINAL_ANSWER' },
    })
    expect(floor.settled.map(({ status }) => status)).toEqual(['TIMEOUT'])
    const [transaction] = floor.simulator.transactions()
    await floor.post(paidBody(transaction?.checkoutRequestId ?? '', 'UHH0AB12CD'))
    await floor.idle()
    expect(floor.settled.map(({ status }) => status)).toEqual(['TIMEOUT', 'SUCCESS'])
    expect((await mpesa.history({ paymentId })).at(-1)).toMatchObject({ event: 'payment.corrected', before: 'TIMEOUT' })
  })

  test('counts no refusal, no firewall page, no broken and no unanswered query as an attempt', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const mpesa = floor.open(new MemoryAdapter(), { ...unpaced, maxPollAttempts: 2 }, clock)
    const noAnswers = [
      '429',
      'incapsula-403',
      'incapsula-503',
      '500-html',
      '200-html',
      '500.003.02',
      'lost',
      'lost',
    ] as const
    floor.simulator.addScenario({ ...lost, queryAnswers: [...noAnswers, 'processing', '0'] })
    const { paymentId } = await mpesa.initiatePayment(order)
    await floor.idle()
    while ((await mpesa.getPayment(paymentId))?.status === 'PENDING') {
      clock.advance(120_000)
      await mpesa.runDueWork()
    }
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'SUCCESS' })
    expect(queries(floor)).toBe(noAnswers.length + 2)
    expect((await mpesa.history({ paymentId })).at(-1)?.evidence).toMatchObject({ answers: 2 })
  })

  test.each(['4999', 'processing', 'invalid', '31337'])('is never settled by %s', async answer => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const mpesa = floor.open(new MemoryAdapter(), unpaced, clock)
    floor.simulator.addScenario({ outcome: 'pending', queryAnswers: [answer], queryAnswersThen: 'repeat-last' })
    const { paymentId } = await mpesa.initiatePayment(order)
    for (let round = 0; round < 9; round++) {
      clock.advance(30_000)
      await mpesa.runDueWork()
    }
    expect(queries(floor)).toBe(9)
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'PENDING' })
  })

  test('ends by its age where nobody answers at all', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const mpesa = floor.open(new MemoryAdapter(), unpaced, clock)
    floor.simulator.addScenario({ outcome: 'pending', queryAnswers: ['500-html'], queryAnswersThen: 'repeat-last' })
    const { paymentId } = await mpesa.initiatePayment(order)
    for (let minute = 0; minute < 60; minute++) {
      clock.advance(60_000)
      await mpesa.runDueWork()
    }
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'PENDING' })
    clock.advance(600_000)
    await mpesa.runDueWork()
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'TIMEOUT' })
  })

  test('is asked about by the next process when this one ends', async () => {
    await using floor = await openShopFloor()
    const path = join(folder, 'restart.db')
    const clock = createManualClock()
    const store = await SqliteAdapter.open(path)
    await store.migrate()
    floor.simulator.addScenario(lost)
    const { paymentId } = await floor.open(store, {}, clock).initiatePayment(order)
    await floor.idle()
    await store.close()
    const again = await SqliteAdapter.open(path)
    await again.migrate()
    clock.advance(5_000)
    const mpesa = floor.open(again, {}, clock)
    await mpesa.runDueWork()
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'SUCCESS' })
    await again.close()
  })

  test('is left alone by a process that has another shortcode, and by one that started nothing', async () => {
    await using floor = await openShopFloor()
    const store = new MemoryAdapter()
    const clock = createManualClock()
    const mpesa = floor.open(store, {}, clock)
    floor.simulator.addScenario(lost)
    await mpesa.initiatePayment(order)
    await floor.idle()
    clock.advance(60_000)
    await floor.open(store, { shortCode: '600000' }, clock).runDueWork()
    await floor.post({ Body: 'a callback of nobody, which wakes the process' })
    await floor.idle()
    expect(queries(floor)).toBe(0)
    await mpesa.runDueWork()
    expect(queries(floor)).toBe(1)
  })
})

test('a callback that settles ends the poll in its own step', async () => {
  await using floor = await openShopFloor()
  const clock = createManualClock()
  const mpesa = floor.open(new MemoryAdapter(), {}, clock)
  floor.simulator.addScenario({ outcome: 'paid' })
  await mpesa.initiatePayment(order)
  await floor.idle()
  clock.advance(3_600_000)
  expect(await mpesa.runDueWork()).toBe(0)
  expect(queries(floor)).toBe(0)
})

describe('the pace of queries', () => {
  test('is one for all processes on a store: the second waits for its turn', async () => {
    await using floor = await openShopFloor()
    const store = new MemoryAdapter()
    const clock = createManualClock()
    const team = [floor.open(store, {}, clock), floor.open(store, {}, clock)]
    floor.simulator.addScenario({ outcome: 'pending', times: 'always' })
    for (let index = 0; index < 6; index++) {
      const phoneNumber = `071234500${index}`
      await team[0]?.initiatePayment({ ...order, phoneNumber, idempotencyKey: `ORDER-${index}` })
    }
    for (let second = 0; second < 60; second++) {
      clock.advance(1_000)
      await Promise.all(team.map(each => each.runDueWork()))
    }
    expect(queries(floor), 'five a minute, and each answer makes it a little faster').toBeLessThanOrEqual(6)
    expect(queries(floor)).toBeGreaterThanOrEqual(4)
  })

  test('follows a Daraja that refuses, and every payment is settled all the same', async () => {
    let now = Date.now()
    await using floor = await openShopFloor({ queryRate: { limit: 2, perMs: 60_000, burst: 1 }, now: () => now })
    const clock = createManualClock(new Date(now))
    const mpesa = floor.open(new MemoryAdapter(), {}, clock)
    floor.simulator.addScenario({ ...lost, times: 'always' })
    const paid: string[] = []
    mpesa.onPaymentSettled(({ id, status }) => void paid.push(`${id} ${status}`))
    for (let index = 0; index < 3; index++) {
      const phoneNumber = `071234500${index}`
      await mpesa.initiatePayment({ ...order, phoneNumber, idempotencyKey: `ORDER-${index}` })
    }
    await floor.idle()
    while (paid.length < 3) {
      clock.advance(1_000)
      now += 1_000
      await mpesa.runDueWork()
    }
    expect(new Set(paid).size).toBe(3)
    expect(queries(floor), 'a few refusals, and not a storm of them').toBeLessThan(9)
  })
})

describe('pollPaymentStatus', () => {
  test('resolves with how the payment ended, also when nobody started anything', async () => {
    await using floor = await openShopFloor()
    const mpesa = floor.open(new MemoryAdapter(), {}, createManualClock())
    floor.simulator.addScenario({ outcome: 'cancelled', callbackLost: true })
    const { checkoutRequestId = '' } = await mpesa.initiatePayment(order)
    expect(await mpesa.pollPaymentStatus(checkoutRequestId)).toBe('CANCELLED')
    expect(await mpesa.pollPaymentStatus(checkoutRequestId), 'and again without asking').toBe('CANCELLED')
    expect(queries(floor)).toBe(1)
  })

  test('resolves with TIMEOUT when no end can be had', async () => {
    await using floor = await openShopFloor()
    const mpesa = floor.open(new MemoryAdapter(), { ...unpaced, maxPollAttempts: 3 }, createManualClock())
    floor.simulator.addScenario({ outcome: 'pending' })
    const { checkoutRequestId = '' } = await mpesa.initiatePayment(order)
    expect(await mpesa.pollPaymentStatus(checkoutRequestId)).toBe('TIMEOUT')
    expect(queries(floor)).toBe(3)
  })

  test('does not know a payment that is not ours', async () => {
    await using floor = await openShopFloor()
    const asking = floor.open(new MemoryAdapter()).pollPaymentStatus('ws_CO_nobody')
    await expect(asking).rejects.toMatchObject({ code: 'MPESA_STK_PAYMENT_NOT_FOUND' })
  })
})

test('a function that lives for one request settles, polls and calls handlers by runDueWork alone', async () => {
  await using floor = await openShopFloor()
  const path = join(folder, 'serverless.db')
  const clock = createManualClock()
  /** A process of its own for each request, as a serverless platform may have it. */
  async function invoke<T>(request: (mpesa: ReturnType<ShopFloor['open']>) => Promise<T>): Promise<T> {
    const store = await SqliteAdapter.open(path)
    await store.migrate()
    try {
      return await request(floor.open(store, {}, clock))
    } finally {
      await store.close()
    }
  }
  floor.simulator.addScenario({ outcome: 'pending' })
  const [first, second] = ['0712345678', '0712345679']
  const paid = await invoke(mpesa => mpesa.initiatePayment({ ...order, phoneNumber: first ?? '' }))
  floor.simulator.addScenario(lost)
  await invoke(mpesa => mpesa.initiatePayment({ ...order, phoneNumber: second ?? '', idempotencyKey: 'ORDER-124' }))
  await invoke(async mpesa => {
    await mpesa.processCallback(paidBody(paid.checkoutRequestId ?? '', 'UHH0AB12CD'))
    await mpesa.runDueWork({ maxMs: 5_000 })
  })
  expect(floor.settled.map(({ mpesaReceiptNumber }) => mpesaReceiptNumber)).toEqual(['UHH0AB12CD'])
  clock.advance(60_000)
  await invoke(mpesa => mpesa.runDueWork({ maxMs: 5_000 }))
  expect(floor.settled.map(({ status }) => status)).toEqual(['SUCCESS', 'SUCCESS'])
})
