import { type Discrepancy, MemoryAdapter, type Store } from 'mpesa-stk'
import type { ScenarioInput } from 'mpesa-stk-simulator'
import { expect, test } from 'vitest'
import { failedBody, paidBody } from './callback-bodies.ts'
import { createManualClock, openShopFloor } from './shop-floor.ts'

const order = { phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' }

async function openAlert(scenario: ScenarioInput, config = {}, store: Store = new MemoryAdapter()) {
  const floor = await openShopFloor()
  const clock = createManualClock()
  const mpesa = floor.open(store, config, clock)
  const discrepancies: Discrepancy[] = []
  const silence = mpesa.onDiscrepancy(discrepancy => void discrepancies.push(discrepancy))
  floor.simulator.addScenario(scenario)
  const { paymentId } = await mpesa.initiatePayment(order)
  await floor.idle()
  const checkoutRequestId = floor.simulator.transactions()[0]?.checkoutRequestId ?? ''
  const dispose = () => floor[Symbol.asyncDispose]()
  return { floor, clock, mpesa, discrepancies, silence, paymentId, checkoutRequestId, [Symbol.asyncDispose]: dispose }
}

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
])('%s is kept, raised once and never applied', async (_what, scenario, body, standing, reason) => {
  await using shop = await openAlert(scenario)
  const before = await shop.mpesa.getPayment(shop.paymentId)
  expect(before).toMatchObject({ status: standing })
  for (let copy = 0; copy < 3; copy++) await shop.floor.post(body(shop.checkoutRequestId))
  await shop.floor.idle()
  expect(shop.discrepancies).toMatchObject([
    { paymentId: shop.paymentId, event: 'callback.contradiction', cause: 'callback', standing, reason },
  ])
  expect(await shop.mpesa.getPayment(shop.paymentId)).toEqual(before)
})

test('a receipt that another payment has is raised', async () => {
  await using shop = await openAlert({ outcome: 'paid' })
  const [first] = shop.floor.simulator.transactions()
  shop.floor.simulator.addScenario({ outcome: 'pending' })
  const second = await shop.mpesa.initiatePayment({ ...order, phoneNumber: '0712345679', idempotencyKey: 'ORDER-124' })
  await shop.floor.post(paidBody(second.checkoutRequestId ?? '', first?.receipt ?? ''))
  await shop.floor.idle()
  expect(shop.discrepancies).toMatchObject([{ paymentId: second.paymentId, reason: 'receipt-seen-before' }])
  expect(await shop.mpesa.getPayment(second.paymentId)).toMatchObject({ status: 'PENDING' })
})

test('a stranger without the token raises nothing', async () => {
  await using shop = await openAlert({ outcome: 'cancelled' }, { callbackToken: 'path' })
  await shop.floor.post(paidBody(shop.checkoutRequestId, 'FORGED0001'))
  await shop.floor.post(paidBody(shop.checkoutRequestId, 'FORGED0001'), 'a-guess')
  await shop.floor.idle()
  expect(shop.discrepancies).toEqual([])
})

test('what nobody listened to is raised when somebody does, and again until he succeeds', async () => {
  await using shop = await openAlert({ outcome: 'cancelled' })
  shop.silence()
  await shop.floor.post(paidBody(shop.checkoutRequestId, 'UHH0AB12CD'))
  await shop.floor.idle()
  const heard: string[] = []
  shop.mpesa.onDiscrepancy(({ id }, payment) => {
    heard.push(`${id} ${payment.status}`)
    if (heard.length < 3) throw new Error('the pager is down')
  })
  for (let round = 0; round < 5; round++) {
    shop.clock.advance(60_000)
    await shop.mpesa.runDueWork()
  }
  expect(heard).toHaveLength(3)
  expect(new Set(heard).size).toBe(1)
})
