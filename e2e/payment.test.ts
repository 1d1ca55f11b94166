import { MemoryAdapter, type PaymentRequest, type PaymentStatus, PushRefusedError } from 'mpesa-stk'
import type { ScenarioInput } from 'mpesa-stk-simulator'
import { describe, expect, test } from 'vitest'
import { createManualClock, credentials, interceptCommits, openShopFloor, type ShopFloor } from './shop-floor.ts'
import { newSqlitePath, openSqlite, stores } from './stores.ts'

const order: PaymentRequest = {
  phoneNumber: '0712 345 678',
  amount: 500,
  accountReference: 'ORDER-123',
  description: 'Payment for order ORDER-123',
  idempotencyKey: 'ORDER-123',
}

/** Every push that reached the simulator, whether it was answered or not. */
const pushes = ({ simulator }: ShopFloor): number =>
  simulator.requests().filter(({ path }) => path.endsWith('/processrequest')).length

describe.each(stores)('a payment on the %s store', (_name, openStore) => {
  test.each<[ScenarioInput, PaymentStatus]>([
    [{ outcome: 'paid' }, 'SUCCESS'],
    [{ outcome: 'paid', resultCodeAs: 'string', amountAs: 'decimal', phoneAs: 'masked' }, 'SUCCESS'],
    [{ outcome: 'paid', phoneAs: 'absent' }, 'SUCCESS'],
    [{ outcome: 'cancelled' }, 'CANCELLED'],
    [{ outcome: 'unreachable' }, 'TIMEOUT'],
    [{ outcome: 'expired' }, 'EXPIRED'],
    [{ outcome: 'wrong-pin' }, 'FAILED'],
    [{ outcome: 'insufficient-funds' }, 'FAILED'],
    [{ outcome: 'wrong-till', resultCode: 'SFC_IC0003' }, 'FAILED'],
  ])('that meets %j ends %s', async (scenario, status) => {
    await using floor = await openShopFloor()
    const store = await openStore()
    const mpesa = floor.open(store)
    floor.simulator.addScenario(scenario)
    const initiated = await mpesa.initiatePayment(order)
    await floor.idle()
    const payment = await mpesa.getPayment(initiated.paymentId)
    expect(payment).toMatchObject({ status, phoneNumber: '254712345678', amount: 500, accountReference: 'ORDER-123' })
    expect(floor.settled.map(settled => [settled.id, settled.status])).toEqual([[initiated.paymentId, status]])
    const [transaction] = floor.simulator.transactions()
    if (status === 'SUCCESS')
      expect(payment).toMatchObject({ mpesaReceiptNumber: transaction?.receipt, explanation: null })
    else expect(payment?.explanation?.customer.sw).not.toBe('')
    const trail = await mpesa.history({ paymentId: initiated.paymentId })
    expect(trail.map(({ event, after }) => [event, after])).toEqual([
      ['initiation.reserved', 'reserved'],
      ['initiation.sent', 'sent'],
      ['initiation.accepted', 'accepted'],
      ['payment.settled', status],
    ])
    await store.close()
  })

  test('whose callback comes four times is settled once', async () => {
    await using floor = await openShopFloor()
    const store = await openStore()
    const mpesa = floor.open(store)
    floor.simulator.addScenario({ callbackCopies: 4 })
    const { paymentId } = await mpesa.initiatePayment(order)
    floor.simulator.respond('254712345678', 'approve')
    await floor.idle()
    expect(floor.processed.map(({ outcome }) => outcome).sort()).toEqual(['repeat', 'repeat', 'repeat', 'settled'])
    expect(floor.processed.filter(({ isDuplicate }) => isDuplicate)).toHaveLength(3)
    expect(floor.settled).toHaveLength(1)
    expect((await mpesa.history({ paymentId })).filter(({ event }) => event === 'payment.settled')).toHaveLength(1)
    await store.close()
  })

  test('whose callback comes before the answer to its push is settled, with a token and without', async () => {
    for (const callbackToken of ['none', 'path'] as const) {
      await using floor = await openShopFloor()
      const store = await openStore()
      const mpesa = floor.open(store, { callbackToken })
      floor.simulator.addScenario({ outcome: 'paid', callbackBeforeAck: true })
      const initiated = await mpesa.initiatePayment(order)
      expect(initiated.status).toBe('SUCCESS')
      await floor.idle()
      expect(floor.processed.map(({ outcome }) => outcome)).toEqual([callbackToken === 'path' ? 'settled' : 'parked'])
      expect(floor.settled).toHaveLength(1)
      await store.close()
    }
  })
})

describe('one push per idempotency key', () => {
  test('however many ask at once', async () => {
    await using floor = await openShopFloor()
    const mpesa = floor.open(new MemoryAdapter())
    floor.simulator.addScenario({ outcome: 'paid', ackDelayMs: 50 })
    const all = await Promise.all(Array.from({ length: 20 }, () => mpesa.initiatePayment(order)))
    expect(new Set(all.map(({ paymentId }) => paymentId)).size).toBe(1)
    expect(new Set(all.map(({ checkoutRequestId }) => checkoutRequestId)).size).toBe(1)
    expect(pushes(floor)).toBe(1)
  })

  test('also after it was paid', async () => {
    await using floor = await openShopFloor()
    const mpesa = floor.open(new MemoryAdapter())
    floor.simulator.addScenario({ outcome: 'paid' })
    const first = await mpesa.initiatePayment(order)
    await floor.idle()
    expect(await mpesa.initiatePayment({ ...order, phoneNumber: '+254712345678' })).toEqual({
      ...first,
      status: 'SUCCESS',
    })
    expect(pushes(floor)).toBe(1)
  })

  test('and a key with other parameters is refused by name, without the number', async () => {
    await using floor = await openShopFloor()
    const mpesa = floor.open(new MemoryAdapter())
    await mpesa.initiatePayment(order)
    const attempt = mpesa.initiatePayment({ ...order, amount: 501, phoneNumber: '0110345678' })
    await expect(attempt).rejects.toMatchObject({
      code: 'MPESA_STK_IDEMPOTENCY_KEY_REUSED',
      message: expect.stringMatching(/phoneNumber, amount/),
    })
    await expect(attempt).rejects.not.toMatchObject({ message: expect.stringMatching(/345678/) })
    expect(pushes(floor)).toBe(1)
  })

  test('and none at all when the process died between storing the intent and pushing: the next one pushes it', async () => {
    await using floor = await openShopFloor()
    const path = newSqlitePath()
    const store = await openSqlite(path)
    const dying = interceptCommits(store, () => Promise.reject(new Error('killed')))
    await expect(floor.open(dying).initiatePayment(order)).rejects.toThrow('killed')
    expect(pushes(floor)).toBe(0)
    await store.close()
    const again = await openSqlite(path)
    expect(await floor.open(again).initiatePayment(order)).toMatchObject({ status: 'PENDING' })
    expect(pushes(floor)).toBe(1)
    await again.close()
  })

  test('and never a second when the process died while the push was under way', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const store = new MemoryAdapter()
    let isDead = false
    const dying = interceptCommits(store, (_transition, pass) => {
      if (isDead) return new Promise(() => {})
      isDead = true
      return pass()
    })
    floor.simulator.addScenario({ outcome: 'pending' })
    void floor.open(dying, {}, clock).initiatePayment(order)
    await floor.simulator.waitForTransaction(() => true)
    const after = await floor.open(store, {}, clock).initiatePayment(order)
    expect(after).toEqual({ paymentId: expect.any(String), status: 'UNKNOWN' })
    expect(pushes(floor)).toBe(1)
  })
})

describe('a push whose outcome is not known', () => {
  test.each<[string, ScenarioInput]>([
    ['the answer was lost', { outcome: 'paid', ackLost: true }],
    [
      'it was queued although the answer was a 500',
      { outcome: 'paid', ackError: '500.001.1001-internal', ackErrorAfterAccept: true },
    ],
    ['the answer was a page', { outcome: 'paid', ackError: '200-html', ackErrorAfterAccept: true }],
  ])('because %s: is UNKNOWN, is never pushed again, and is healed by its callback', async (_what, scenario) => {
    await using floor = await openShopFloor()
    const mpesa = floor.open(new MemoryAdapter(), { callbackToken: 'path' })
    floor.simulator.addScenario({ ...scenario, callbackDelayMs: 60_000 })
    const first = await mpesa.initiatePayment(order)
    expect(first).toEqual({ paymentId: expect.any(String), status: 'UNKNOWN' })
    expect(await mpesa.initiatePayment(order)).toEqual(first)
    expect(await mpesa.getPayment(first.paymentId)).toMatchObject({
      status: 'UNKNOWN',
      explanation: { terminal: false },
    })
    expect(pushes(floor)).toBe(1)

    const [transaction] = floor.simulator.transactions()
    const token = transaction?.callbackUrl.split('/t/')[1]
    expect(await mpesa.processCallback(paidBody(transaction?.checkoutRequestId ?? ''), { token })).toMatchObject({
      outcome: 'settled',
      paymentId: first.paymentId,
      status: 'SUCCESS',
      receipt: 'UHH0AB12CD',
    })
    expect(await mpesa.initiatePayment(order)).toMatchObject({
      status: 'SUCCESS',
      checkoutRequestId: transaction?.checkoutRequestId,
    })
    expect(floor.settled).toHaveLength(1)
    expect(pushes(floor)).toBe(1)
  })

  test('without a token stays UNKNOWN, and its callback is kept for a person', async () => {
    await using floor = await openShopFloor()
    const mpesa = floor.open(new MemoryAdapter())
    floor.simulator.addScenario({ outcome: 'paid', ackLost: true })
    const { paymentId, status } = await mpesa.initiatePayment(order)
    await floor.idle()
    expect(status).toBe('UNKNOWN')
    expect(floor.processed).toMatchObject([{ outcome: 'parked', paymentId: null }])
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'UNKNOWN' })
    expect(floor.settled).toEqual([])
  })

  test('because the store failed after the push: the answer is stored as soon as the store is back', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const store = new MemoryAdapter()
    let failures = 0
    const shaky = interceptCommits(store, (transition, pass) =>
      transition.initiation.state === 'accepted' && failures++ < 3
        ? Promise.reject(new Error('connection refused'))
        : pass(),
    )
    floor.simulator.addScenario({ outcome: 'pending' })
    expect(await floor.open(shaky, {}, clock).initiatePayment(order)).toMatchObject({ status: 'PENDING' })
    expect(failures).toBe(4)
  })

  test('because the store never came back: is UNKNOWN, not an exception that invites a second prompt', async () => {
    await using floor = await openShopFloor()
    const clock = createManualClock()
    const store = new MemoryAdapter()
    const broken = interceptCommits(store, (transition, pass) =>
      transition.initiation.state === 'sent' ? pass() : Promise.reject(new Error('disk full')),
    )
    floor.simulator.addScenario({ outcome: 'pending' })
    expect(await floor.open(broken, {}, clock).initiatePayment(order)).toMatchObject({ status: 'UNKNOWN' })
    expect(floor.log()).toContain('could not be stored')
    expect(await floor.open(store, {}, clock).initiatePayment(order)).toMatchObject({ status: 'UNKNOWN' })
    expect(pushes(floor)).toBe(1)
  })
})

describe('a push that Daraja proved to have refused', () => {
  test.each([
    ['500.001.1001', '500.001.1001', 'duplicate-or-busy'],
    ['500.001.1001-wrong-credentials', '500.001.1001', 'auth'],
    ['500.001.1001-merchant', '500.001.1001', 'configuration'],
    ['500.003.02', '500.003.02', 'system'],
    ['500.003.03', '500.003.03', 'rate-limited'],
    ['429', 'policies.ratelimit.SpikeArrestViolation', 'rate-limited'],
    ['incapsula-403', 'HTML_403_INCAPSULA', 'rate-limited'],
    ['incapsula-503', 'HTML_503_INCAPSULA', 'system'],
    ['401.003.01', '401.003.01', 'configuration'],
    ['400.002.02', '400.002.02', 'invalid-request'],
  ] as const)('with %s is an error that explains, and frees its key', async (ackError, darajaCode, category) => {
    await using floor = await openShopFloor()
    const mpesa = floor.open(new MemoryAdapter())
    floor.simulator.addScenario({ ackError })
    const refusal = await mpesa.initiatePayment(order).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(PushRefusedError)
    expect(refusal).toMatchObject({ code: 'MPESA_STK_PUSH_REFUSED', darajaCode, explanation: { category } })
    floor.simulator.addScenario({ outcome: 'paid' })
    const again = await mpesa.initiatePayment(order)
    await floor.idle()
    expect(again.paymentId).not.toBe(Reflect.get(Object(refusal), 'paymentId'))
    expect(await mpesa.getPayment(again.paymentId)).toMatchObject({ status: 'SUCCESS' })
    expect(floor.simulator.transactions()).toHaveLength(1)
  })

  test('because the consumer secret is wrong', async () => {
    await using floor = await openShopFloor({
      credentials: [{ consumerKey: credentials.consumerKey, consumerSecret: 'another' }],
    })
    const attempt = floor.open(new MemoryAdapter(), {}, undefined, { consumerSecret: 'wrong' }).initiatePayment(order)
    await expect(attempt).rejects.toMatchObject({ darajaCode: 'HTTP_400_EMPTY', explanation: { category: 'auth' } })
    expect(pushes(floor)).toBe(0)
  })

  test('because nobody was listening: it was never sent', async () => {
    await using floor = await openShopFloor()
    const mpesa = floor.open(new MemoryAdapter())
    await floor.simulator.close()
    await expect(mpesa.initiatePayment(order)).rejects.toMatchObject({
      darajaCode: 'NOT_SENT',
      explanation: { retryable: true },
    })
  })

  test('with a token that another process had cancelled: a fresh one is fetched and the push sent once more, prompting once', async () => {
    await using floor = await openShopFloor()
    const mpesa = floor.open(new MemoryAdapter())
    await mpesa.initiatePayment({ ...order, idempotencyKey: 'warm-up', phoneNumber: '0708374149' })
    const basic = Buffer.from(`${credentials.consumerKey}:${credentials.consumerSecret}`).toString('base64')
    await fetch(`${floor.simulator.url}/oauth/v1/generate?grant_type=client_credentials`, {
      headers: { authorization: `Basic ${basic}` },
    })
    expect(await mpesa.initiatePayment(order)).toMatchObject({ status: 'PENDING' })
    expect(floor.simulator.transactions()).toHaveLength(2)
    expect(pushes(floor)).toBe(3)
  })
})

describe('a callback that nobody should believe', () => {
  test.each([
    ['no token', undefined],
    ['a wrong token', 'x'.repeat(32)],
  ])('with %s settles nothing', async (_what, token) => {
    await using floor = await openShopFloor()
    const mpesa = floor.open(new MemoryAdapter(), { callbackToken: 'path' })
    floor.simulator.addScenario({ outcome: 'pending' })
    const { paymentId, checkoutRequestId = '' } = await mpesa.initiatePayment(order)
    expect(await floor.post(paidBody(checkoutRequestId), token)).toBe(200)
    expect(floor.processed).toMatchObject([{ outcome: 'refused', isDuplicate: false }])
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'PENDING' })
    expect(floor.settled).toEqual([])
  })

  test('with another amount settles nothing and is on the record', async () => {
    await using floor = await openShopFloor()
    const mpesa = floor.open(new MemoryAdapter())
    floor.simulator.addScenario({ outcome: 'pending' })
    const { paymentId, checkoutRequestId = '' } = await mpesa.initiatePayment(order)
    await floor.post(paidBody(checkoutRequestId, { amount: 1 }))
    expect(floor.processed).toMatchObject([{ outcome: 'contradiction', reason: 'amount-differs', status: 'PENDING' }])
    const trail = await mpesa.history({ paymentId })
    expect(trail.at(-1)).toMatchObject({ event: 'callback.contradiction', evidence: { reason: 'amount-differs' } })
  })

  test('with the receipt of another payment settles nothing', async () => {
    await using floor = await openShopFloor()
    const mpesa = floor.open(new MemoryAdapter())
    floor.simulator.addScenario({ outcome: 'pending', times: 2 })
    const first = await mpesa.initiatePayment(order)
    const second = await mpesa.initiatePayment({ ...order, idempotencyKey: 'ORDER-124', phoneNumber: '0712345679' })
    await floor.post(paidBody(first.checkoutRequestId ?? ''))
    await floor.post(paidBody(second.checkoutRequestId ?? ''))
    expect(floor.processed).toMatchObject([
      { outcome: 'settled' },
      { outcome: 'contradiction', reason: 'receipt-seen-before' },
    ])
    expect(floor.settled).toHaveLength(1)
  })

  test('that contradicts what stands changes nothing', async () => {
    await using floor = await openShopFloor()
    const mpesa = floor.open(new MemoryAdapter())
    floor.simulator.addScenario({ outcome: 'cancelled' })
    const { paymentId, checkoutRequestId = '' } = await mpesa.initiatePayment(order)
    await floor.idle()
    await floor.post(paidBody(checkoutRequestId))
    expect(floor.processed.at(-1)).toMatchObject({
      outcome: 'contradiction',
      reason: 'other-status',
      status: 'CANCELLED',
    })
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'CANCELLED' })
  })

  test.each([
    ['no JSON', '{"Body":'],
    ['another body', '{"Result":{"ResultCode":0}}'],
    ['nothing', ''],
    ['larger than any callback', JSON.stringify(paidBody('ws_CO_x')) + ' '.repeat(300_000)],
  ])('because it is %s is kept', async (_what, body) => {
    await using floor = await openShopFloor()
    floor.open(new MemoryAdapter())
    expect(await floor.post(body)).toBe(200)
    expect(floor.processed).toMatchObject([{ outcome: 'unrecognised', paymentId: null, status: null }])
  })
})

describe('what Daraja is told', () => {
  test('for a paybill', async () => {
    const { consumerKey, consumerSecret, passKey: passkey } = credentials
    const app = { consumerKey, consumerSecret, passkey, shortCode: '174379' }
    await using floor = await openShopFloor({ mode: 'strict', credentials: [app] })
    await floor.open(new MemoryAdapter()).initiatePayment(order)
    expect(floor.simulator.transactions()).toMatchObject([
      {
        shortCode: '174379',
        transactionType: 'CustomerPayBillOnline',
        partyB: '174379',
        amount: 500,
        msisdn: '254712345678',
        accountReference: 'ORDER-123',
        transactionDesc: 'Payment for o',
        callbackUrl: floor.callbackUrl,
      },
    ])
  })

  test('for a till', async () => {
    await using floor = await openShopFloor()
    const till = { transactionType: 'CustomerBuyGoodsOnline', partyB: '5120001' } as const
    await floor.open(new MemoryAdapter(), till).initiatePayment(order)
    expect(floor.simulator.transactions()).toMatchObject([{ shortCode: '174379', ...till }])
  })
})

describe('what a crash left behind', () => {
  test('a callback that was parked and never applied is taken up by the next start', async () => {
    await using floor = await openShopFloor()
    const path = newSqlitePath()
    const store = await openSqlite(path)
    const forgetful = interceptCommits(store, async (_transition, pass) => {
      const outcome = await pass()
      return outcome.outcome === 'committed' ? { ...outcome, parked: [] } : outcome
    })
    floor.simulator.addScenario({ outcome: 'paid', callbackBeforeAck: true })
    const { paymentId, status } = await floor.open(forgetful).initiatePayment(order)
    expect([status, floor.settled.length]).toEqual(['PENDING', 0])
    await store.close()

    const again = await openSqlite(path)
    const mpesa = floor.open(again)
    await mpesa.start()
    await mpesa.idle()
    expect(await mpesa.getPayment(paymentId)).toMatchObject({ status: 'SUCCESS' })
    expect(floor.settled).toHaveLength(1)
    await mpesa.start()
    await mpesa.stop()
    expect(floor.settled).toHaveLength(1)
    await again.close()
  })
})

test.each([
  ['a push', { outcome: 'paid', callbackBeforeAck: true } as const],
  ['a callback', { outcome: 'pending' } as const],
])('%s does not wait for a handler', async (_what, scenario) => {
  await using floor = await openShopFloor()
  const mpesa = floor.open(new MemoryAdapter())
  let end = () => {}
  let isEnded = false
  const called = new Promise<void>(resolve => {
    mpesa.onPaymentSettled(async () => {
      resolve()
      await new Promise<void>(finish => {
        end = finish
      })
      isEnded = true
    })
  })
  floor.simulator.addScenario(scenario)
  const { checkoutRequestId = '', status } = await mpesa.initiatePayment(order)
  if (status === 'PENDING') {
    expect(await mpesa.processCallback(paidBody(checkoutRequestId))).toMatchObject({ outcome: 'settled' })
  }
  await called
  const idle = mpesa.idle()
  expect(isEnded).toBe(false)
  end()
  await idle
  expect(isEnded).toBe(true)
})

test('a failure to apply a parked callback is not an error of the push', async () => {
  await using floor = await openShopFloor()
  const store = interceptCommits(new MemoryAdapter(), (transition, pass) =>
    transition.entry.event === 'payment.settled' ? Promise.reject(new Error('disk full')) : pass(),
  )
  floor.simulator.addScenario({ outcome: 'paid', callbackBeforeAck: true })
  expect(await floor.open(store, {}, createManualClock()).initiatePayment(order)).toMatchObject({ status: 'PENDING' })
  expect(floor.log()).toContain('a parked callback could not be applied')
  expect(pushes(floor)).toBe(1)
})

test('whoever waits for a dead sender whose clock was a day ahead gives up by its own time', async () => {
  await using floor = await openShopFloor()
  const store = new MemoryAdapter()
  const ahead = createManualClock(new Date(Date.now() + 24 * 60 * 60 * 1000))
  let isDead = false
  const dying = interceptCommits(store, (_transition, pass) => {
    if (isDead) return new Promise(() => {})
    isDead = true
    return pass()
  })
  floor.simulator.addScenario({ outcome: 'pending' })
  void floor.open(dying, {}, ahead).initiatePayment(order)
  await floor.simulator.waitForTransaction(() => true)
  const clock = createManualClock()
  const began = clock.now().getTime()
  expect(await floor.open(store, {}, clock).initiatePayment(order)).toMatchObject({ status: 'UNKNOWN' })
  expect(clock.now().getTime() - began).toBeLessThan(60_000)
})

test('no log line holds a phone number, a CheckoutRequestID, a token or a secret', async () => {
  await using floor = await openShopFloor()
  const mpesa = floor.open(new MemoryAdapter(), { callbackToken: 'path' })
  mpesa.onPaymentSettled(payment => {
    throw new Error(`cannot reach ${payment.phoneNumber} about ${payment.checkoutRequestId}`)
  })
  floor.simulator.addScenario({ outcome: 'paid' })
  const { checkoutRequestId = '' } = await mpesa.initiatePayment(order)
  await floor.idle()
  await floor.post(paidBody(checkoutRequestId))
  await floor.post('not json')
  expect(floor.log().split('\n').length).toBeGreaterThanOrEqual(3)
  expect(floor.log()).toContain('cannot reach')
  expect(floor.log()).not.toMatch(/ws_CO_\d/)
  for (const secret of ['712345678', credentials.consumerSecret, credentials.passKey, '/t/']) {
    expect(floor.log()).not.toContain(secret)
  }
})

function paidBody(CheckoutRequestID: string, { amount = 500 } = {}): object {
  const Item = [
    { Name: 'Amount', Value: amount },
    { Name: 'MpesaReceiptNumber', Value: 'UHH0AB12CD' },
    { Name: 'Balance' },
    { Name: 'TransactionDate', Value: 20260817101513 },
    { Name: 'PhoneNumber', Value: 254708374149 },
  ]
  return {
    Body: {
      stkCallback: {
        MerchantRequestID: 'forged',
        CheckoutRequestID,
        ResultCode: 0,
        ResultDesc: 'The service request is processed successfully.',
        CallbackMetadata: { Item },
      },
    },
  }
}
