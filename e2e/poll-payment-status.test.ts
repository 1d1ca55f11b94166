import type { ScenarioInput } from 'mpesa-stk-simulator'
import { describe, expect, test } from 'vitest'
import { failedBody, paidBody } from './callback-bodies.ts'
import { openShopFloor, type ShopFloor } from './shop-floor.ts'
import { stores, storesInTime } from './stores.ts'

const order = { phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' }
const lost: ScenarioInput = { outcome: 'paid', callbackLost: true }

const queries = ({ simulator }: ShopFloor): number =>
  simulator.requests().filter(({ path }) => path.includes('stkpushquery')).length

describe.each(storesInTime)('pollPaymentStatus on the %s store', (_name, openInTime) => {
  test('resolves with how the payment ended, also when nobody started anything, and handlers are told', async () => {
    await using time = await openInTime()
    await using floor = await openShopFloor()
    const mpesa = floor.open(time.store, {}, time.clock)
    floor.simulator.addScenario({ outcome: 'pending', queryAnswers: ['processing', '4999', '0'] })
    const { checkoutRequestId = '' } = await mpesa.initiatePayment(order)
    expect(await mpesa.pollPaymentStatus(checkoutRequestId)).toBe('SUCCESS')
    await floor.idle()
    expect(floor.settled).toMatchObject([{ status: 'SUCCESS', checkoutRequestId }])
    expect(queries(floor)).toBe(3)
  })

  test('resolves at once with what is settled, without asking', async () => {
    await using time = await openInTime()
    await using floor = await openShopFloor()
    const mpesa = floor.open(time.store, {}, time.clock)
    floor.simulator.addScenario({ outcome: 'cancelled' })
    const { checkoutRequestId = '' } = await mpesa.initiatePayment(order)
    await floor.idle()
    const began = time.clock.now()
    expect(await mpesa.pollPaymentStatus(checkoutRequestId)).toBe('CANCELLED')
    expect(time.clock.now()).toEqual(began)
    expect(queries(floor)).toBe(0)
  })

  test('resolves with TIMEOUT when no end can be had', async () => {
    await using time = await openInTime()
    await using floor = await openShopFloor()
    const mpesa = floor.open(time.store, { maxPollAttempts: 3 }, time.clock)
    floor.simulator.addScenario({ outcome: 'pending' })
    const { checkoutRequestId = '' } = await mpesa.initiatePayment(order)
    expect(await mpesa.pollPaymentStatus(checkoutRequestId)).toBe('TIMEOUT')
    expect(queries(floor)).toBe(3)
  })

  test('shares its queries with all who wait for the same payment, in two processes', async () => {
    await using time = await openInTime()
    await using floor = await openShopFloor()
    const team = [floor.open(time.store, {}, time.clock), floor.open(time.store, {}, time.clock)] as const
    floor.simulator.addScenario({ ...lost, queryAnswers: ['4999'] })
    const { checkoutRequestId = '' } = await team[0].initiatePayment(order)
    const waiting = [...team, ...team].map(each => each.pollPaymentStatus(checkoutRequestId))
    expect(await Promise.all(waiting)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS', 'SUCCESS'])
    await Promise.all(team.map(each => each.idle()))
    expect(queries(floor)).toBe(2)
    expect(floor.settled).toHaveLength(1)
  })

  test('does not know a payment that is not ours, nor one whose push was lost', async () => {
    await using time = await openInTime()
    await using floor = await openShopFloor()
    const mpesa = floor.open(time.store, {}, time.clock)
    floor.simulator.addScenario({ outcome: 'pending', ackLost: true })
    await mpesa.initiatePayment(order)
    const transaction = await floor.simulator.waitForTransaction(() => true)
    for (const id of ['ws_CO_nobody', transaction.checkoutRequestId, '']) {
      await expect(mpesa.pollPaymentStatus(id)).rejects.toMatchObject({ code: 'MPESA_STK_PAYMENT_NOT_FOUND' })
    }
  })
})

describe.each(stores)('pollPaymentStatus by the real clock on the %s store', (_name, openStore) => {
  test.each([
    ['SUCCESS', (id: string) => paidBody(id, 'UHH0AB12CD')],
    ['CANCELLED', (id: string) => failedBody(id, 1032)],
  ])('resolves with the %s of a callback that is faster, before anything was asked', async (status, bodyOf) => {
    await using floor = await openShopFloor()
    const store = await openStore()
    const mpesa = floor.open(store)
    floor.simulator.addScenario({ outcome: 'pending' })
    const { checkoutRequestId = '' } = await mpesa.initiatePayment(order)
    const waiting = mpesa.pollPaymentStatus(checkoutRequestId)
    await floor.post(bodyOf(checkoutRequestId))
    expect(await waiting).toBe(status)
    expect(queries(floor)).toBe(0)
    await floor.idle()
    await store.close()
  })
})
