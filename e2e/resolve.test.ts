import { type Discrepancy, MemoryAdapter, type Resolution } from 'mpesa-stk'
import type { ScenarioInput } from 'mpesa-stk-simulator'
import { describe, expect, test } from 'vitest'
import { paidBody } from './callback-bodies.ts'
import { createManualClock, openShopFloor } from './shop-floor.ts'

const order = { phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' }
const nobodyKnows: ScenarioInput = { outcome: 'paid', ackLost: true, callbackLost: true }
const bySupport = { source: 'operator', by: 'user-17' } as const
const onStatement = {
  source: 'statement',
  by: 'import-3',
  status: 'SUCCESS',
  receipt: 'UHH0AB12CD',
  amount: 500,
} as const

async function openDesk(scenario: ScenarioInput, config = {}) {
  const floor = await openShopFloor()
  const clock = createManualClock()
  const mpesa = floor.open(new MemoryAdapter(), config, clock)
  const discrepancies: Discrepancy[] = []
  mpesa.onDiscrepancy(discrepancy => void discrepancies.push(discrepancy))
  floor.simulator.addScenario(scenario)
  const { paymentId } = await mpesa.initiatePayment(order)
  await floor.idle()
  return {
    floor,
    clock,
    mpesa,
    discrepancies,
    paymentId,
    resolve: (resolution: Omit<Resolution, 'paymentId'>) => mpesa.resolvePayment({ paymentId, ...resolution }),
    [Symbol.asyncDispose]: () => floor[Symbol.asyncDispose](),
  }
}

describe('a push whose outcome is unknown', () => {
  test.each([
    ['none', ['c2b', 'pull', 'statement', 'operator']],
    ['path', ['token-callback', 'c2b', 'pull', 'statement', 'operator']],
  ])('with callback token %s is listed with its age and what would resolve it', async (callbackToken, resolvedBy) => {
    await using desk = await openDesk(nobodyKnows, { callbackToken })
    desk.clock.advance(90_000)
    expect(await desk.mpesa.unresolved()).toMatchObject([
      { paymentId: desk.paymentId, amount: 500, code: 'ANSWER_LOST', resolvedBy, explanation: { terminal: false } },
    ])
    expect((await desk.mpesa.unresolved())[0]?.ageMs).toBeGreaterThanOrEqual(90_000)
  })

  test.each(['statement', 'c2b', 'pull'] as const)('is paid by %s, with receipt and exact amount', async source => {
    await using desk = await openDesk(nobodyKnows)
    expect(await desk.resolve({ ...onStatement, source })).toMatchObject({
      outcome: 'resolved',
      payment: { status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD', amount: 500 },
    })
    await desk.floor.idle()
    expect(desk.floor.settled).toMatchObject([{ id: desk.paymentId, status: 'SUCCESS' }])
    expect(await desk.mpesa.unresolved()).toEqual([])
    expect(await desk.mpesa.initiatePayment(order)).toMatchObject({ paymentId: desk.paymentId, status: 'SUCCESS' })
    expect((await desk.mpesa.history({ receipt: 'uhh0ab12cd' })).at(-1)).toMatchObject({
      event: 'payment.settled',
      cause: source,
      evidence: { by: 'import-3', initiationWas: 'unknown' },
    })
    expect(await desk.resolve({ ...onStatement, source })).toMatchObject({ outcome: 'repeat' })
  })

  test('is not paid by another amount: that is a contradiction, and raised', async () => {
    await using desk = await openDesk(nobodyKnows)
    expect(await desk.resolve({ ...onStatement, amount: 400 })).toMatchObject({
      outcome: 'contradiction',
      reason: 'amount-differs',
      payment: { status: 'UNKNOWN' },
    })
    await desk.floor.idle()
    expect(desk.discrepancies).toMatchObject([{ event: 'evidence.contradiction', cause: 'statement' }])
  })

  test('gives its key back only when somebody says that nobody was charged; a success that comes then is raised', async () => {
    await using desk = await openDesk(nobodyKnows, { callbackToken: 'path' })
    const [lost] = desk.floor.simulator.transactions()
    expect(await desk.resolve({ ...bySupport, status: 'REFUSED' })).toMatchObject({
      outcome: 'resolved',
      payment: { status: 'REFUSED' },
    })
    desk.floor.simulator.addScenario({ outcome: 'pending' })
    const again = await desk.mpesa.initiatePayment({ ...order, phoneNumber: '0712345678' })
    expect(again.paymentId).not.toBe(desk.paymentId)
    expect(desk.floor.simulator.transactions()).toHaveLength(2)
    const token = lost?.callbackUrl.split('/t/')[1] ?? ''
    await desk.floor.post(paidBody(lost?.checkoutRequestId ?? '', 'UHH0AB12CD'), token)
    await desk.floor.idle()
    expect(desk.discrepancies).toMatchObject([{ paymentId: desk.paymentId, reason: 'push-was-refused' }])
  })

  test('keeps its key when it is said to have failed, and takes the true ids from a callback', async () => {
    await using desk = await openDesk(nobodyKnows, { callbackToken: 'path' })
    const [lost] = desk.floor.simulator.transactions()
    await desk.resolve({ ...bySupport, status: 'SUCCESS' })
    expect(await desk.mpesa.initiatePayment(order)).toMatchObject({ paymentId: desk.paymentId, status: 'SUCCESS' })
    const token = lost?.callbackUrl.split('/t/')[1] ?? ''
    await desk.floor.post(paidBody(lost?.checkoutRequestId ?? '', 'UHH0AB12CD'), token)
    expect(await desk.mpesa.getPayment(desk.paymentId)).toMatchObject({
      checkoutRequestId: lost?.checkoutRequestId,
      mpesaReceiptNumber: 'UHH0AB12CD',
    })
    expect(desk.floor.simulator.transactions()).toHaveLength(1)
  })
})

test('a person settles what is pending, and changes what is settled only by overruling', async () => {
  await using desk = await openDesk({ outcome: 'pending' })
  expect(await desk.resolve({ ...bySupport, status: 'FAILED' })).toMatchObject({ payment: { status: 'FAILED' } })
  const paid = { ...bySupport, status: 'SUCCESS', receipt: 'UHH0AB12CD' } as const
  expect(await desk.resolve(paid)).toMatchObject({ outcome: 'contradiction', reason: 'other-status' })
  expect(await desk.resolve({ ...paid, overrule: true, note: 'paid from 0722 000 111' })).toMatchObject({
    outcome: 'resolved',
    payment: { status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD' },
  })
  expect((await desk.mpesa.history({ paymentId: desk.paymentId })).at(-1)).toMatchObject({
    event: 'payment.corrected',
    cause: 'operator',
    before: 'FAILED',
    evidence: { by: 'user-17', overrule: true },
  })
  expect(JSON.stringify(await desk.mpesa.history({ paymentId: desk.paymentId }))).not.toMatch(/0722 ?000 ?111/)
})

describe('a resolution that makes no sense is refused', () => {
  test.each<[Omit<Resolution, 'paymentId'>, RegExp]>([
    [{ ...bySupport, status: 'SUCCESS', by: ' ' }, /by must say/],
    [{ ...bySupport, status: 'SUCCESS', receipt: 'no receipt' }, /not an M-PESA receipt/],
    [{ ...bySupport, status: 'FAILED', receipt: 'UHH0AB12CD' }, /only a SUCCESS has a receipt/],
    [{ ...bySupport, source: 'c2b', status: 'SUCCESS', amount: 500 }, /needs the receipt/],
    [{ ...bySupport, source: 'statement', status: 'FAILED' }, /for a person to say/],
    [{ ...onStatement, overrule: true }, /only an operator may overrule/],
    [{ ...bySupport, status: 'REFUSED' }, /was accepted and is PENDING/],
    [{ ...bySupport, status: 'TIMEOUT' as 'FAILED' }, /status must be one of/],
    [{ ...bySupport, source: 'rumour' as 'operator', status: 'FAILED' }, /source must be one of/],
  ])('%j', async (resolution, message) => {
    await using desk = await openDesk({ outcome: 'pending' })
    const refusal = expect(desk.resolve(resolution)).rejects
    await refusal.toMatchObject({
      code: 'MPESA_STK_RESOLUTION_INVALID',
      message: expect.stringMatching(message),
    })
  })

  test('of a payment that there is not', async () => {
    await using desk = await openDesk({ outcome: 'pending' })
    const resolving = desk.mpesa.resolvePayment({ ...bySupport, status: 'FAILED', paymentId: 'nobody' })
    await expect(resolving).rejects.toMatchObject({ code: 'MPESA_STK_PAYMENT_NOT_FOUND' })
  })
})
