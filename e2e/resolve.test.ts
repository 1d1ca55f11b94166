import type { Discrepancy, MpesaSettings, Resolution, Store } from 'mpesa-stk'
import type { ScenarioInput } from 'mpesa-stk-simulator'
import { describe, expect, test } from 'vitest'
import { failedBody, paidBody } from './callback-bodies.ts'
import { interceptStore } from './intercept-store.ts'
import { interceptCommits, openShopFloor } from './shop-floor.ts'
import { openMemoryInTime, type StoreInTime, storesInTime } from './stores.ts'

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

type Situation = {
  readonly time: StoreInTime
  readonly scenario: ScenarioInput
  readonly config?: Partial<MpesaSettings>
  /** Stands before the store of `time`. */
  readonly store?: Store
}

/** The desk of whoever looks into payments, and one push. */
async function openDesk({ time, scenario, config = {}, store = time.store }: Situation) {
  const floor = await openShopFloor()
  const mpesa = floor.open(store, config, time.clock)
  const discrepancies: Discrepancy[] = []
  mpesa.onDiscrepancy(discrepancy => void discrepancies.push(discrepancy))
  floor.simulator.addScenario(scenario)
  const { paymentId } = await mpesa.initiatePayment(order)
  await floor.idle()
  const [pushed] = floor.simulator.transactions()
  return {
    floor,
    mpesa,
    discrepancies,
    paymentId,
    checkoutRequestId: pushed?.checkoutRequestId ?? '',
    resolve: (resolution: Omit<Resolution, 'paymentId'>) => mpesa.resolvePayment({ paymentId, ...resolution }),
    /** A callback as Safaricom posts it, with the token of the push if that had one. */
    async post(body: object) {
      await floor.post(body, pushed?.callbackUrl.split('/t/')[1])
      await floor.idle()
    },
    payment: () => mpesa.getPayment(paymentId),
    lastEntry: async () => (await mpesa.history({ paymentId })).at(-1),
    [Symbol.asyncDispose]: () => floor[Symbol.asyncDispose](),
  }
}

describe('what is unresolved', () => {
  test.each([
    ['none', ['c2b', 'pull', 'statement', 'operator']],
    ['path', ['token-callback', 'c2b', 'pull', 'statement', 'operator']],
  ] as const)(
    'with callback token %s is listed with its age and what would resolve it',
    async (callbackToken, resolvedBy) => {
      await using time = await openMemoryInTime()
      await using desk = await openDesk({ time, scenario: nobodyKnows, config: { callbackToken } })
      await time.advance(90_000)
      expect(await desk.mpesa.unresolved()).toMatchObject([
        {
          paymentId: desk.paymentId,
          idempotencyKey: 'ORDER-123',
          phoneNumber: '254712345678',
          amount: 500,
          accountReference: 'ORDER-123',
          ageMs: 90_000,
          code: 'ANSWER_LOST',
          resolvedBy,
          explanation: { terminal: false },
        },
      ])
    },
  )

  test('has the oldest first, as many as are asked for, and nothing that is known', async () => {
    await using time = await openMemoryInTime()
    await using desk = await openDesk({ time, scenario: nobodyKnows })
    const others: string[] = []
    for (const scenario of [nobodyKnows, { outcome: 'pending' }, nobodyKnows] satisfies ScenarioInput[]) {
      await time.advance(1_000)
      desk.floor.simulator.addScenario(scenario)
      const idempotencyKey = `ORDER-${200 + others.length}`
      const phoneNumber = `071234600${others.length}`
      others.push((await desk.mpesa.initiatePayment({ ...order, phoneNumber, idempotencyKey })).paymentId)
    }
    const listed = async (limit?: number) => (await desk.mpesa.unresolved(limit)).map(({ paymentId }) => paymentId)
    expect(await listed()).toEqual([desk.paymentId, others[0], others[2]])
    expect(await listed(2)).toEqual([desk.paymentId, others[0]])
  })

  test('includes a push whose sender died, once he can no longer come back, and that can be resolved', async () => {
    await using time = await openMemoryInTime()
    await using floor = await openShopFloor()
    let steps = 0
    const dying = interceptCommits(time.store, (_transition, pass) => (steps++ === 0 ? pass() : new Promise(() => {})))
    floor.simulator.addScenario({ outcome: 'pending' })
    void floor.open(dying, {}, time.clock).initiatePayment(order)
    await floor.simulator.waitForTransaction(() => true)
    const mpesa = floor.open(time.store, {}, time.clock)
    expect(await mpesa.unresolved(), 'its answer may still come').toEqual([])
    const [paymentId = ''] = (await mpesa.history({ accountReference: 'ORDER-123' })).map(entry => entry.paymentId)
    await expect(mpesa.resolvePayment({ ...onStatement, paymentId })).rejects.toMatchObject({
      code: 'MPESA_STK_RESOLUTION_INVALID',
      message: expect.stringMatching(/still under way/),
    })
    await time.advance(20_000)
    expect(await mpesa.unresolved()).toMatchObject([{ paymentId, code: 'SENDER_DIED', ageMs: 20_000 }])
    expect(await mpesa.resolvePayment({ ...onStatement, paymentId })).toMatchObject({ outcome: 'resolved' })
    expect(await mpesa.unresolved()).toEqual([])
  })
})

test('an acceptance that comes after somebody said REFUSED is on the trail, and raised', async () => {
  await using time = await openMemoryInTime()
  await using floor = await openShopFloor()
  floor.simulator.addScenario({ outcome: 'pending' })
  let paymentId = ''
  const slow = interceptCommits(time.store, async (transition, pass) => {
    if (transition.entry.event === 'initiation.accepted') {
      // His answer is on its way to the store; to everybody else he looks dead.
      paymentId = transition.paymentId
      await time.advance(60_000)
      await desk.resolvePayment({ ...bySupport, paymentId, status: 'REFUSED' })
    }
    return pass()
  })
  const desk = floor.open(time.store, {}, time.clock)
  const discrepancies: Discrepancy[] = []
  desk.onDiscrepancy(discrepancy => void discrepancies.push(discrepancy))
  const refusal: unknown = await floor
    .open(slow, {}, time.clock)
    .initiatePayment(order)
    .catch((error: unknown) => error)
  expect(refusal).toMatchObject({ code: 'MPESA_STK_PUSH_REFUSED' })
  await desk.runDueWork()
  const raised = { paymentId, cause: 'push-answer', reason: 'push-was-refused', claimed: 'accepted' }
  expect(discrepancies).toMatchObject([raised])
  expect(floor.log()).toContain('the customer was prompted')
})

test.each(storesInTime)(
  '%s: a push that was resolved before it was answered gets its ids, and its callback finds it',
  async (_name, openInTime) => {
    await using time = await openInTime()
    await using floor = await openShopFloor()
    floor.simulator.addScenario({ outcome: 'paid', callbackLost: true })
    let paymentId = ''
    const desk = floor.open(time.store, {}, time.clock)
    const slow = interceptCommits(time.store, async (transition, pass) => {
      if (transition.entry.event === 'initiation.accepted' && paymentId === '') {
        paymentId = transition.paymentId
        await time.advance(60_000)
        await desk.resolvePayment({ ...bySupport, paymentId, status: 'SUCCESS' })
        await floor.post(paidBody(floor.simulator.transactions()[0]?.checkoutRequestId ?? '', 'UHH0AB12CD'))
      }
      return pass()
    })
    await floor.open(slow, {}, time.clock).initiatePayment(order)
    await floor.idle()
    const [transaction] = floor.simulator.transactions()
    expect(await desk.getPayment(paymentId)).toMatchObject({
      status: 'SUCCESS',
      checkoutRequestId: transaction?.checkoutRequestId,
      mpesaReceiptNumber: 'UHH0AB12CD',
    })
    expect(floor.log()).not.toContain('different CheckoutRequestIDs')
  },
)

describe.each(storesInTime)('a push whose outcome is unknown, on the %s store', (_name, openInTime) => {
  test.each(['statement', 'c2b', 'pull'] as const)('is paid by %s, with receipt and exact amount', async source => {
    await using time = await openInTime()
    await using desk = await openDesk({ time, scenario: nobodyKnows })
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
      before: null,
      after: 'SUCCESS',
      evidence: { by: 'import-3', initiationWas: 'unknown' },
    })
    expect(await desk.resolve({ ...onStatement, source })).toMatchObject({ outcome: 'repeat' })
    expect(desk.floor.settled).toHaveLength(1)
    expect(desk.floor.simulator.transactions()).toHaveLength(1)
  })

  test('gives its key back only when somebody says that nobody was charged; a success that comes then is raised', async () => {
    await using time = await openInTime()
    await using desk = await openDesk({ time, scenario: nobodyKnows, config: { callbackToken: 'path' } })
    expect(await desk.resolve({ ...bySupport, status: 'REFUSED' })).toMatchObject({
      outcome: 'resolved',
      payment: { status: 'REFUSED', explanation: { code: 'RESOLVED_REFUSED', retryable: true } },
    })
    expect(await desk.resolve({ ...bySupport, status: 'REFUSED' })).toMatchObject({ outcome: 'repeat' })
    desk.floor.simulator.addScenario({ outcome: 'pending' })
    const again = await desk.mpesa.initiatePayment(order)
    expect(again.paymentId).not.toBe(desk.paymentId)
    expect(desk.floor.simulator.transactions()).toHaveLength(2)
    await desk.post(paidBody(desk.checkoutRequestId, 'UHH0AB12CD'))
    expect(desk.discrepancies).toMatchObject([{ paymentId: desk.paymentId, reason: 'push-was-refused' }])
    expect(await desk.payment()).toMatchObject({ status: 'REFUSED' })
    expect(await desk.mpesa.getPayment(again.paymentId)).toMatchObject({ status: 'PENDING' })
  })

  test('keeps its key when it is said to have failed, and a success that comes then is raised', async () => {
    await using time = await openInTime()
    await using desk = await openDesk({ time, scenario: nobodyKnows, config: { callbackToken: 'path' } })
    expect(await desk.resolve({ ...bySupport, status: 'FAILED', note: 'no money came' })).toMatchObject({
      outcome: 'resolved',
      payment: { status: 'FAILED', failureReason: 'no money came', mpesaReceiptNumber: null },
    })
    expect(await desk.mpesa.initiatePayment(order)).toMatchObject({ paymentId: desk.paymentId, status: 'FAILED' })
    expect(desk.floor.simulator.transactions()).toHaveLength(1)
    await desk.post(paidBody(desk.checkoutRequestId, 'UHH0AB12CD'))
    expect(desk.discrepancies).toMatchObject([{ event: 'callback.contradiction', standing: 'FAILED' }])
  })

  test('takes the true ids and the receipt from a callback that comes after it was resolved', async () => {
    await using time = await openInTime()
    await using desk = await openDesk({ time, scenario: nobodyKnows, config: { callbackToken: 'path' } })
    await desk.resolve({ ...bySupport, status: 'SUCCESS' })
    expect(await desk.payment()).toMatchObject({ checkoutRequestId: `unknown:${desk.paymentId}` })
    await desk.post(paidBody(desk.checkoutRequestId, 'UHH0AB12CD'))
    expect(await desk.payment()).toMatchObject({
      checkoutRequestId: desk.checkoutRequestId,
      mpesaReceiptNumber: 'UHH0AB12CD',
    })
    expect(await desk.lastEntry()).toMatchObject({ event: 'payment.receipt-added', cause: 'callback' })
    expect(desk.discrepancies).toEqual([])
  })
})

describe('evidence that does not fit', () => {
  test('of another amount is a contradiction, and raised', async () => {
    await using time = await openMemoryInTime()
    await using desk = await openDesk({ time, scenario: nobodyKnows })
    for (const amount of [499, 500.5, 5_000]) {
      expect(await desk.resolve({ ...onStatement, amount })).toMatchObject({
        outcome: 'contradiction',
        reason: 'amount-differs',
        payment: { status: 'UNKNOWN' },
      })
    }
    await desk.floor.idle()
    expect(desk.discrepancies).toHaveLength(3)
    expect(desk.discrepancies[0]).toMatchObject({
      event: 'evidence.contradiction',
      cause: 'statement',
      standing: 'unknown',
      claimed: 'SUCCESS',
      evidence: { by: 'import-3' },
    })
  })

  test('without an amount is a mistake: a statement always has one', async () => {
    await using time = await openMemoryInTime()
    await using desk = await openDesk({ time, scenario: nobodyKnows })
    const { amount: _amount, ...withoutAmount } = onStatement
    await expect(desk.resolve(withoutAmount)).rejects.toMatchObject({
      code: 'MPESA_STK_RESOLUTION_INVALID',
      message: expect.stringContaining('needs the amount'),
    })
    expect(desk.discrepancies).toEqual([])
  })

  test.each(storesInTime)(
    'with the receipt of another payment is a contradiction, on the %s store',
    async (_name, open) => {
      await using time = await open()
      await using desk = await openDesk({ time, scenario: { outcome: 'paid' } })
      const receipt = desk.floor.simulator.transactions()[0]?.receipt ?? ''
      desk.floor.simulator.addScenario(nobodyKnows)
      const other = { ...order, phoneNumber: '0712345679', idempotencyKey: 'ORDER-124' }
      const { paymentId } = await desk.mpesa.initiatePayment(other)
      expect(await desk.mpesa.resolvePayment({ ...onStatement, paymentId, receipt })).toMatchObject({
        outcome: 'contradiction',
        reason: 'receipt-seen-before',
        payment: { status: 'UNKNOWN' },
      })
      await desk.floor.idle()
      expect(desk.discrepancies).toMatchObject([{ paymentId, reason: 'receipt-seen-before' }])
    },
  )

  test('with another receipt than the payment has is a contradiction', async () => {
    await using time = await openMemoryInTime()
    await using desk = await openDesk({ time, scenario: { outcome: 'paid' } })
    expect(await desk.resolve(onStatement)).toMatchObject({ outcome: 'contradiction', reason: 'receipt-differs' })
    await desk.floor.idle()
    expect(desk.discrepancies).toMatchObject([{ cause: 'statement', standing: 'SUCCESS' }])
  })
})

describe('a person', () => {
  test.each(['SUCCESS', 'FAILED', 'CANCELLED', 'EXPIRED'] as const)('settles what is pending as %s', async status => {
    await using time = await openMemoryInTime()
    await using desk = await openDesk({ time, scenario: { outcome: 'pending' }, config: { queriesPerMinute: 6_000 } })
    expect(await desk.resolve({ ...bySupport, status })).toMatchObject({ outcome: 'resolved', payment: { status } })
    await time.advance(3_600_000)
    await desk.mpesa.runDueWork()
    expect(desk.floor.settled).toMatchObject([{ status, resultCodeText: null }])
    expect(desk.floor.simulator.requests().filter(({ path }) => path.includes('stkpushquery'))).toEqual([])
  })

  test('corrects a TIMEOUT without overruling, and a statement does too', async () => {
    for (const resolution of [{ ...bySupport, status: 'FAILED' }, onStatement] as const) {
      await using time = await openMemoryInTime()
      await using desk = await openDesk({ time, scenario: { outcome: 'unreachable' } })
      expect(await desk.payment()).toMatchObject({ status: 'TIMEOUT' })
      expect(await desk.resolve(resolution)).toMatchObject({
        outcome: 'resolved',
        payment: { status: resolution.status },
      })
      await desk.floor.idle()
      expect(desk.floor.settled.map(({ status }) => status)).toEqual(['TIMEOUT', resolution.status])
      expect(await desk.lastEntry()).toMatchObject({ event: 'payment.corrected', before: 'TIMEOUT' })
    }
  })

  test('changes what is settled only by overruling, and that is a correction on the record', async () => {
    await using time = await openMemoryInTime()
    await using desk = await openDesk({ time, scenario: { outcome: 'wrong-pin' } })
    const paid = { ...bySupport, status: 'SUCCESS', receipt: 'UHH0AB12CD' } as const
    expect(await desk.resolve(paid)).toMatchObject({
      outcome: 'contradiction',
      reason: 'other-status',
      payment: { status: 'FAILED' },
    })
    expect(await desk.resolve({ ...paid, overrule: false })).toMatchObject({ outcome: 'contradiction' })
    expect(await desk.resolve({ ...paid, overrule: true, note: 'seen on the phone' })).toMatchObject({
      outcome: 'resolved',
      payment: { status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD', failureReason: null, resultCodeText: null },
    })
    await desk.floor.idle()
    expect(desk.floor.settled.map(({ status }) => status)).toEqual(['FAILED', 'SUCCESS'])
    expect(await desk.lastEntry()).toMatchObject({
      event: 'payment.corrected',
      cause: 'operator',
      before: 'FAILED',
      after: 'SUCCESS',
      evidence: { by: 'user-17', note: 'seen on the phone', overrule: true },
    })
  })

  test('puts the true receipt in the place of a wrong one only by overruling, and that is a correction', async () => {
    await using time = await openMemoryInTime()
    await using desk = await openDesk({ time, scenario: { outcome: 'pending' } })
    await desk.post(paidBody(desk.checkoutRequestId, 'FORGED0001'))
    const true_ = { ...bySupport, status: 'SUCCESS', receipt: 'UHH0AB12CD' } as const
    expect(await desk.resolve(true_)).toMatchObject({ outcome: 'contradiction', reason: 'receipt-differs' })
    expect(await desk.resolve({ ...true_, overrule: true })).toMatchObject({
      outcome: 'resolved',
      payment: { status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD' },
    })
    expect(await desk.lastEntry()).toMatchObject({ event: 'payment.corrected', before: 'SUCCESS', after: 'SUCCESS' })
    expect(await desk.resolve({ ...true_, overrule: true })).toMatchObject({ outcome: 'repeat' })
  })

  test('may overrule a success too: its receipt is free again', async () => {
    await using time = await openMemoryInTime()
    await using desk = await openDesk({ time, scenario: { outcome: 'pending' } })
    await desk.post(paidBody(desk.checkoutRequestId, 'UHH0AB12CD'))
    expect(await desk.resolve({ ...bySupport, status: 'CANCELLED', overrule: true, note: 'reversed' })).toMatchObject({
      outcome: 'resolved',
      payment: { status: 'CANCELLED', mpesaReceiptNumber: null },
    })
    const other = { ...order, phoneNumber: '0712345679', idempotencyKey: 'ORDER-124' }
    desk.floor.simulator.addScenario(nobodyKnows)
    const { paymentId } = await desk.mpesa.initiatePayment(other)
    expect(await desk.mpesa.resolvePayment({ ...onStatement, paymentId })).toMatchObject({ outcome: 'resolved' })
  })

  test('is contradicted by a callback that says something else, and stands', async () => {
    await using time = await openMemoryInTime()
    await using desk = await openDesk({ time, scenario: { outcome: 'pending' } })
    await desk.resolve({ ...bySupport, status: 'SUCCESS', receipt: 'UHH0AB12CD' })
    await desk.post(failedBody(desk.checkoutRequestId, 1032))
    expect(await desk.payment()).toMatchObject({ status: 'SUCCESS' })
    expect(desk.discrepancies).toMatchObject([{ cause: 'callback', standing: 'SUCCESS', reason: 'other-status' }])
  })

  test('is on the trail by id, with a note in which no phone number is left', async () => {
    await using time = await openMemoryInTime()
    await using desk = await openDesk({ time, scenario: { outcome: 'pending' } })
    const note = 'paid from 0722 000 111 (+254-733-000111), push ws_CO_17082026101502337708374149'
    await desk.resolve({ ...bySupport, status: 'SUCCESS', note: note + 'x'.repeat(1_000) })
    const entry = await desk.lastEntry()
    expect(entry).toMatchObject({ cause: 'operator', evidence: { by: 'user-17' } })
    expect(entry?.evidence['note']).toMatch(/^paid from 2547\*{5}111 \(2547\*{5}111\), push ws_CO_\*{5}/)
    expect(String(entry?.evidence['note']).length).toBeLessThanOrEqual(300)
    expect(JSON.stringify(await desk.payment())).not.toMatch(/0722|733/)
  })
})

describe('a resolution that makes no sense is refused, and changes nothing', () => {
  test.each<[Omit<Resolution, 'paymentId'>, RegExp]>([
    [{ ...bySupport, status: 'SUCCESS', by: ' ' }, /by must say/],
    [{ ...bySupport, status: 'SUCCESS', by: 17 as unknown as string }, /by must say/],
    [{ ...bySupport, status: 'SUCCESS', receipt: 'no receipt' }, /not an M-PESA receipt/],
    [{ ...bySupport, status: 'SUCCESS', receipt: '0000000000' }, /not an M-PESA receipt/],
    [{ ...bySupport, status: 'FAILED', receipt: 'UHH0AB12CD' }, /only a SUCCESS has a receipt/],
    [{ ...bySupport, source: 'c2b', status: 'SUCCESS', amount: 500 }, /SUCCESS by c2b needs the receipt/],
    [{ ...bySupport, source: 'statement', status: 'FAILED' }, /for a person to say/],
    [{ ...bySupport, source: 'pull', status: 'REFUSED' }, /for a person to say/],
    [{ ...onStatement, overrule: true }, /only a person may overrule/],
    [{ ...bySupport, status: 'REFUSED' }, /was accepted and is PENDING/],
    [{ ...bySupport, status: 'TIMEOUT' as 'FAILED' }, /status must be one of/],
    [{ ...bySupport, source: 'rumour' as 'operator', status: 'FAILED' }, /source must be one of/],
  ])('%j', async (resolution, message) => {
    await using time = await openMemoryInTime()
    await using desk = await openDesk({ time, scenario: { outcome: 'pending' } })
    const before = await desk.mpesa.history({ paymentId: desk.paymentId })
    await expect(desk.resolve(resolution)).rejects.toMatchObject({
      code: 'MPESA_STK_RESOLUTION_INVALID',
      message: expect.stringMatching(message),
    })
    expect(await desk.mpesa.history({ paymentId: desk.paymentId })).toEqual(before)
  })

  test('of a push that was never sent: the process died before', async () => {
    await using time = await openMemoryInTime()
    await using floor = await openShopFloor()
    const dying = interceptCommits(time.store, () => Promise.reject(new Error('killed')))
    await expect(floor.open(dying, {}, time.clock).initiatePayment(order)).rejects.toThrow('killed')
    const mpesa = floor.open(time.store, {}, time.clock)
    const [paymentId = ''] = (await mpesa.history({ accountReference: 'ORDER-123' })).map(entry => entry.paymentId)
    await expect(mpesa.resolvePayment({ ...bySupport, paymentId, status: 'FAILED' })).rejects.toMatchObject({
      code: 'MPESA_STK_RESOLUTION_INVALID',
      message: expect.stringMatching(/never sent/),
    })
  })

  test('of a push whose callback came while it was said to be refused', async () => {
    await using time = await openMemoryInTime()
    let comeIn = async () => {}
    const store = interceptStore(time.store, async (name, pass, args) => {
      if (name === 'commitTransition' && JSON.stringify(args).includes('RESOLVED_REFUSED')) await comeIn()
      return pass()
    })
    await using desk = await openDesk({ time, store, scenario: nobodyKnows, config: { callbackToken: 'path' } })
    comeIn = () => desk.post(paidBody(desk.checkoutRequestId, 'UHH0AB12CD'))
    await expect(desk.resolve({ ...bySupport, status: 'REFUSED' })).rejects.toMatchObject({
      code: 'MPESA_STK_RESOLUTION_INVALID',
      message: expect.stringMatching(/changed while it was resolved/),
    })
    expect(await desk.payment()).toMatchObject({ status: 'SUCCESS', mpesaReceiptNumber: 'UHH0AB12CD' })
  })

  test('of a payment that there is not', async () => {
    await using time = await openMemoryInTime()
    await using desk = await openDesk({ time, scenario: { outcome: 'pending' } })
    const resolving = desk.mpesa.resolvePayment({ ...bySupport, status: 'FAILED', paymentId: 'nobody' })
    await expect(resolving).rejects.toMatchObject({ code: 'MPESA_STK_PAYMENT_NOT_FOUND' })
  })
})
