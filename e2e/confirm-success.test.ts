import { type Discrepancy, type MpesaSettings, MpesaStkError, type Store } from 'mpesa-stk'
import type { ScenarioInput } from 'mpesa-stk-simulator'
import { describe, expect, test } from 'vitest'
import { failedBody, paidBody } from './callback-bodies.ts'
import { interceptStore } from './intercept-store.ts'
import { openShopFloor } from './shop-floor.ts'
import { openMemoryInTime, type StoreInTime, stores, storesInTime } from './stores.ts'

const order = { phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' }

type Situation = {
  readonly time: StoreInTime
  readonly scenario: ScenarioInput
  readonly config?: Partial<MpesaSettings>
  /** Stands before the store of `time`. */
  readonly store?: Store
}

/** A shop that believes no callback which says paid, and one push of it. */
async function openDoubtful({ time, scenario, config, store = time.store }: Situation) {
  const floor = await openShopFloor()
  const mpesa = floor.open(store, { confirmSuccess: 'query', queriesPerMinute: 6_000, ...config }, time.clock)
  const discrepancies: Discrepancy[] = []
  mpesa.onDiscrepancy(discrepancy => void discrepancies.push(discrepancy))
  floor.simulator.addScenario(scenario)
  const { paymentId } = await mpesa.initiatePayment(order)
  const { checkoutRequestId } = await floor.simulator.waitForTransaction(() => true)
  return {
    floor,
    mpesa,
    discrepancies,
    paymentId,
    checkoutRequestId,
    post: (receipt: string) => floor.post(paidBody(checkoutRequestId, receipt)),
    payment: () => mpesa.getPayment(paymentId),
    queries: () => floor.simulator.requests().filter(({ path }) => path.includes('stkpushquery')).length,
    runDueWork: () => mpesa.runDueWork(),
    /** Whatever is due within the next hour. */
    async anHour() {
      for (let minute = 0; minute < 60; minute += 3) {
        await time.advance(3 * 60_000)
        await mpesa.runDueWork()
      }
    },
    [Symbol.asyncDispose]: () => floor[Symbol.asyncDispose](),
  }
}

describe.each(storesInTime)('confirmation by query on the %s store', (_name, openInTime) => {
  test('a success counts once Safaricom confirms it, with the receipt of its callback, however often it came', async () => {
    await using time = await openInTime()
    await using shop = await openDoubtful({ time, scenario: { outcome: 'paid', callbackCopies: 3 } })
    await shop.floor.idle()
    const waiting = { outcome: 'unconfirmed', status: 'PENDING', isDuplicate: false }
    expect(shop.floor.processed).toMatchObject([waiting, waiting, waiting])
    expect(await shop.payment()).toMatchObject({ status: 'PENDING', mpesaReceiptNumber: null })
    expect(shop.floor.settled).toEqual([])
    await shop.runDueWork()
    const [transaction] = shop.floor.simulator.transactions()
    expect(shop.floor.settled).toMatchObject([{ status: 'SUCCESS', mpesaReceiptNumber: transaction?.receipt }])
    expect((await shop.mpesa.history({ paymentId: shop.paymentId })).at(-1)).toMatchObject({
      event: 'payment.settled',
      cause: 'callback',
      evidence: { confirmedBy: 'query' },
    })
    await shop.anHour()
    expect(shop.floor.settled).toHaveLength(1)
    expect(shop.discrepancies).toEqual([])
  })

  test.each<[string, ScenarioInput, string, string]>([
    ['says cancelled', { outcome: 'cancelled', callbackLost: true }, 'CANCELLED', 'query-says-otherwise'],
    ['never says an end', { outcome: 'pending' }, 'TIMEOUT', 'never-confirmed'],
  ])('a forged success gets nowhere when Safaricom %s, and is raised', async (_what, scenario, ending, reason) => {
    await using time = await openInTime()
    await using shop = await openDoubtful({ time, scenario })
    await shop.post('FORGED0001')
    expect(await shop.payment()).toMatchObject({ status: 'PENDING' })
    await shop.anHour()
    expect(shop.floor.settled.map(({ status }) => status)).toEqual([ending])
    expect(await shop.payment()).toMatchObject({ status: ending, mpesaReceiptNumber: null })
    expect(shop.discrepancies).toMatchObject([{ event: 'callback.contradiction', reason, paymentId: shop.paymentId }])
  })

  test('two successes with different receipts settle without a receipt, and both are raised', async () => {
    await using time = await openInTime()
    await using shop = await openDoubtful({ time, scenario: { outcome: 'paid', callbackLost: true } })
    for (const receipt of ['UHH0AB12CD', 'FORGED0001']) await shop.post(receipt)
    await shop.anHour()
    expect(shop.floor.settled).toMatchObject([{ status: 'SUCCESS', mpesaReceiptNumber: null }])
    expect(shop.discrepancies.map(({ reason }) => reason)).toEqual(['receipt-differs', 'receipt-differs'])
  })

  test('a success after TIMEOUT is confirmed before it corrects', async () => {
    await using time = await openInTime()
    const scenario: ScenarioInput = { outcome: 'paid', callbackLost: true, queryAnswers: ['4999'] }
    await using shop = await openDoubtful({ time, scenario, config: { maxPollAttempts: 1 } })
    await shop.anHour()
    expect(shop.floor.settled.map(({ status }) => status)).toEqual(['TIMEOUT'])
    await shop.post('UHH0AB12CD')
    expect(shop.floor.processed.at(-1)).toMatchObject({ outcome: 'unconfirmed', status: 'TIMEOUT' })
    await shop.anHour()
    expect(shop.floor.settled.map(({ status, mpesaReceiptNumber }) => [status, mpesaReceiptNumber])).toEqual([
      ['TIMEOUT', null],
      ['SUCCESS', 'UHH0AB12CD'],
    ])
  })

  test('a callback with its token makes a lost push a pending payment, and a confirmation makes it paid', async () => {
    await using time = await openInTime()
    const scenario: ScenarioInput = { outcome: 'paid', ackLost: true }
    await using shop = await openDoubtful({ time, scenario, config: { callbackToken: 'path' } })
    await shop.floor.idle()
    expect(shop.floor.processed).toMatchObject([{ outcome: 'unconfirmed', status: 'PENDING' }])
    expect(await shop.payment()).toMatchObject({ status: 'PENDING', checkoutRequestId: shop.checkoutRequestId })
    await shop.anHour()
    const [transaction] = shop.floor.simulator.transactions()
    expect(shop.floor.settled).toMatchObject([
      { status: 'SUCCESS', id: shop.paymentId, mpesaReceiptNumber: transaction?.receipt },
    ])
  })
})

describe.each(stores)('by the real clock on the %s store', (_name, openStore) => {
  test('a started process asks as soon as the callback is in, and need not wait for the schedule', async () => {
    await using floor = await openShopFloor()
    const store = await openStore()
    const mpesa = floor.open(store, { confirmSuccess: 'query', pollIntervalMs: 30_000 })
    const heard = new Promise<string | null>(resolve => {
      mpesa.onPaymentSettled(({ status, mpesaReceiptNumber }) => resolve(`${status} ${mpesaReceiptNumber}`))
    })
    await mpesa.start()
    floor.simulator.addScenario({ outcome: 'paid' })
    await mpesa.initiatePayment(order)
    expect(await heard).toBe(`SUCCESS ${floor.simulator.transactions()[0]?.receipt}`)
    await mpesa.stop()
    await store.close()
  })
})

describe('a success that waits', () => {
  test('goes on waiting while Safaricom is still at work', async () => {
    await using time = await openMemoryInTime()
    const scenario: ScenarioInput = { outcome: 'paid', queryAnswers: ['processing', '4999', '429', '31337'] }
    await using shop = await openDoubtful({ time, scenario })
    await shop.floor.idle()
    await shop.runDueWork()
    expect(shop.floor.settled).toEqual([])
    expect(await shop.payment()).toMatchObject({ status: 'PENDING' })
    await shop.anHour()
    expect(shop.floor.settled).toMatchObject([{ status: 'SUCCESS' }])
    expect(shop.discrepancies).toEqual([])
  })

  test.each([
    [1032, 'before'],
    [1032, 'after'],
    [1037, 'before'],
    [1037, 'after'],
  ])('is not kept from its payment by a forged %d that comes %s it', async (code, when) => {
    await using time = await openMemoryInTime()
    await using shop = await openDoubtful({ time, scenario: { outcome: 'paid', callbackLost: true } })
    const forge = (): Promise<unknown> => shop.floor.post(failedBody(shop.checkoutRequestId, code))
    if (when === 'before') await forge()
    expect(await shop.payment()).toMatchObject({ status: 'PENDING' })
    await shop.post('UHH0AB12CD')
    if (when === 'after') await forge()
    await shop.anHour()
    expect(shop.floor.settled.map(({ status }) => status)).toEqual(['SUCCESS'])
    expect(await shop.payment()).toMatchObject({ mpesaReceiptNumber: 'UHH0AB12CD' })
    expect(shop.discrepancies).toMatchObject([{ event: 'callback.contradiction', reason: 'query-says-otherwise' }])
  })

  test('a failure that came with its token needs no confirmation', async () => {
    await using time = await openMemoryInTime()
    const scenario: ScenarioInput = { outcome: 'cancelled' }
    await using shop = await openDoubtful({ time, scenario, config: { callbackToken: 'path' } })
    await shop.floor.idle()
    expect(await shop.payment()).toMatchObject({ status: 'CANCELLED' })
    expect(shop.queries()).toBe(0)
  })

  test('a failure without a token is confirmed, with one query', async () => {
    await using time = await openMemoryInTime()
    await using shop = await openDoubtful({ time, scenario: { outcome: 'cancelled' } })
    await shop.floor.idle()
    expect(shop.floor.processed).toMatchObject([{ outcome: 'unconfirmed', status: 'PENDING' }])
    await shop.anHour()
    expect(shop.floor.settled).toMatchObject([{ status: 'CANCELLED' }])
    expect(shop.discrepancies).toEqual([])
    expect(shop.queries()).toBe(1)
  })

  test('and comes when the query was faster brings its receipt, without another query', async () => {
    await using time = await openMemoryInTime()
    await using shop = await openDoubtful({ time, scenario: { outcome: 'paid', callbackLost: true } })
    await shop.anHour()
    await shop.post('UHH0AB12CD')
    expect(shop.floor.processed.at(-1)).toMatchObject({ outcome: 'unconfirmed', status: 'SUCCESS' })
    await shop.anHour()
    expect(await shop.payment()).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD' })
    expect(shop.queries()).toBe(1)
  })

  test('of two receipts neither is ever believed: not by posting one again, not after a crash between the two', async () => {
    await using time = await openMemoryInTime()
    let isDying = true
    const dying = interceptStore(time.store, async (name, pass, [record]) => {
      const isVerdict = name === 'recordCallback' && JSON.stringify(record).includes('receipt-differs')
      const result = await pass()
      if (isVerdict && isDying) {
        isDying = false
        throw new MpesaStkError('MPESA_STK_STORE_CONTENDED', 'killed')
      }
      return result
    })
    await using shop = await openDoubtful({
      time,
      scenario: { outcome: 'paid', callbackLost: true },
      store: dying,
    })
    for (const receipt of ['FORGED0001', 'UHH0AB12CD']) await shop.post(receipt)
    await shop.anHour()
    expect(isDying).toBe(false)
    expect(await shop.payment()).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: null })
    for (const receipt of ['FORGED0001', 'UHH0AB12CD', 'FORGED0002']) await shop.post(receipt)
    await shop.anHour()
    expect(await shop.payment()).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: null })
    expect(new Set(shop.discrepancies.map(({ reason }) => reason))).toEqual(new Set(['receipt-differs']))
    const by = { source: 'operator', by: 'finance-1', receipt: 'UHH0AB12CD', amount: 500 } as const
    await shop.mpesa.resolvePayment({ paymentId: shop.paymentId, status: 'SUCCESS', ...by })
    expect(await shop.payment()).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD' })
  })

  test('behind more forged ones than a trail has room for is asked about all the same', async () => {
    await using time = await openMemoryInTime()
    const scenario: ScenarioInput = { outcome: 'paid', callbackLost: true, queryAnswers: Array(12).fill('4999') }
    await using shop = await openDoubtful({ time, scenario })
    for (let index = 1000; index < 1060; index++) await shop.post(`FORGED${index}`)
    await shop.anHour()
    expect(await shop.payment()).toMatchObject({ status: 'TIMEOUT' })
    await shop.post('UHH0AB12CD')
    await shop.anHour()
    await shop.anHour()
    expect(await shop.payment()).toMatchObject({ status: 'SUCCESS' })
  })

  test('is not given up for a day of downtime, nor for an hour of being told to ask less often', async () => {
    await using time = await openMemoryInTime()
    const queryAnswers = ['4999', ...Array<string>(8).fill('429'), '4999']
    await using shop = await openDoubtful({ time, scenario: { outcome: 'paid', callbackLost: true, queryAnswers } })
    await shop.post('UHH0AB12CD')
    await shop.runDueWork()
    await time.advance(24 * 3_600_000)
    for (let round = 0; round < 12; round++) {
      await shop.runDueWork()
      await time.advance(20 * 60_000)
    }
    expect(await shop.payment()).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD' })
    expect(shop.discrepancies).toEqual([])
  })

  test('that is forged, and posted on and on, does not keep its payment pending for ever', async () => {
    await using time = await openMemoryInTime()
    await using shop = await openDoubtful({ time, scenario: { outcome: 'pending' } })
    for (let round = 0; round < 60; round++) {
      await shop.post('FORGED0001')
      await time.advance(4 * 60_000)
      await shop.runDueWork()
    }
    expect(await shop.payment()).toMatchObject({ status: 'TIMEOUT' })
    const settledAt = shop.floor.settled.length
    expect(settledAt).toBe(1)
  })

  test('of a dispute that a hundred forged failures came before is still disputed a day later', async () => {
    await using time = await openMemoryInTime()
    await using shop = await openDoubtful({ time, scenario: { outcome: 'paid', callbackLost: true } })
    for (let index = 0; index < 105; index++) {
      await time.advance(10)
      await shop.floor.post({ ...failedBody(shop.checkoutRequestId, 1), index })
    }
    for (const receipt of ['FORGED0001', 'UHH0AB12CD']) await shop.post(receipt)
    await shop.anHour()
    expect(await shop.payment()).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: null })
    await shop.post('FORGED0002')
    for (let hour = 0; hour < 3; hour++) await shop.anHour()
    expect(await shop.payment()).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: null })
  })

  test('a failure whose code is not the one that Safaricom names is not believed for its code and words', async () => {
    await using time = await openMemoryInTime()
    const scenario: ScenarioInput = { outcome: 'cancelled', callbackLost: true, queryAnswers: ['1'] }
    await using shop = await openDoubtful({ time, scenario })
    await shop.floor.post(failedBody(shop.checkoutRequestId, 2001))
    await shop.anHour()
    expect(await shop.payment()).toMatchObject({ status: 'FAILED', resultCodeText: '1' })
    expect(shop.discrepancies).toMatchObject([{ cause: 'callback', reason: 'query-says-otherwise' }])
  })

  test('is judged although confirmation was turned off meanwhile, and something else settled the payment', async () => {
    await using time = await openMemoryInTime()
    await using shop = await openDoubtful({ time, scenario: { outcome: 'paid', callbackLost: true } })
    await shop.post('UHH0AB12CD')
    const trusting = shop.floor.open(time.store, { queriesPerMinute: 6_000 }, time.clock)
    await trusting.processCallback(failedBody(shop.checkoutRequestId, 1032))
    expect(await shop.payment()).toMatchObject({ status: 'CANCELLED' })
    for (let minute = 0; minute < 3; minute++) {
      await time.advance(60_000)
      await trusting.runDueWork()
    }
    expect(await time.store.listCallbacks(shop.paymentId, 'unconfirmed', 1)).toEqual([])
    const contradictions = await time.store.listCallbacks(shop.paymentId, 'contradiction', 10)
    expect(contradictions).toHaveLength(1)
  })

  test('without a receipt does not make the receipt of another doubtful', async () => {
    await using time = await openMemoryInTime()
    await using shop = await openDoubtful({ time, scenario: { outcome: 'paid', callbackLost: true } })
    for (const receipt of ['', 'UHH0AB12CD']) await shop.post(receipt)
    await shop.anHour()
    expect(await shop.payment()).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD' })
    expect(shop.discrepancies).toEqual([])
  })

  test('among a flood of forged ones is judged with all of them, and none of their receipts is believed', async () => {
    await using time = await openMemoryInTime()
    await using shop = await openDoubtful({ time, scenario: { outcome: 'paid', callbackLost: true } })
    for (let index = 1000; index < 1120; index++) await shop.post(`FORGED${index}`)
    await shop.post('UHH0AB12CD')
    await shop.anHour()
    expect(await shop.payment()).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: null })
    expect(await time.store.listCallbacks(shop.paymentId, 'unconfirmed', 1)).toEqual([])
    expect(shop.floor.settled).toHaveLength(1)
  })

  test('is judged by nobody before runDueWork where nothing was started', async () => {
    await using time = await openMemoryInTime()
    await using shop = await openDoubtful({ time, scenario: { outcome: 'paid' } })
    await shop.floor.idle()
    const queries = shop.floor.simulator.requests().filter(({ path }) => path.includes('stkpushquery'))
    expect([queries.length, shop.floor.settled.length]).toEqual([0, 0])
  })
})

describe('a success that comes while a query is under way', () => {
  /** The store of `time`; `comeIn` runs once, when the poll has looked for waiting callbacks and found none. */
  function interrupted(time: StoreInTime, isMoment: (name: keyof Store, args: readonly unknown[]) => boolean) {
    const door = { comeIn: async () => {} }
    const store = interceptStore(time.store, async (name, pass, args) => {
      if (isMoment(name, args)) {
        const { comeIn } = door
        door.comeIn = async () => {}
        await comeIn()
      }
      return pass()
    })
    return { store, door }
  }
  const isAsking = (name: keyof Store): boolean => name === 'changeQueryPace'
  const isGivingUp = (name: keyof Store, args: readonly unknown[]): boolean =>
    name === 'commitTransition' && JSON.stringify(args).includes('"TIMEOUT"')

  test('is not lost when the answer settles the payment: its receipt is added', async () => {
    await using time = await openMemoryInTime()
    const { store, door } = interrupted(time, isAsking)
    await using shop = await openDoubtful({ time, store, scenario: { outcome: 'paid', callbackLost: true } })
    door.comeIn = async () => void (await shop.post('UHH0AB12CD'))
    await shop.anHour()
    expect(shop.floor.processed).toMatchObject([{ outcome: 'unconfirmed' }])
    expect(await shop.payment()).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD' })
    expect(shop.discrepancies).toEqual([])
  })

  test('is raised when it is forged and the answer is another', async () => {
    await using time = await openMemoryInTime()
    const { store, door } = interrupted(time, isAsking)
    await using shop = await openDoubtful({ time, store, scenario: { outcome: 'cancelled', callbackLost: true } })
    door.comeIn = async () => void (await shop.post('FORGED0001'))
    await shop.anHour()
    expect(await shop.payment()).toMatchObject({ status: 'CANCELLED' })
    expect(shop.discrepancies).toMatchObject([{ reason: 'query-says-otherwise' }])
  })

  test('is not lost with the poll when that is giving up', async () => {
    await using time = await openMemoryInTime()
    const { store, door } = interrupted(time, isGivingUp)
    const scenario: ScenarioInput = { outcome: 'paid', callbackLost: true, queryAnswers: ['4999'] }
    await using shop = await openDoubtful({ time, store, scenario, config: { maxPollAttempts: 1 } })
    door.comeIn = async () => void (await shop.post('UHH0AB12CD'))
    await shop.anHour()
    expect(shop.floor.processed).toMatchObject([{ outcome: 'unconfirmed' }])
    expect(await shop.payment()).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD' })
  })
})
