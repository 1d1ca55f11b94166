import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SimulatorOptions } from '../options.ts'
import type { ScenarioInput } from '../scenario.ts'
import { createSimulator, type Simulator } from '../simulator.ts'
import { type CallbackSink, type Merchant, openMerchant, openSink } from '../testing/merchant.ts'

let simulator: Simulator
let sink: CallbackSink
let merchant: Merchant
let time = 0

async function start(options: SimulatorOptions = {}) {
  time = Date.parse('2026-11-21T07:00:00Z')
  simulator = await createSimulator({ seed: 1, now: () => time, queryRate: false, ...options })
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
async function restart(options: SimulatorOptions) {
  await simulator.close()
  await start(options)
}

async function pushed(scenario: ScenarioInput = {}) {
  simulator.addScenario(scenario)
  const id = (await merchant.push()).json['CheckoutRequestID']
  await simulator.idle()
  return id
}

describe('STK query', () => {
  it('tells the end as text, with neither receipt nor amount', async () => {
    const id = await pushed({ outcome: 'paid' })
    const { status, json } = await merchant.query(id)
    expect(status).toBe(200)
    expect(json).toEqual({
      ResponseDescription: expect.stringMatching(/^The service request has been accepted successs?fully$/),
      MerchantRequestID: simulator.transactions()[0]?.merchantRequestId,
      CheckoutRequestID: id,
      ResponseCode: '0',
      ResultCode: '0',
      ResultDesc: 'The service request is processed successfully.',
    })
  })

  it('shows the typing mistake of the description sometimes', async () => {
    const id = await pushed({ outcome: 'paid' })
    const seen = new Set<unknown>()
    for (let count = 0; count < 20; count++) seen.add((await merchant.query(id)).json['ResponseDescription'])
    expect(seen.size).toBe(2)
  })

  it('says of an open payment that it is being processed, in both ways', async () => {
    const id = await pushed({ outcome: 'pending' })
    const first = await merchant.query(id)
    expect(first.status).toBe(500)
    expect(first.json).toEqual({
      requestId: id,
      errorCode: '500.001.1001',
      errorMessage: 'The transaction is being processed',
    })
    const second = await merchant.query(id)
    expect([second.status, second.json['ResultCode']]).toEqual([200, '4999'])
  })

  it.each(['processing', '4999'] as const)('or in one way only: %s', async pendingQueryAs => {
    await restart({ pendingQueryAs })
    const id = await pushed({ outcome: 'pending' })
    const statuses = [(await merchant.query(id)).status, (await merchant.query(id)).status]
    expect(statuses).toEqual(pendingQueryAs === 'processing' ? [500, 500] : [200, 200])
  })

  it('calls an unknown id, and one asked for too early, invalid', async () => {
    await restart({ queryTooEarlyMs: 5_000 })
    const invalid = { errorCode: '400.002.02', errorMessage: 'Bad Request - Invalid CheckoutRequestID' }
    expect(await merchant.query('ws_CO_1')).toMatchObject({ status: 400, json: invalid })
    const id = await pushed({ outcome: 'paid' })
    expect(await merchant.query(id)).toMatchObject({ status: 400, json: invalid })
    time += 5_000
    expect((await merchant.query(id)).json['ResultCode']).toBe('0')
  })

  it.each(['BusinessShortCode', 'Password', 'Timestamp', 'CheckoutRequestID'])('requires %s', async field => {
    const { status, json } = await merchant.query('ws_CO_1', { [field]: undefined })
    expect([status, json['errorMessage']]).toEqual([400, `Bad Request - Invalid ${field}`])
  })

  it('follows its script, then tells the true state', async () => {
    const queryAnswers = ['processing', '4999', 'invalid', '429', 'incapsula-403', 'SFC_IC0003', '1032']
    const id = await pushed({ outcome: 'paid', queryAnswers })
    const seen: unknown[] = []
    for (let count = 0; count < 9; count++) {
      const { status, json, text } = await merchant.query(id)
      seen.push(json['ResultCode'] ?? json['errorCode'] ?? (text.includes('SpikeArrest') ? '429' : `page ${status}`))
    }
    expect(seen).toEqual(['500.001.1001', '4999', '400.002.02', '429', 'page 403', 'SFC_IC0003', '1032', '0', '0'])
  })

  it('or repeats the last answer for ever', async () => {
    const id = await pushed({ outcome: 'paid', queryAnswers: ['processing', '4999'], queryAnswersThen: 'repeat-last' })
    const seen: unknown[] = []
    for (let count = 0; count < 4; count++) seen.push((await merchant.query(id)).json['ResultCode'])
    expect(seen).toEqual([undefined, '4999', '4999', '4999'])
  })

  it('may get no answer at all', async () => {
    const id = await pushed({ outcome: 'paid', queryAnswers: ['lost'] })
    await expect(merchant.query(id)).rejects.toThrow('fetch failed')
    simulator.addScenario({ api: 'stk-query', ackError: '500.003.02' })
    expect((await merchant.query(id)).json['errorCode']).toBe('500.003.02')
  })
})

describe('spike arrest', () => {
  it('lets one query through every twelve seconds, per app', async () => {
    await restart({ queryRate: undefined })
    const other = await openMerchant(simulator, sink.url, 'other')
    const id = await pushed({ outcome: 'paid', queryAnswers: ['4999', '1032'] })
    expect((await merchant.query(id)).json['ResultCode']).toBe('4999')
    const refused = await merchant.query(id)
    expect(refused.status).toBe(429)
    expect(refused.json).toEqual({
      fault: {
        faultstring:
          'Spike arrest violation. Allowed rate : MessageRate{messagesPerPeriod=5, periodInMicroseconds=60000000, maxBurstMessageCount=1.0}',
        detail: { errorcode: 'policies.ratelimit.SpikeArrestViolation' },
      },
    })
    // A refused query is not an answer: the script goes on where it was. Another app has its own allowance.
    expect((await other.query(id)).json['ResultCode']).toBe('1032')
    time += 11_999
    expect((await merchant.query(id)).status).toBe(429)
    time += 12_000
    expect((await merchant.query(id)).status).toBe(200)
  })

  it('has a rate of one’s own', async () => {
    await restart({ queryRate: { limit: 60, perMs: 60_000, burst: 2 } })
    const id = await pushed({ outcome: 'paid' })
    const statuses: number[] = []
    for (const waitMs of [0, 0, 0, 1_000, 0]) {
      time += waitMs
      statuses.push((await merchant.query(id)).status)
    }
    expect(statuses).toEqual([200, 200, 429, 200, 429])
  })
})
