import { MemoryAdapter } from 'mpesa-stk'
import type { ScenarioInput } from 'mpesa-stk-simulator'
import { describe, expect, test } from 'vitest'
import { paidBody } from './callback-bodies.ts'
import { createManualClock, openShopFloor, type ShopFloor } from './shop-floor.ts'
import { newSqlitePath, openSqlite, stores, storesInTime } from './stores.ts'

const order = { phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' }
const lost: ScenarioInput = { outcome: 'paid', callbackLost: true }
/** Fast enough that the pace never matters where a test is not about it. */
const unpaced = { queriesPerMinute: 6_000 }

const queries = ({ simulator }: ShopFloor): number =>
  simulator.requests().filter(({ path }) => path.includes('stkpushquery')).length

/** The payment of the only push so far, as Safaricom knows it, whether its answer was heard or not. */
const checkoutRequestId = ({ simulator }: ShopFloor): string => simulator.transactions()[0]?.checkoutRequestId ?? ''

describe.each(storesInTime)('a payment on the %s store whose callback does not come', (_name, openInTime) => {
  test('is settled by asking, without a receipt, and its handlers hear of it once', async () => {
    await using time = await openInTime()
    await using floor = await openShopFloor()
    const mpesa = floor.open(time.store, {}, time.clock)
    floor.simulator.addScenario(lost)
    const { paymentId } = await mpesa.initiatePayment(order)
    await floor.idle()
    expect(await mpesa.runDueWork(), 'nothing is due before the first pause').toBe(0)
    await time.advance(5_000)
    expect(await mpesa.runDueWork(), 'one query and one call of the handler').toBe(2)
    expect(floor.settled).toMatchObject([{ id: paymentId, status: 'SUCCESS', mpesaReceiptNumber: null }])
    const trail = await mpesa.history({ paymentId })
    expect(trail.at(-1)).toMatchObject({
      event: 'payment.settled',
      cause: 'poll',
      before: 'PENDING',
      after: 'SUCCESS',
      evidence: { resultCode: '0', answers: 1 },
    })
    await time.advance(3_600_000)
    expect(await mpesa.runDueWork()).toBe(0)
    expect(queries(floor)).toBe(1)
  })

  test('gets its receipt from a callback that comes after all, and that is announced', async () => {
    await using time = await openInTime()
    await using floor = await openShopFloor()
    const mpesa = floor.open(time.store, {}, time.clock)
    const causes: string[] = []
    mpesa.onPaymentSettled((_payment, { cause }) => void causes.push(cause))
    floor.simulator.addScenario(lost)
    const { paymentId } = await mpesa.initiatePayment(order)
    await time.advance(5_000)
    await mpesa.runDueWork()
    await floor.post(paidBody(checkoutRequestId(floor), 'UHH0AB12CD'))
    await floor.idle()
    expect(floor.processed).toMatchObject([{ outcome: 'settled', receipt: 'UHH0AB12CD' }])
    expect(floor.settled.at(-1)).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD' })
    expect(causes).toEqual(['payment.settled', 'payment.receipt-added'])
    expect((await mpesa.history({ paymentId })).at(-1)).toMatchObject({
      event: 'payment.receipt-added',
      cause: 'callback',
    })
  })

  test('is TIMEOUT after the last answer, which says nothing about the money, and a late success corrects it', async () => {
    await using time = await openInTime()
    await using floor = await openShopFloor()
    const mpesa = floor.open(time.store, { ...unpaced, maxPollAttempts: 3 }, time.clock)
    floor.simulator.addScenario({ outcome: 'pending' })
    const { paymentId } = await mpesa.initiatePayment(order)
    for (let round = 1; round <= 5; round++) {
      await time.advance(30_000)
      await mpesa.runDueWork()
    }
    expect(queries(floor)).toBe(3)
    expect(await mpesa.getPayment(paymentId)).toMatchObject({
      status: 'TIMEOUT',
      resultCode: null,
      resultCodeText: null,
      explanation: { code: 'NO_FINAL_ANSWER', terminal: false },
    })
    await floor.post(paidBody(checkoutRequestId(floor), 'UHH0AB12CD'))
    await floor.idle()
    expect(floor.settled.map(({ status, mpesaReceiptNumber }) => [status, mpesaReceiptNumber])).toEqual([
      ['TIMEOUT', null],
      ['SUCCESS', 'UHH0AB12CD'],
    ])
    expect((await mpesa.history({ paymentId })).at(-1)).toMatchObject({
      event: 'payment.corrected',
      before: 'TIMEOUT',
      after: 'SUCCESS',
    })
  })

  test('is asked about no more once a callback settles it: that ends its poll in the same step', async () => {
    await using time = await openInTime()
    await using floor = await openShopFloor()
    const mpesa = floor.open(time.store, unpaced, time.clock)
    floor.simulator.addScenario({ outcome: 'pending' })
    await mpesa.initiatePayment(order)
    await time.advance(5_000)
    await mpesa.runDueWork()
    expect(queries(floor)).toBe(1)
    await floor.post(paidBody(checkoutRequestId(floor), 'UHH0AB12CD'))
    await floor.idle()
    await time.advance(3_600_000)
    expect(await mpesa.runDueWork()).toBe(0)
    expect(queries(floor)).toBe(1)
  })

  test('is left alone by a process that has another shortcode', async () => {
    await using time = await openInTime()
    await using floor = await openShopFloor()
    const mpesa = floor.open(time.store, {}, time.clock)
    floor.simulator.addScenario(lost)
    await mpesa.initiatePayment(order)
    await time.advance(60_000)
    await floor.open(time.store, { shortCode: '600000' }, time.clock).runDueWork()
    expect(queries(floor)).toBe(0)
    await mpesa.runDueWork()
    expect(queries(floor)).toBe(1)
  })
})

describe('the schedule', () => {
  async function secondsAsked(config: object): Promise<readonly number[]> {
    const clock = createManualClock()
    const began = clock.now().getTime()
    await using floor = await openShopFloor({ now: () => clock.now().getTime() })
    const mpesa = floor.open(new MemoryAdapter(), config, clock)
    floor.simulator.addScenario({ outcome: 'pending' })
    await mpesa.initiatePayment(order)
    for (let second = 1; second <= 300; second++) {
      clock.advance(1_000)
      await mpesa.runDueWork()
    }
    expect(floor.settled.map(({ status }) => status)).toEqual(['TIMEOUT'])
    return floor.simulator
      .requests()
      .filter(({ path }) => path.includes('stkpushquery'))
      .map(({ receivedAt }) => Math.round((Date.parse(receivedAt) - began) / 1_000))
  }

  test('is 5, 10, 15, 25 and then every 30 s, ten times, where the pace allows it', async () => {
    expect(await secondsAsked(unpaced)).toEqual([5, 15, 30, 55, 85, 115, 145, 175, 205, 235])
  })

  test('by default waits for the pace of 5 a minute: the second query comes 12 s after the first', async () => {
    expect(await secondsAsked({})).toEqual([5, 17, 32, 57, 87, 117, 147, 177, 207, 237])
  })
})

describe('only an answer about the payment counts', () => {
  test('and no refusal, no firewall page, no refused token, no broken and no unanswered query', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const mpesa = floor.open(new MemoryAdapter(), { ...unpaced, maxPollAttempts: 2, timeoutMs: 1_000 }, clock)
    const noAnswers = [
      '429',
      'incapsula-403',
      'incapsula-503',
      '500-html',
      '200-html',
      '500.003.02',
      // Sent once more at once, with a fresh token.
      '404.001.03',
      '404.001.03',
      'lost',
      'timeout',
    ] as const
    floor.simulator.addScenario({ ...lost, queryAnswers: [...noAnswers, 'processing', '0'] })
    const { paymentId } = await mpesa.initiatePayment(order)
    for (let minute = 0; minute < 2 * noAnswers.length && floor.settled.length === 0; minute++) {
      clock.advance(120_000)
      await mpesa.runDueWork()
    }
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'SUCCESS' })
    expect(queries(floor)).toBe(noAnswers.length + 2)
    expect((await mpesa.history({ paymentId })).at(-1)?.evidence).toMatchObject({ answers: 2 })
    for (const reason of ['throttled', 'unanswered']) expect(floor.log()).toContain(`reason: '${reason}'`)
  })

  test('and none that never reached Safaricom', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const mpesa = floor.open(new MemoryAdapter(), { ...unpaced, maxPollAttempts: 1 }, clock)
    floor.simulator.addScenario(lost)
    const { paymentId } = await mpesa.initiatePayment(order)
    await floor.simulator.close()
    for (let round = 0; round < 3; round++) {
      clock.advance(30_000)
      expect(await mpesa.runDueWork()).toBe(1)
    }
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'PENDING' })
    expect(floor.log()).toContain("reason: 'unanswered'")
  })

  test.each(['4999', 'processing', 'invalid', '31337'])('and %s counts, but never settles', async answer => {
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
    clock.advance(30_000)
    await mpesa.runDueWork()
    expect((await mpesa.history({ paymentId })).at(-1)).toMatchObject({ after: 'TIMEOUT', evidence: { answers: 10 } })
  })

  test('nor does the time when nobody asked: after a day of downtime a payment is asked about before it is given up', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const mpesa = floor.open(new MemoryAdapter(), unpaced, clock)
    floor.simulator.addScenario({ outcome: 'paid', callbackLost: true, queryAnswers: ['500-html', '429'] })
    const { paymentId } = await mpesa.initiatePayment(order)
    clock.advance(24 * 3_600_000)
    for (let round = 0; round < 3; round++) {
      await mpesa.runDueWork()
      clock.advance(60_000)
    }
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'SUCCESS' })
  })

  test('nor one in which Daraja only ever said that it is asked too often', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const mpesa = floor.open(new MemoryAdapter(), unpaced, clock)
    floor.simulator.addScenario({ outcome: 'paid', callbackLost: true, queryAnswers: Array(20).fill('429') })
    const { paymentId } = await mpesa.initiatePayment(order)
    for (let round = 0; round < 20; round++) {
      clock.advance(600_000)
      await mpesa.runDueWork()
    }
    expect(queries(floor)).toBe(20)
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'PENDING' })
    clock.advance(600_000)
    await mpesa.runDueWork()
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'SUCCESS' })
  })

  test('so where nobody answers at all, waiting ends after an hour of asking', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const mpesa = floor.open(new MemoryAdapter(), unpaced, clock)
    floor.simulator.addScenario({ outcome: 'pending', queryAnswers: ['500-html'], queryAnswersThen: 'repeat-last' })
    const { paymentId } = await mpesa.initiatePayment(order)
    for (let query = 0; query < 119; query++) {
      clock.advance(30_000)
      await mpesa.runDueWork()
    }
    // A day on which nobody asks is none of it.
    clock.advance(24 * 3_600_000)
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'PENDING' })
    await mpesa.runDueWork()
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'TIMEOUT' })
    expect((await mpesa.history({ paymentId })).at(-1)).toMatchObject({ evidence: { answers: 0 } })
  })
})

test('a poll survives the process, and so does what it counted', async () => {
  await using floor = await openShopFloor()
  const path = newSqlitePath()
  const clock = createManualClock()
  const config = { ...unpaced, maxPollAttempts: 2 }
  floor.simulator.addScenario({ outcome: 'pending' })
  const first = await openSqlite(path)
  const mpesa = floor.open(first, config, clock)
  const { paymentId } = await mpesa.initiatePayment(order)
  clock.advance(5_000)
  await mpesa.runDueWork()
  await first.close()
  const second = await openSqlite(path)
  const again = floor.open(second, config, clock)
  clock.advance(9_000)
  expect(await again.runDueWork(), 'its second query is due after ten seconds').toBe(0)
  clock.advance(1_000)
  await again.runDueWork()
  expect(await again.getPayment(paymentId)).toMatchObject({ status: 'TIMEOUT' })
  expect(queries(floor)).toBe(2)
  await second.close()
})

describe.each(stores)('on the %s store', (_name, openStore) => {
  test('a started process polls by itself, by the real clock, and one that is stopped no more', async () => {
    await using floor = await openShopFloor()
    const store = await openStore()
    const mpesa = floor.open(store, { pollIntervalMs: 100 })
    const heard = new Promise<string>(resolve => {
      mpesa.onPaymentSettled(({ status }) => resolve(status))
    })
    floor.simulator.addScenario(lost)
    await mpesa.initiatePayment(order)
    await mpesa.start()
    expect(await heard).toBe('SUCCESS')
    await mpesa.stop()
    const asked = queries(floor)
    floor.simulator.addScenario({ outcome: 'pending' })
    await mpesa.initiatePayment({ ...order, phoneNumber: '0712345679', idempotencyKey: 'ORDER-124' })
    await floor.post('a callback of nobody, which wakes the process')
    await mpesa.idle()
    expect(queries(floor)).toBe(asked)
    await store.close()
  })
})

test('a process that started nothing polls nothing by itself, whatever wakes it', async () => {
  await using floor = await openShopFloor()
  const clock = createManualClock()
  const mpesa = floor.open(new MemoryAdapter(), unpaced, clock)
  floor.simulator.addScenario({ outcome: 'pending' })
  await mpesa.initiatePayment(order)
  clock.advance(60_000)
  floor.simulator.addScenario({ outcome: 'paid' })
  await mpesa.initiatePayment({ ...order, phoneNumber: '0712345679', idempotencyKey: 'ORDER-124' })
  await floor.idle()
  expect(floor.settled).toHaveLength(1)
  expect(queries(floor)).toBe(0)
})

test('a function that lives for one request settles, polls and calls handlers by runDueWork alone', async () => {
  await using floor = await openShopFloor()
  const path = newSqlitePath()
  const clock = createManualClock()
  /** A process of its own for each request, as a serverless platform may have it. */
  async function invoke<T>(request: (mpesa: ReturnType<ShopFloor['open']>) => Promise<T>): Promise<T> {
    const store = await openSqlite(path)
    try {
      return await request(floor.open(store, {}, clock))
    } finally {
      await store.close()
    }
  }
  floor.simulator.addScenario({ outcome: 'pending' })
  const paid = await invoke(mpesa => mpesa.initiatePayment(order))
  floor.simulator.addScenario(lost)
  const other = { ...order, phoneNumber: '0712345679', idempotencyKey: 'ORDER-124' }
  const { paymentId } = await invoke(mpesa => mpesa.initiatePayment(other))
  await invoke(async mpesa => {
    await mpesa.processCallback(paidBody(paid.checkoutRequestId ?? '', 'UHH0AB12CD'))
    await mpesa.runDueWork({ maxMs: 5_000 })
  })
  expect(floor.settled.map(({ mpesaReceiptNumber }) => mpesaReceiptNumber)).toEqual(['UHH0AB12CD'])
  clock.advance(60_000)
  await invoke(mpesa => mpesa.runDueWork({ maxMs: 5_000 }))
  expect(floor.settled.map(({ id, status }) => [id, status])).toEqual([
    [paid.paymentId, 'SUCCESS'],
    [paymentId, 'SUCCESS'],
  ])
})
