import { type Discrepancy, MemoryAdapter, type MpesaStk, SqliteAdapter, type Store } from 'mpesa-stk'
import type { ScenarioInput } from 'mpesa-stk-simulator'
import { describe, expect, test } from 'vitest'
import { failedBody, paidBody } from './callback-bodies.ts'
import { interceptStore } from './intercept-store.ts'
import { createManualClock, openShopFloor, type ShopFloor } from './shop-floor.ts'

const queries = ({ simulator }: ShopFloor): number =>
  simulator.requests().filter(({ path }) => path.includes('stkpushquery')).length
const minute = 60_000
let lastOrder = 0

async function pay(
  floor: ShopFloor,
  mpesa: MpesaStk,
  scenario: ScenarioInput,
): Promise<{ id: string; checkout: string }> {
  floor.simulator.addScenario(scenario)
  const reference = `ORDER-${++lastOrder}`
  const { paymentId, checkoutRequestId = '' } = await mpesa.initiatePayment({
    phoneNumber: '0712345678',
    amount: 500,
    accountReference: reference,
    idempotencyKey: reference,
  })
  await floor.idle()
  return { id: paymentId, checkout: checkoutRequestId }
}

async function openReconciling(store: Store = new MemoryAdapter()) {
  const floor = await openShopFloor({ busyPhone: 'off' })
  const clock = createManualClock()
  const mpesa = floor.open(store, { queriesPerMinute: 6_000 }, clock)
  const discrepancies: Discrepancy[] = []
  mpesa.onDiscrepancy(discrepancy => void discrepancies.push(discrepancy))
  const from = clock.now()
  return {
    floor,
    clock,
    mpesa,
    discrepancies,
    pay(scenario: ScenarioInput) {
      // One after another, so that the order of the range is the order of paying.
      clock.advance(1)
      return pay(floor, mpesa, scenario)
    },
    reconcile: (to = new Date(from.getTime() + 5 * minute)) => mpesa.reconcile(from, to),
    [Symbol.asyncDispose]: () => floor[Symbol.asyncDispose](),
  }
}

test('finds drift in both directions and in every status, corrects nothing, and raises each once', async () => {
  await using shop = await openReconciling()
  const { floor, mpesa } = shop
  const matched = await shop.pay({ outcome: 'paid' })
  await shop.pay({ outcome: 'cancelled' })
  const ghost = await shop.pay({ outcome: 'paid', queryAnswers: ['1032', '1032'] })
  const pending = await shop.pay({ outcome: 'paid', callbackLost: true })
  const wronged: Awaited<ReturnType<typeof pay>>[] = []
  for (const code of [1, 1032, 1037, 1019]) {
    const payment = await shop.pay({ outcome: 'paid', callbackLost: true })
    await floor.post(failedBody(payment.checkout, code))
    wronged.push(payment)
  }
  await shop.pay({ outcome: 'pending' })
  await shop.pay({ outcome: 'paid', queryAnswers: ['31337', '31337'] })
  const result = await shop.reconcile()
  expect(result).toMatchObject({ checked: 8, matched: 2, skipped: 2 })
  expect(
    result.mismatches.map(({ paymentId, storedStatus, mpesaStatus }) => [paymentId, storedStatus, mpesaStatus]),
  ).toEqual([
    [ghost.id, 'SUCCESS', 'CANCELLED'],
    [pending.id, 'PENDING', 'SUCCESS'],
    ...['FAILED', 'CANCELLED', 'TIMEOUT', 'EXPIRED'].map((stored, index) => [wronged[index]?.id, stored, 'SUCCESS']),
  ])
  expect(result.mismatches[0]).toMatchObject({ checkoutRequestId: ghost.checkout, amount: 500 })
  expect(await mpesa.getPayment(ghost.id)).toMatchObject({ status: 'SUCCESS' })
  expect(await mpesa.getPayment(pending.id)).toMatchObject({ status: 'PENDING' })
  await mpesa.runDueWork()
  const mismatches = () => shop.discrepancies.filter(({ event }) => event === 'reconcile.mismatch')
  expect(mismatches().map(({ paymentId }) => paymentId)).toEqual(result.mismatches.map(({ paymentId }) => paymentId))
  expect(mismatches()[0]).toMatchObject({ cause: 'reconcile', standing: 'SUCCESS', claimed: 'CANCELLED' })
  await shop.reconcile()
  await mpesa.runDueWork()
  expect(mismatches()).toHaveLength(result.mismatches.length)
  expect((await mpesa.history({ paymentId: matched.id })).map(({ event }) => event)).not.toContain('reconcile.mismatch')
})

test.each([
  [5, { checked: 0, skipped: 1 }],
  [60, { checked: 1, skipped: 0, mismatches: [{ storedStatus: 'SUCCESS', mpesaStatus: 'NO_RECORD' }] }],
  [49 * 60, { checked: 0, skipped: 1 }],
])('reports a paid payment that Safaricom does not know after %i minutes as %j', async (ageMinutes, expected) => {
  await using shop = await openReconciling()
  await shop.pay({ outcome: 'paid', queryAnswers: ['invalid'] })
  shop.clock.advance(ageMinutes * minute)
  expect(await shop.reconcile()).toMatchObject(expected)
})

test('goes on where it stood when the store failed in the middle: no payment is asked about twice', async () => {
  const inner = await SqliteAdapter.open(':memory:')
  await inner.migrate()
  let hasFailed = false
  const store = interceptStore(inner, async (name, pass, args) => {
    // After it took effect: what was asked is known to the store, and to nobody else.
    const result = await pass()
    if (name !== 'saveReconciliation' || hasFailed || !JSON.stringify(args).includes('"checked":3')) return result
    hasFailed = true
    throw new Error('the store failed')
  })
  await using shop = await openReconciling(store)
  for (let index = 0; index < 5; index++) await shop.pay({ outcome: 'paid' })
  await expect(shop.reconcile()).rejects.toThrow('the store failed')
  expect(queries(shop.floor)).toBe(3)
  expect(await shop.reconcile()).toMatchObject({ checked: 5, matched: 5 })
  expect(queries(shop.floor)).toBe(5)
})

test('is one run for two who reconcile the same range at once', async () => {
  await using shop = await openReconciling()
  for (let index = 0; index < 3; index++) await shop.pay({ outcome: 'paid' })
  const [one, other] = await Promise.all([shop.reconcile(), shop.reconcile()])
  expect(one).toMatchObject({ checked: 3, matched: 3 })
  expect(other).toEqual(one)
  expect(queries(shop.floor)).toBe(3)
})

test('waits out a Daraja that throttles, and skips what it never gets an answer to', async () => {
  await using shop = await openReconciling()
  await shop.pay({ outcome: 'paid', queryAnswers: ['429', 'incapsula-403', '429'] })
  await shop.pay({ outcome: 'paid', queryAnswers: ['500-html'] })
  expect(await shop.reconcile()).toEqual({ checked: 1, matched: 1, skipped: 1, mismatches: [] })
})

test('leaves out what nobody can ask about, and what is outside of the range', async () => {
  await using shop = await openReconciling()
  await shop.pay({ outcome: 'paid', ackLost: true, callbackLost: true })
  shop.clock.advance(10 * minute)
  await shop.pay({ outcome: 'paid' })
  expect(await shop.reconcile()).toEqual({ checked: 0, matched: 0, skipped: 0, mismatches: [] })
})

test('does not mistake a receipt-less repeat for drift', async () => {
  await using shop = await openReconciling()
  const { checkout } = await shop.pay({ outcome: 'paid', callbackLost: true })
  await shop.floor.post(paidBody(checkout, 'UHH0AB12CD'))
  expect(await shop.reconcile()).toMatchObject({ checked: 1, matched: 1 })
})

describe('a range', () => {
  test.each([
    ['the wrong way round', new Date(2), new Date(1)],
    ['that is no date', new Date('yesterday'), new Date()],
  ])('%s is refused', async (_what, from, to) => {
    await using floor = await openShopFloor()
    const reconciling = floor.open(new MemoryAdapter()).reconcile(from, to)
    await expect(reconciling).rejects.toMatchObject({ code: 'MPESA_STK_RANGE_INVALID' })
  })
})
