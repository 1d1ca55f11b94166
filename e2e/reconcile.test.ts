import type { Clock, Discrepancy, MpesaSettings, MpesaStk, ReconciliationResult, Store } from 'mpesa-stk'
import type { ScenarioInput } from 'mpesa-stk-simulator'
import { describe, expect, test } from 'vitest'
import { failedBody, paidBody } from './callback-bodies.ts'
import { interceptStore } from './intercept-store.ts'
import { openShopFloor, type ShopFloor } from './shop-floor.ts'
import { openMemoryInTime, type StoreInTime, stores, storesInTime } from './stores.ts'

const queries = ({ simulator }: ShopFloor): number =>
  simulator.requests().filter(({ path }) => path.includes('stkpushquery')).length
const minute = 60_000
const unpaced = { queriesPerMinute: 6_000 }
let lastOrder = 0

async function pay(floor: ShopFloor, mpesa: MpesaStk, scenario: ScenarioInput) {
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

type Situation = { readonly time: StoreInTime; readonly store?: Store; readonly config?: Partial<MpesaSettings> }

async function openReconciling({ time, store = time.store, config }: Situation) {
  const floor = await openShopFloor({ busyPhone: 'off' })
  const open = () => floor.open(store, { ...unpaced, ...config }, time.clock)
  const mpesa = open()
  const discrepancies: Discrepancy[] = []
  mpesa.onDiscrepancy(discrepancy => void discrepancies.push(discrepancy))
  const from = time.clock.now()
  return {
    floor,
    mpesa,
    open,
    discrepancies,
    async pay(scenario: ScenarioInput) {
      // One after another, so that the order of the range is the order of paying.
      await time.advance(1)
      return pay(floor, mpesa, scenario)
    },
    reconcile: (to = new Date(from.getTime() + 5 * minute), by = mpesa): Promise<ReconciliationResult> =>
      by.reconcile(from, to),
    [Symbol.asyncDispose]: () => floor[Symbol.asyncDispose](),
  }
}

/** Payments of which we and Safaricom say different things, in the order of paying, with ours and theirs. */
async function payDrifting(shop: Awaited<ReturnType<typeof openReconciling>>) {
  const drift: { id: string; checkout: string; ours: string; theirs: string }[] = []
  for (const [code, theirs] of [
    ['1032', 'CANCELLED'],
    ['1', 'FAILED'],
    ['1037', 'TIMEOUT'],
    ['1019', 'EXPIRED'],
  ] as const) {
    const payment = await shop.pay({ outcome: 'paid', queryAnswers: [code], queryAnswersThen: 'repeat-last' })
    drift.push({ ...payment, ours: 'SUCCESS', theirs })
  }
  for (const [code, ours] of [
    [1, 'FAILED'],
    [1032, 'CANCELLED'],
    [1037, 'TIMEOUT'],
    [1019, 'EXPIRED'],
  ] as const) {
    const payment = await shop.pay({ outcome: 'paid', callbackLost: true })
    await shop.floor.post(failedBody(payment.checkout, code))
    drift.push({ ...payment, ours, theirs: 'SUCCESS' })
  }
  drift.push({ ...(await shop.pay({ outcome: 'paid', callbackLost: true })), ours: 'PENDING', theirs: 'SUCCESS' })
  drift.push({
    ...(await shop.pay({ outcome: 'cancelled', callbackLost: true })),
    ours: 'PENDING',
    theirs: 'CANCELLED',
  })
  return drift
}

describe.each(storesInTime)('reconciling on the %s store', (_name, openInTime) => {
  test('finds drift in both directions and in every status, corrects nothing, and raises each once', async () => {
    await using time = await openInTime()
    await using shop = await openReconciling({ time })
    const matched: string[] = []
    for (const outcome of ['paid', 'cancelled', 'wrong-pin', 'unreachable', 'expired'] as const) {
      matched.push((await shop.pay({ outcome })).id)
    }
    const drift = await payDrifting(shop)
    await shop.pay({ outcome: 'pending' })
    await shop.pay({ outcome: 'paid', queryAnswers: ['31337'], queryAnswersThen: 'repeat-last' })
    const told = shop.floor.settled.length

    const result = await shop.reconcile()
    expect(result).toEqual({
      checked: 15,
      matched: 5,
      skipped: 2,
      mismatches: drift.map(({ id, checkout, ours, theirs }) => ({
        paymentId: id,
        checkoutRequestId: checkout,
        storedStatus: ours,
        mpesaStatus: theirs,
        amount: 500,
      })),
    })
    for (const { id, ours } of drift) expect(await shop.mpesa.getPayment(id)).toMatchObject({ status: ours })
    await shop.mpesa.idle()
    expect(shop.floor.settled, 'nobody is told of a settlement, because there is none').toHaveLength(told)
    const raised = () => shop.discrepancies.filter(({ event }) => event === 'reconcile.mismatch')
    expect(new Set(raised().map(({ paymentId, standing, claimed }) => `${paymentId} ${standing} ${claimed}`))).toEqual(
      new Set(drift.map(({ id, ours, theirs }) => `${id} ${ours} ${theirs}`)),
    )
    expect(raised()).toHaveLength(drift.length)

    await time.advance(1_000)
    expect((await shop.reconcile()).mismatches).toHaveLength(drift.length)
    await shop.reconcile(new Date(time.clock.now().getTime() + minute))
    await shop.mpesa.idle()
    expect(raised(), 'once, however often the range or another is reconciled').toHaveLength(drift.length)
    for (const paymentId of matched) {
      const events = (await shop.mpesa.history({ paymentId })).map(({ event }) => event)
      expect(events).not.toContain('reconcile.mismatch')
    }
  })

  test('goes on where it stood when the store failed in the middle: no payment is asked about twice', async () => {
    await using time = await openInTime()
    let hasFailed = false
    const store = interceptStore(time.store, async (name, pass, args) => {
      // After it took effect: what was asked is known to the store, and to nobody else.
      const result = await pass()
      if (name !== 'saveReconciliation' || hasFailed || !JSON.stringify(args).includes('"checked":3')) return result
      hasFailed = true
      throw new Error('the store failed')
    })
    await using shop = await openReconciling({ time, store })
    await shop.pay({ outcome: 'paid', queryAnswers: ['1032'] })
    for (let index = 0; index < 4; index++) await shop.pay({ outcome: 'paid' })
    await expect(shop.reconcile()).rejects.toThrow('the store failed')
    expect(queries(shop.floor)).toBe(3)
    expect(await shop.reconcile()).toMatchObject({ checked: 5, matched: 4, mismatches: [{ mpesaStatus: 'CANCELLED' }] })
    expect(queries(shop.floor)).toBe(5)
    await shop.mpesa.idle()
    expect(shop.discrepancies).toHaveLength(1)
  })
})

describe.each(stores)('by the real clock on the %s store', (_name, openStore) => {
  test('two who reconcile the same range at once share one run', async () => {
    await using floor = await openShopFloor({ busyPhone: 'off' })
    const opened = await openStore()
    // Whoever got the run begins when the other has been turned away from it: a busy machine may call him much later.
    let [asked, bothAsked] = [0, () => {}]
    const everybodyAsked = new Promise<void>(resolve => {
      bothAsked = resolve
    })
    const store = interceptStore(opened, async (name, pass) => {
      if (name === 'listPayments') await everybodyAsked
      const answer = await pass()
      if (name === 'openReconciliation' && ++asked === 2) bothAsked()
      return answer
    })
    const team = [floor.open(store, unpaced), floor.open(store, unpaced)] as const
    const from = new Date()
    await pay(floor, team[0], { outcome: 'paid', queryAnswers: ['1032'], queryAnswersThen: 'repeat-last' })
    await pay(floor, team[0], { outcome: 'paid' })
    const to = new Date()
    const [one, other] = await Promise.all(team.map(each => each.reconcile(from, to)))
    expect(one).toMatchObject({ checked: 2, matched: 1, mismatches: [{ storedStatus: 'SUCCESS' }] })
    expect(other).toEqual(one)
    expect(queries(floor)).toBe(2)
    await opened.close()
  })
})

test('what a process that died had asked is not asked again by the one that takes over, once its lease is over', async () => {
  await using time = await openMemoryInTime()
  const store = interceptStore(time.store, async (name, pass, args) =>
    name === 'saveReconciliation' && JSON.stringify(args).includes('"checked":2') ? new Promise(() => {}) : pass(),
  )
  await using shop = await openReconciling({ time, store })
  for (let index = 0; index < 3; index++) await shop.pay({ outcome: 'paid' })
  void shop.reconcile()
  while (queries(shop.floor) < 2) await new Promise(resolve => setImmediate(resolve))
  const began = time.clock.now().getTime()
  const another = shop.floor.open(time.store, unpaced, time.clock)
  expect(await shop.reconcile(undefined, another)).toMatchObject({ checked: 3, matched: 3 })
  expect(time.clock.now().getTime() - began, 'longer than a query may take').toBeGreaterThan(minute)
  expect(queries(shop.floor), 'only the one whose answer was not stored is asked again').toBe(4)
})

test.each([
  [5, { checked: 0, matched: 0, skipped: 1, mismatches: [] }],
  [60, { checked: 1, skipped: 0, mismatches: [{ storedStatus: 'SUCCESS', mpesaStatus: 'NO_RECORD' }] }],
  [49 * 60, { checked: 0, matched: 0, skipped: 1, mismatches: [] }],
])('a paid payment that Safaricom does not know after %i minutes is told as %j', async (ageMinutes, expected) => {
  await using time = await openMemoryInTime()
  await using shop = await openReconciling({ time })
  await shop.pay({ outcome: 'paid', queryAnswers: ['invalid'] })
  await time.advance(ageMinutes * minute)
  expect(await shop.reconcile()).toMatchObject(expected)
})

test('an unpaid payment that Safaricom does not know is skipped: it may never have heard of it', async () => {
  await using time = await openMemoryInTime()
  await using shop = await openReconciling({ time })
  await shop.pay({ outcome: 'cancelled', queryAnswers: ['invalid'] })
  await shop.pay({ outcome: 'pending', queryAnswers: ['invalid'] })
  await time.advance(60 * minute)
  expect(await shop.reconcile()).toEqual({ checked: 0, matched: 0, skipped: 2, mismatches: [] })
})

test('a Daraja that throttles is waited out, and what never gets an answer is skipped', async () => {
  await using time = await openMemoryInTime()
  await using shop = await openReconciling({ time, config: { timeoutMs: 1_000 } })
  await shop.pay({ outcome: 'paid', queryAnswers: ['429', 'incapsula-403', '429', '500.003.02'] })
  await shop.pay({ outcome: 'paid', queryAnswers: ['429'], queryAnswersThen: 'repeat-last' })
  await shop.pay({ outcome: 'paid', queryAnswers: ['500-html'] })
  await shop.pay({ outcome: 'paid', queryAnswers: ['lost'] })
  await shop.pay({ outcome: 'paid', queryAnswers: ['timeout'] })
  expect(await shop.reconcile()).toEqual({ checked: 1, matched: 1, skipped: 4, mismatches: [] })
  expect(queries(shop.floor)).toBe(5 + 5 + 1 + 1 + 1)
})

test('queries of a reconciliation keep to the pace, twelve seconds a payment at the start', async () => {
  await using time = await openMemoryInTime()
  await using shop = await openReconciling({ time, config: { queriesPerMinute: 5 } })
  for (let index = 0; index < 6; index++) await shop.pay({ outcome: 'paid' })
  const began = time.clock.now().getTime()
  await shop.reconcile()
  expect(time.clock.now().getTime() - began).toBeGreaterThanOrEqual(5 * 12_000 * 0.9)
})

test('more payments than a page are all asked about, each once', async () => {
  await using time = await openMemoryInTime()
  await using shop = await openReconciling({ time })
  shop.floor.simulator.addScenario({ outcome: 'paid', times: 'always' })
  for (let index = 0; index < 103; index++) {
    const reference = `PAGED-${index}`
    await shop.mpesa.initiatePayment({
      phoneNumber: '0712345678',
      amount: 500,
      accountReference: reference,
      idempotencyKey: reference,
    })
  }
  await shop.floor.idle()
  expect(await shop.reconcile()).toEqual({ checked: 103, matched: 103, skipped: 0, mismatches: [] })
  expect(queries(shop.floor)).toBe(103)
})

describe('a range', () => {
  test('has both ends in it, and nothing outside of them', async () => {
    await using time = await openMemoryInTime()
    await using shop = await openReconciling({ time })
    await shop.pay({ outcome: 'paid' })
    const first = await shop.pay({ outcome: 'paid', queryAnswers: ['1'] })
    const from = time.clock.now()
    await time.advance(minute)
    const last = await shop.pay({ outcome: 'paid', queryAnswers: ['1'] })
    const to = time.clock.now()
    await shop.pay({ outcome: 'paid' })
    const { checked, mismatches } = await shop.mpesa.reconcile(from, to)
    expect(checked).toBe(2)
    expect(mismatches.map(({ paymentId }) => paymentId)).toEqual([first.id, last.id])
    expect(await shop.mpesa.reconcile(to, to)).toMatchObject({ checked: 1 })
  })

  test('leaves out pushes that nobody can ask about, and those of another shortcode', async () => {
    await using time = await openMemoryInTime()
    await using shop = await openReconciling({ time })
    await shop.pay({ outcome: 'paid', ackLost: true, callbackLost: true })
    shop.floor.simulator.addScenario({ ackError: '400.002.02' })
    const refused = { phoneNumber: '0712345678', amount: 500, accountReference: 'REFUSED' }
    await expect(shop.mpesa.initiatePayment(refused)).rejects.toMatchObject({ code: 'MPESA_STK_PUSH_REFUSED' })
    await pay(shop.floor, shop.floor.open(time.store, { shortCode: '600000' }, time.clock), { outcome: 'paid' })
    expect(await shop.reconcile()).toEqual({ checked: 0, matched: 0, skipped: 0, mismatches: [] })
  })

  test('skips a push whose answer was lost and that a person resolved: it has no id to ask with', async () => {
    await using time = await openMemoryInTime()
    await using shop = await openReconciling({ time })
    const { id } = await shop.pay({ outcome: 'paid', ackLost: true, callbackLost: true })
    await shop.mpesa.resolvePayment({ paymentId: id, status: 'SUCCESS', source: 'operator', by: 'user-17' })
    expect(await shop.reconcile()).toEqual({ checked: 0, matched: 0, skipped: 1, mismatches: [] })
    expect(queries(shop.floor)).toBe(0)
  })

  test('that was reconciled is reconciled anew, because what was skipped may have ended', async () => {
    await using time = await openMemoryInTime()
    await using shop = await openReconciling({ time })
    const { checkout } = await shop.pay({ outcome: 'paid', callbackLost: true, queryAnswers: ['4999'] })
    expect(await shop.reconcile()).toMatchObject({ checked: 0, skipped: 1 })
    await shop.floor.post(paidBody(checkout, 'UHH0AB12CD'))
    await time.advance(minute)
    expect(await shop.reconcile()).toEqual({ checked: 1, matched: 1, skipped: 0, mismatches: [] })
  })

  test.each([
    ['the wrong way round', new Date(2), new Date(1)],
    ['from no date', new Date('yesterday'), new Date()],
    ['to no date', new Date(), new Date(Number.NaN)],
    ['of texts', '2026-11-01' as unknown as Date, '2026-11-02' as unknown as Date],
  ])('%s is refused, and nothing is asked', async (_what, from, to) => {
    await using floor = await openShopFloor()
    await using time = await openMemoryInTime()
    const reconciling = floor.open(time.store).reconcile(from, to)
    await expect(reconciling).rejects.toMatchObject({ code: 'MPESA_STK_RANGE_INVALID' })
    expect(queries(floor)).toBe(0)
  })
})

test('a payment that is settled while it is asked about is compared as it stands then', async () => {
  await using time = await openMemoryInTime()
  let whileAsked = async () => {}
  const store = interceptStore(time.store, async (name, pass) => {
    if (name === 'changeQueryPace') await whileAsked()
    return pass()
  })
  await using shop = await openReconciling({ time, store })
  const { checkout } = await shop.pay({ outcome: 'paid', callbackLost: true })
  whileAsked = async () => {
    whileAsked = async () => {}
    await shop.floor.post(paidBody(checkout, 'UHH0AB12CD'))
  }
  expect(await shop.reconcile()).toEqual({ checked: 1, matched: 1, skipped: 0, mismatches: [] })
  expect(shop.discrepancies).toEqual([])
})

test('customers come first: a poll that is due gets the next turn, however long a reconciliation has waited', async () => {
  await using time = await openMemoryInTime()
  await using floor = await openShopFloor({ busyPhone: 'off' })
  const from = time.clock.now()
  const polling = floor.open(time.store, {}, time.clock)
  let untilLookMs = 500
  // Whoever polls looks once a second, and not at the very moment at which a turn is to be had.
  const clock: Clock = {
    now: time.clock.now,
    async sleep(ms) {
      for (let leftMs = ms; leftMs > 0; ) {
        const stepMs = Math.min(leftMs, untilLookMs)
        await time.advance(stepMs)
        leftMs -= stepMs
        untilLookMs -= stepMs
        if (untilLookMs > 0) continue
        await polling.runDueWork()
        untilLookMs = 1_000
      }
    },
  }
  for (let index = 0; index < 3; index++) await pay(floor, polling, { outcome: 'paid' })
  const late = await pay(floor, polling, { outcome: 'paid', callbackLost: true })
  await floor.open(time.store, {}, clock).reconcile(from, new Date(from.getTime() + minute))
  const trail = await polling.history({ paymentId: late.id })
  const asked = floor.simulator.requests().filter(({ path }) => path.includes('stkpushquery'))
  expect(trail.at(-1)).toMatchObject({ event: 'payment.settled', cause: 'poll' })
  expect(asked.findIndex(({ body }) => JSON.stringify(body).includes(late.checkout))).toBeLessThanOrEqual(1)
})
