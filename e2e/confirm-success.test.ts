import { type Discrepancy, MemoryAdapter, type Store } from 'mpesa-stk'
import type { ScenarioInput } from 'mpesa-stk-simulator'
import { expect, test } from 'vitest'
import { failedBody, paidBody } from './callback-bodies.ts'
import { interceptStore } from './intercept-store.ts'
import { createManualClock, openShopFloor } from './shop-floor.ts'

const order = { phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' }

/** A shop that believes no callback which says paid, and one push of it. */
async function openDoubtful(scenario: ScenarioInput, store: Store = new MemoryAdapter(), config = {}) {
  const floor = await openShopFloor()
  const clock = createManualClock()
  const mpesa = floor.open(store, { confirmSuccess: 'query', queriesPerMinute: 6_000, ...config }, clock)
  const discrepancies: Discrepancy[] = []
  mpesa.onDiscrepancy(discrepancy => void discrepancies.push(discrepancy))
  floor.simulator.addScenario(scenario)
  const { paymentId } = await mpesa.initiatePayment(order)
  await floor.simulator.waitForTransaction(() => true)
  const checkoutRequestId = floor.simulator.transactions()[0]?.checkoutRequestId ?? ''
  return {
    floor,
    mpesa,
    discrepancies,
    paymentId,
    checkoutRequestId,
    /** Whatever is due within the next hour. */
    async anHour() {
      for (let minute = 0; minute < 60; minute++) {
        clock.advance(60_000)
        await mpesa.runDueWork()
      }
    },
    runDueWork: () => mpesa.runDueWork(),
    [Symbol.asyncDispose]: () => floor[Symbol.asyncDispose](),
  }
}

test('a success counts once Safaricom confirms it, with the receipt of its callback', async () => {
  await using shop = await openDoubtful({ outcome: 'paid' })
  await shop.floor.idle()
  expect(shop.floor.processed).toMatchObject([{ outcome: 'unconfirmed', status: 'PENDING', isDuplicate: false }])
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

test.each<[string, ScenarioInput, string]>([
  ['says cancelled', { outcome: 'cancelled', callbackLost: true }, 'query-says-otherwise'],
  ['never says an end', { outcome: 'pending' }, 'never-confirmed'],
])('a forged success gets nowhere when Safaricom %s, and is raised', async (_what, scenario, reason) => {
  await using shop = await openDoubtful(scenario)
  await shop.floor.post(paidBody(shop.checkoutRequestId, 'FORGED0001'))
  await shop.anHour()
  expect(shop.floor.settled.map(({ status }) => status)).not.toContain('SUCCESS')
  expect(await shop.mpesa.getPayment(shop.paymentId)).toMatchObject({ mpesaReceiptNumber: null })
  expect(shop.discrepancies).toMatchObject([{ event: 'callback.contradiction', reason, paymentId: shop.paymentId }])
})

test('a success waits while Safaricom is still at work', async () => {
  await using shop = await openDoubtful({ outcome: 'paid', queryAnswers: ['processing', '4999', '429'] })
  await shop.floor.idle()
  await shop.runDueWork()
  expect(shop.floor.settled).toEqual([])
  await shop.anHour()
  expect(shop.floor.settled).toMatchObject([{ status: 'SUCCESS' }])
})

test('a success after TIMEOUT is confirmed before it corrects', async () => {
  await using shop = await openDoubtful({ outcome: 'paid', callbackLost: true, queryAnswers: ['4999'] }, undefined, {
    maxPollAttempts: 1,
  })
  await shop.anHour()
  expect(shop.floor.settled.map(({ status }) => status)).toEqual(['TIMEOUT'])
  await shop.floor.post(paidBody(shop.checkoutRequestId, 'UHH0AB12CD'))
  expect(shop.floor.processed.at(-1)).toMatchObject({ outcome: 'unconfirmed', status: 'TIMEOUT' })
  await shop.anHour()
  expect(shop.floor.settled.map(({ status }) => status)).toEqual(['TIMEOUT', 'SUCCESS'])
})

test('a callback with its token makes a lost push a pending payment, and a confirmation makes it paid', async () => {
  await using shop = await openDoubtful({ outcome: 'paid', ackLost: true }, undefined, { callbackToken: 'path' })
  await shop.floor.idle()
  expect(shop.floor.processed).toMatchObject([{ outcome: 'unconfirmed', status: 'PENDING' }])
  await shop.anHour()
  expect(shop.floor.settled).toMatchObject([{ status: 'SUCCESS', id: shop.paymentId }])
})

test('two successes with different receipts settle without a receipt, and both are raised', async () => {
  await using shop = await openDoubtful({ outcome: 'paid', callbackLost: true })
  for (const receipt of ['UHH0AB12CD', 'FORGED0001']) await shop.floor.post(paidBody(shop.checkoutRequestId, receipt))
  await shop.anHour()
  expect(shop.floor.settled).toMatchObject([{ status: 'SUCCESS', mpesaReceiptNumber: null }])
  expect(shop.discrepancies.map(({ reason }) => reason)).toEqual(['receipt-differs', 'receipt-differs'])
})

test('a failure that comes while a success waits does not make the success forgotten', async () => {
  await using shop = await openDoubtful({ outcome: 'paid', callbackLost: true })
  await shop.floor.post(paidBody(shop.checkoutRequestId, 'UHH0AB12CD'))
  await shop.floor.post(failedBody(shop.checkoutRequestId, 1037))
  await shop.anHour()
  expect(shop.floor.settled.map(({ status }) => status)).toEqual(['TIMEOUT', 'SUCCESS'])
})

test('a success that comes while the last query is under way is not lost with the poll', async () => {
  let comeIn = async () => {}
  const store = interceptStore(new MemoryAdapter(), async (name, pass, args) => {
    // The poll has looked for waiting callbacks and found none; it is about to give up.
    const isGivingUp = name === 'commitTransition' && JSON.stringify(args).includes('"TIMEOUT"')
    if (isGivingUp) await comeIn()
    return pass()
  })
  await using shop = await openDoubtful({ outcome: 'paid', callbackLost: true, queryAnswers: ['4999'] }, store, {
    maxPollAttempts: 1,
  })
  comeIn = async () => {
    comeIn = async () => {}
    await shop.floor.post(paidBody(shop.checkoutRequestId, 'UHH0AB12CD'))
  }
  await shop.anHour()
  expect(shop.floor.processed.at(-1)).toMatchObject({ outcome: 'unconfirmed' })
  expect(await shop.mpesa.getPayment(shop.paymentId)).toMatchObject({
    status: 'SUCCESS',
    mpesaReceiptNumber: 'UHH0AB12CD',
  })
})
