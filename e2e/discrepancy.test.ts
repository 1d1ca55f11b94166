import type { Discrepancy, MpesaSettings } from 'mpesa-stk'
import type { ScenarioInput } from 'mpesa-stk-simulator'
import { describe, expect, test } from 'vitest'
import { failedBody, paidBody } from './callback-bodies.ts'
import { createManualClock, openShopFloor } from './shop-floor.ts'
import { newSqlitePath, openMemoryInTime, openSqlite, type StoreInTime, storesInTime } from './stores.ts'

const order = { phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' }

type Situation = {
  readonly time: StoreInTime
  readonly scenario: ScenarioInput
  readonly config?: Partial<MpesaSettings>
}

async function openAlert({ time, scenario, config = {} }: Situation) {
  const floor = await openShopFloor()
  const mpesa = floor.open(time.store, config, time.clock)
  const discrepancies: Discrepancy[] = []
  mpesa.onDiscrepancy(discrepancy => void discrepancies.push(discrepancy))
  floor.simulator.addScenario(scenario)
  const { paymentId } = await mpesa.initiatePayment(order)
  await floor.idle()
  const checkoutRequestId = floor.simulator.transactions()[0]?.checkoutRequestId ?? ''
  return {
    floor,
    mpesa,
    discrepancies,
    paymentId,
    checkoutRequestId,
    async post(body: object, token?: string) {
      await floor.post(body, token)
      await floor.idle()
    },
    [Symbol.asyncDispose]: () => floor[Symbol.asyncDispose](),
  }
}

describe.each(storesInTime)('on the %s store', (_name, openInTime) => {
  test.each<[string, ScenarioInput, (checkout: string) => object, string, string]>([
    ['a success after FAILED', { outcome: 'wrong-pin' }, id => paidBody(id, 'UHH0AB12CD'), 'FAILED', 'other-status'],
    [
      'a success after CANCELLED',
      { outcome: 'cancelled' },
      id => paidBody(id, 'UHH0AB12CD'),
      'CANCELLED',
      'other-status',
    ],
    ['a failure after SUCCESS', { outcome: 'paid' }, id => failedBody(id, 1032), 'SUCCESS', 'other-status'],
    ['another receipt', { outcome: 'paid' }, id => paidBody(id, 'UHH0ZZ99ZZ'), 'SUCCESS', 'receipt-differs'],
    ['another amount', { outcome: 'pending' }, id => paidBody(id, 'UHH0AB12CD', 499), 'PENDING', 'amount-differs'],
    ['another code of failure', { outcome: 'wrong-pin' }, id => failedBody(id, 1), 'FAILED', 'other-result-code'],
  ])(
    '%s is kept, raised once however often it comes, and never applied',
    async (_what, scenario, body, standing, reason) => {
      await using time = await openInTime()
      await using shop = await openAlert({ time, scenario })
      const before = await shop.mpesa.getPayment(shop.paymentId)
      const told = shop.floor.settled.length
      expect(before).toMatchObject({ status: standing })
      for (let copy = 0; copy < 3; copy++) await shop.post(body(shop.checkoutRequestId))
      expect(shop.floor.processed.slice(-3).map(({ outcome }) => outcome)).toEqual(Array(3).fill('contradiction'))
      expect(shop.discrepancies).toMatchObject([
        { paymentId: shop.paymentId, event: 'callback.contradiction', cause: 'callback', standing, reason },
      ])
      expect(await shop.mpesa.getPayment(shop.paymentId)).toEqual(before)
      expect(shop.floor.settled).toHaveLength(told)
      const { at, id, event } = (await shop.mpesa.history({ paymentId: shop.paymentId })).at(-1) ?? {}
      expect(shop.discrepancies[0]).toMatchObject({ at, id, event })
      await time.advance(3_600_000)
      await shop.mpesa.runDueWork()
      expect(shop.discrepancies).toHaveLength(1)
    },
  )

  test('a receipt that another payment has is raised, and pays nothing', async () => {
    await using time = await openInTime()
    await using shop = await openAlert({ time, scenario: { outcome: 'paid' } })
    const [first] = shop.floor.simulator.transactions()
    shop.floor.simulator.addScenario({ outcome: 'pending' })
    const other = { ...order, phoneNumber: '0712345679', idempotencyKey: 'ORDER-124' }
    const second = await shop.mpesa.initiatePayment(other)
    await shop.post(paidBody(second.checkoutRequestId ?? '', first?.receipt ?? ''))
    expect(shop.discrepancies).toMatchObject([{ paymentId: second.paymentId, reason: 'receipt-seen-before' }])
    expect(await shop.mpesa.getPayment(second.paymentId)).toMatchObject({ status: 'PENDING', mpesaReceiptNumber: null })
  })

  test('what nobody listened to is raised when somebody does, and again until he succeeds', async () => {
    await using time = await openInTime()
    await using floor = await openShopFloor()
    const silent = floor.open(time.store, {}, time.clock)
    floor.simulator.addScenario({ outcome: 'cancelled' })
    await silent.initiatePayment(order)
    await floor.idle()
    await floor.post(paidBody(floor.simulator.transactions()[0]?.checkoutRequestId ?? '', 'UHH0AB12CD'))
    await floor.idle()
    const heard: string[] = []
    const listening = floor.open(time.store, {}, time.clock)
    listening.onDiscrepancy(({ id }, payment) => {
      heard.push(`${id} ${payment.status}`)
      if (heard.length < 3) throw new Error('the pager is down')
    })
    for (let round = 0; round < 5; round++) {
      await time.advance(60_000)
      await listening.runDueWork()
    }
    expect(heard).toHaveLength(3)
    expect(new Set(heard)).toEqual(new Set([expect.stringMatching(/ CANCELLED$/)]))
    expect(floor.log()).toContain('the pager is down')
  })
})

test('a discrepancy survives the process that nobody listened in', async () => {
  await using floor = await openShopFloor()
  const path = newSqlitePath()
  const clock = createManualClock()
  const first = await openSqlite(path)
  floor.simulator.addScenario({ outcome: 'cancelled' })
  const { paymentId } = await floor.open(first, {}, clock).initiatePayment(order)
  await floor.idle()
  await floor.post(paidBody(floor.simulator.transactions()[0]?.checkoutRequestId ?? '', 'UHH0AB12CD'))
  await floor.idle()
  await first.close()
  const second = await openSqlite(path)
  const mpesa = floor.open(second, {}, clock)
  const heard: Discrepancy[] = []
  mpesa.onDiscrepancy(discrepancy => void heard.push(discrepancy))
  await mpesa.runDueWork()
  expect(heard).toMatchObject([{ paymentId, standing: 'CANCELLED', reason: 'other-status' }])
  await second.close()
})

test('different bytes that say the same wrong thing are each raised: they may be different people', async () => {
  await using time = await openMemoryInTime()
  await using shop = await openAlert({ time, scenario: { outcome: 'cancelled' } })
  for (const receipt of ['UHH0AB12CD', 'FORGED0001', 'UHH0AB12CD']) {
    await shop.post(paidBody(shop.checkoutRequestId, receipt))
  }
  expect(shop.discrepancies).toHaveLength(2)
  expect(new Set(shop.discrepancies.map(({ id }) => id)).size).toBe(2)
})

test.each([
  ['no token', undefined],
  ['a wrong token', 'a-guess'],
])('a stranger with %s raises nothing and moves nothing, whatever he says', async (_what, token) => {
  for (const outcome of ['cancelled', 'paid', 'pending'] as const) {
    await using time = await openMemoryInTime()
    await using shop = await openAlert({ time, scenario: { outcome }, config: { callbackToken: 'path' } })
    const before = await shop.mpesa.getPayment(shop.paymentId)
    await shop.post(paidBody(shop.checkoutRequestId, 'FORGED0001'), token)
    await shop.post(failedBody(shop.checkoutRequestId, 1), token)
    expect(shop.floor.processed.slice(-2)).toMatchObject([{ outcome: 'refused' }, { outcome: 'refused' }])
    expect(shop.discrepancies).toEqual([])
    expect(await shop.mpesa.getPayment(shop.paymentId)).toEqual(before)
  }
})

test('what is no contradiction raises nothing: repeats, a late receipt, a callback of nobody, a correction', async () => {
  await using time = await openMemoryInTime()
  await using shop = await openAlert({ time, scenario: { outcome: 'pending' } })
  await shop.post(failedBody(shop.checkoutRequestId, 4999))
  await shop.post(failedBody(shop.checkoutRequestId, 1037))
  await shop.post(failedBody(shop.checkoutRequestId, 1037))
  await shop.post(paidBody(shop.checkoutRequestId, ''))
  await shop.post(paidBody(shop.checkoutRequestId, 'UHH0AB12CD'))
  await shop.post(paidBody(shop.checkoutRequestId, 'UHH0AB12CD'))
  await shop.post(paidBody('ws_CO_nobody', 'UHH0AB12CE'))
  await shop.post({ Body: 'nothing that we know' })
  const outcomes = shop.floor.processed.map(({ outcome }) => outcome)
  expect(outcomes).toEqual([
    'in-progress',
    'settled',
    'repeat',
    'settled',
    'settled',
    'repeat',
    'parked',
    'unrecognised',
  ])
  expect(shop.discrepancies).toEqual([])
})

test('a handler that is taken off hears no more, and the others still do', async () => {
  await using time = await openMemoryInTime()
  await using shop = await openAlert({ time, scenario: { outcome: 'cancelled' } })
  const heard: string[] = []
  const takeOff = shop.mpesa.onDiscrepancy(({ id }) => void heard.push(id))
  takeOff()
  await shop.post(paidBody(shop.checkoutRequestId, 'UHH0AB12CD'))
  expect(heard).toEqual([])
  expect(shop.discrepancies).toHaveLength(1)
})
