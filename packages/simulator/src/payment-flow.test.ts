import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SimulatorOptions } from './options.ts'
import { type Outcome, outcomes } from './outcomes.ts'
import type { ScenarioInput } from './scenario.ts'
import { createSimulator, type Simulator } from './simulator.ts'
import { testNumbers } from './test-numbers.ts'
import { type CallbackSink, type Merchant, openMerchant, openSink, stkCallback } from './testing/merchant.ts'

let simulator: Simulator
let sink: CallbackSink
let merchant: Merchant

async function start(options: SimulatorOptions = {}) {
  simulator = await createSimulator({ seed: 1, callbackRetryDelaysMs: [1], ...options })
  merchant = await openMerchant(simulator, sink.url)
}
beforeEach(async () => {
  sink = await openSink()
  await start()
})
afterEach(async () => {
  await simulator.close()
  await sink.close()
})

async function pay(scenario: ScenarioInput, fields: Record<string, unknown> = {}) {
  simulator.addScenario(scenario)
  await merchant.push(fields)
  await simulator.idle()
  return sink.bodies
}
const items = (body: string | undefined) =>
  Object.fromEntries((stkCallback(body).CallbackMetadata?.Item ?? []).map(item => [item.Name, item]))

describe('outcomes', () => {
  it.each(Object.entries(outcomes) as [Outcome, { resultCode?: string }][])('%s', async (outcome, { resultCode }) => {
    const bodies = await pay({ outcome })
    if (resultCode === undefined) {
      expect(bodies).toEqual([])
      expect(simulator.transactions()[0]?.state).toBe('pending')
      return
    }
    expect(bodies).toHaveLength(1)
    const callback = stkCallback(bodies[0])
    expect(callback.ResultCode).toBe(Number(resultCode))
    expect(callback.CheckoutRequestID).toBe(simulator.transactions()[0]?.checkoutRequestId)
    expect('CallbackMetadata' in callback).toBe(outcome === 'paid')
  })

  it.each(testNumbers)('test number $msisdn: $about', async ({ msisdn, scenario }) => {
    await merchant.push({ PhoneNumber: msisdn }).catch(() => undefined)
    await simulator.idle()
    const refused = scenario.ackError !== undefined && !scenario.ackErrorAfterAccept
    const outcomeCode = scenario.outcome && outcomes[scenario.outcome].resultCode
    const code = scenario.resultCode ?? outcomeCode
    const called = refused || code === undefined || scenario.callbackLost ? 0 : (scenario.callbackCopies ?? 1)
    expect(simulator.transactions()).toHaveLength(refused ? 0 : 1)
    expect(sink.bodies).toHaveLength(called)
    if (called > 0) expect(String(stkCallback(sink.bodies[0]).ResultCode)).toBe(code)
  })

  it('lists each test number once', () => {
    expect(new Set(testNumbers.map(({ msisdn }) => msisdn)).size).toBe(testNumbers.length)
  })
})

describe('the callback body', () => {
  it('has the exact bytes of a payment', async () => {
    const [body] = await pay({ outcome: 'paid' }, { Amount: 1 })
    const { merchantRequestId, checkoutRequestId, receipt } = simulator.transactions()[0] ?? {}
    expect(receipt).toMatch(/^[A-Z][A-L][1-9A-V][0-9A-Z]{7}$/)
    const date = String(items(body)['TransactionDate']?.Value)
    expect(date).toMatch(/^20\d{12}$/)
    expect(body).toBe(
      `{"Body":{"stkCallback":{"MerchantRequestID":"${merchantRequestId}","CheckoutRequestID":"${checkoutRequestId}","ResultCode":0,"ResultDesc":"The service request is processed successfully.","CallbackMetadata":{"Item":[{"Name":"Amount","Value":1.00},{"Name":"MpesaReceiptNumber","Value":"${receipt}"},{"Name":"Balance"},{"Name":"TransactionDate","Value":${date}},{"Name":"PhoneNumber","Value":254700000000}]}}}}`,
    )
  })

  it('writes the amount as a whole number where asked', async () => {
    expect((await pay({ outcome: 'paid', amountAs: 'integer' }))[0]).toContain('{"Name":"Amount","Value":500}')
    expect((await pay({ outcome: 'paid', amountAs: 'decimal' }))[1]).toContain('{"Name":"Amount","Value":500.00}')
  })

  it('masks or omits the phone number where asked', async () => {
    expect(items((await pay({ outcome: 'paid', phoneAs: 'masked' }))[0])['PhoneNumber']?.Value).toBe('254700***000')
    expect(items((await pay({ outcome: 'paid', phoneAs: 'absent' }))[1])['PhoneNumber']).toBeUndefined()
    expect(items((await pay({ outcome: 'paid', phoneAs: 'plain' }))[2])['PhoneNumber']?.Value).toBe(254700000000)
  })

  it.each([
    [{ outcome: 'cancelled' }, 1032],
    [{ outcome: 'cancelled', resultCodeAs: 'number' }, 1032],
    [{ outcome: 'cancelled', resultCodeAs: 'string' }, '1032'],
    [{ outcome: 'paid', resultCodeAs: 'string' }, '0'],
    [{ resultCode: 'SFC_IC0003', resultCodeAs: 'number' }, 'SFC_IC0003'],
    [{ resultCode: 'E3008' }, 'E3008'],
    [{ resultCode: 9999 }, 9999],
    [{ resultCode: '00' }, '00'],
  ] as const)('%j gives the result code %j', async (scenario, code) => {
    expect(stkCallback((await pay(scenario))[0]).ResultCode).toBe(code)
  })
})

describe('delivery', () => {
  it('sends copies', async () => {
    const bodies = await pay({ outcome: 'paid', callbackCopies: 3 })
    expect(bodies).toHaveLength(3)
    expect(new Set(bodies).size).toBe(1)
    expect(
      simulator
        .transactions()[0]
        ?.callbackAttempts.map(({ copy }) => copy)
        .sort(),
    ).toEqual([1, 2, 3])
  })

  it('loses a callback although the money moved', async () => {
    expect(await pay({ outcome: 'paid', callbackLost: true })).toEqual([])
    expect(simulator.transactions()[0]).toMatchObject({ state: 'paid', callbackLost: true, callbackAttempts: [] })
  })

  it.each([
    ['none', [503, 503, 503, 503], [503]],
    ['three', [503, 503, 503, 503], [503, 503, 503]],
    ['three', [503, 200], [503, 200]],
    ['until-200', [503, 500, 404, 302, 503], [503, 500, 404, 302, 503, 200]],
  ] as const)('retry policy %s against %j', async (callbackRetryPolicy, statuses, seen) => {
    sink.statuses.push(...statuses)
    await pay({ outcome: 'paid', callbackRetryPolicy })
    const attempts = simulator.transactions()[0]?.callbackAttempts ?? []
    expect(attempts.map(({ httpStatus }) => httpStatus)).toEqual(seen)
    expect(attempts.map(({ attempt }) => attempt)).toEqual(seen.map((_, index) => index + 1))
    expect(attempts.at(-1)?.status).toBe(seen.at(-1) === 200 ? 'acknowledged' : 'refused')
  })

  it('gives up even "until 200" in the end', async () => {
    sink.statuses.push(...Array.from({ length: 100 }, () => 500))
    expect(await pay({ outcome: 'paid', callbackRetryPolicy: 'until-200' })).toHaveLength(50)
  })

  it('records why nobody answered', async () => {
    await pay({ outcome: 'paid' }, { CallBackURL: 'http://127.0.0.1:1/' })
    expect(simulator.transactions()[0]?.callbackAttempts).toMatchObject([
      { status: 'failed', error: expect.any(String) },
    ])
  })

  it('waits no longer than the deadline', async () => {
    await simulator.close()
    await sink.close()
    sink = await openSink(() => new Promise(() => {}))
    await start({ callbackDeadlineMs: 40 })
    await pay({ outcome: 'paid' })
    expect(simulator.transactions()[0]?.callbackAttempts).toMatchObject([
      { status: 'failed', error: 'no answer within 40 ms' },
    ])
  })

  it('follows no redirect', async () => {
    sink.statuses.push(302)
    await pay({ outcome: 'paid' })
    expect(simulator.transactions()[0]?.callbackAttempts).toMatchObject([{ status: 'refused', httpStatus: 302 }])
  })

  it('may come long after the payment', async () => {
    simulator.addScenario({ outcome: 'paid', callbackDelayMs: 60_000 })
    await merchant.push()
    await simulator.waitForTransaction(transaction => transaction.state === 'paid')
    expect(sink.bodies).toEqual([])
  })
})

describe('a prompt on the handset', () => {
  const msisdn = '254712345678'

  it.each([
    ['approve', 0],
    ['cancel', 1032],
    ['wrong-pin', 2001],
    [{ action: 'approve', pin: '1234' }, 0],
    [{ action: 'approve', pin: '0000' }, 2001],
  ] as const)('answered with %j gives %j', async (answer, code) => {
    await merchant.push({ PhoneNumber: msisdn })
    expect(simulator.transactions()[0]?.promptText).toBe(
      'Do you want to pay KES 500 to 174379 Account no. INV-1? Enter M-PESA PIN',
    )
    simulator.respond(msisdn, answer)
    await simulator.idle()
    expect(stkCallback(sink.bodies[0]).ResultCode).toBe(code)
    expect(() => simulator.respond(msisdn, 'approve')).toThrow(expect.objectContaining({ code: 'SIMULATOR_NO_PROMPT' }))
  })

  it('times out with 1037 when nobody answers', async () => {
    await simulator.close()
    await start({ promptTimeoutMs: 20 })
    await merchant.push({ PhoneNumber: msisdn })
    await simulator.waitFor('callback-attempted')
    expect(stkCallback(sink.bodies[0]).ResultCode).toBe(1037)
  })

  it('is approved by itself where that is wanted, unless it is ignored', async () => {
    await simulator.close()
    await start({ autoApproveMs: 60, promptTimeoutMs: 120 })
    await merchant.push({ PhoneNumber: msisdn })
    await simulator.idle()
    expect(stkCallback(sink.bodies[0]).ResultCode).toBe(0)
    await merchant.push({ PhoneNumber: msisdn })
    simulator.respond(msisdn, 'ignore')
    await simulator.waitFor('callback-attempted')
    expect(stkCallback(sink.bodies[1]).ResultCode).toBe(1037)
  })

  it('names the till for goods', async () => {
    await merchant.push({ PhoneNumber: msisdn, TransactionType: 'CustomerBuyGoodsOnline', PartyB: '832500' })
    expect(simulator.transactions()[0]?.promptText).toBe('Do you want to pay KES 500 to 832500? Enter M-PESA PIN')
  })
})
