import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createDeferred } from '../deferred.ts'
import type { SimulatorOptions } from '../options.ts'
import { createSimulator, type Simulator } from '../simulator.ts'
import {
  basic,
  type CallbackSink,
  type Merchant,
  oauthPath,
  openMerchant,
  openSink,
  pushFields,
  pushPath,
  stkCallback,
} from '../testing/merchant.ts'
import { gatewayErrorNames, gatewayErrors } from './gateway-errors.ts'

let simulator: Simulator
let sink: CallbackSink
let merchant: Merchant

async function start(options: SimulatorOptions = {}) {
  simulator = await createSimulator({ seed: 1, ...options })
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

describe('an accepted push', () => {
  it('is answered with five texts, in the shapes of Safaricom', async () => {
    await restart({ now: () => Date.parse('2026-08-17T22:15:02Z') })
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => merchant.push({ PhoneNumber: `2547123456${10 + index}` })),
    )
    const first = answers[0]
    expect(first?.status).toBe(200)
    expect(Object.keys(first?.json ?? {})).toEqual([
      'MerchantRequestID',
      'CheckoutRequestID',
      'ResponseCode',
      'ResponseDescription',
      'CustomerMessage',
    ])
    expect(first?.json['ResponseCode']).toBe('0')
    // 01:15:02 on the 18th in Nairobi.
    for (const answer of answers)
      expect(answer.json['CheckoutRequestID']).toMatch(/^ws_CO_18082026011502\d{3}7123456\d\d$/)
    const forms = answers.map(({ json }) =>
      /^\d{4,5}-\d{8}-\d$/.test(String(json['MerchantRequestID'])) ? 'old' : 'new',
    )
    expect(new Set(forms)).toEqual(new Set(['old', 'new']))
    const newForm = answers.find((_, index) => forms[index] === 'new')
    expect(newForm?.json['MerchantRequestID']).toMatch(/^[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\d{4}$/)
  })

  it('names the wrong field', async () => {
    const answer = await merchant.push({ TransactionDesc: undefined })
    expect(answer.status).toBe(400)
    expect(answer.json).toMatchObject({ errorCode: '400.002.02', errorMessage: 'Bad Request - Invalid Remarks' })
    expect(simulator.transactions()).toEqual([])
  })

  it('holds the documented rules in strict mode', async () => {
    await restart({ mode: 'strict' })
    expect((await merchant.push()).status).toBe(200)
    const long = await merchant.push({ AccountReference: 'x'.repeat(13) })
    expect(long.json['errorMessage']).toBe('Bad Request - Invalid AccountReference')
    for (const Password of ['nonsense', btoa('174379passkey20261121000001'), btoa('17437920261121000000')])
      expect((await merchant.push({ Password })).json).toMatchObject({
        errorCode: '500.001.1001',
        errorMessage: 'Wrong credentials',
      })
    await merchant.push({ PartyB: '600000' })
    await simulator.idle()
    expect(stkCallback(sink.bodies.at(-1)).ResultCode).toBe(2028)
  })

  it('refuses loopback callbacks with strict URLs', async () => {
    await restart({ strictUrls: true })
    expect((await merchant.push()).json['errorMessage']).toBe('Bad Request - Invalid CallBackURL')
  })

  it('knows only the merchants of a given list', async () => {
    const consumer = { consumerKey: 'key', consumerSecret: 'secret' }
    await restart({ credentials: [{ ...consumer, shortCode: '174379', passkey: 'passkey' }] })
    expect((await merchant.push()).status).toBe(200)
    const other = await merchant.push({ BusinessShortCode: '600000', Password: btoa('600000passkey20261121000000') })
    expect([other.status, other.json['errorMessage']]).toEqual([500, 'Merchant does not exist'])
    const wrong = await merchant.push({ Password: btoa('174379otherkey20261121000000') })
    expect([wrong.status, wrong.json['errorMessage']]).toEqual([500, 'Wrong credentials'])
  })

  it('with a prompt over 182 characters cannot be sent', async () => {
    await merchant.push({ AccountReference: 'x'.repeat(150) })
    await simulator.idle()
    expect(stkCallback(sink.bodies[0]).ResultCode).toBe(1025)
  })
})

describe('ackError', () => {
  it.each(gatewayErrorNames)('%s answers so and creates nothing', async ackError => {
    simulator.addScenario({ ackError })
    const answer = await merchant.push()
    const error = gatewayErrors[ackError]
    expect(answer.status).toBe(error.status)
    if (error.family === 'daraja') {
      expect(answer.json).toEqual({
        requestId: expect.any(String),
        errorCode: error.errorCode,
        errorMessage: error.errorMessage,
      })
    } else if (error.family === 'apigee') {
      expect(answer.json).toEqual({ fault: { faultstring: error.faultstring, detail: { errorcode: error.errorcode } } })
    } else if (error.family === 'html') {
      expect(answer.headers.get('content-type')).toContain('text/html')
      expect(answer.text).toMatch(/^<(html|!DOCTYPE)/)
    } else if (error.family === 'empty') expect(answer.text).toBe('')
    else expect(answer.json['ResponseCode']).toBe('1')
    await simulator.idle()
    expect([simulator.transactions().length, sink.bodies.length]).toEqual([0, 0])
    expect((await merchant.push()).json['ResponseCode']).toBe('0')
  })

  it('after acceptance hides a push that was queued', async () => {
    simulator.addScenario({ ackError: '500.001.1001-internal', ackErrorAfterAccept: true })
    expect((await merchant.push()).status).toBe(500)
    await simulator.idle()
    expect(simulator.transactions()).toMatchObject([{ state: 'paid', acknowledgement: 'error' }])
    expect(sink.bodies).toHaveLength(1)
  })
})

describe('a lost answer', () => {
  it('destroys the connection, yet the push is accepted and called back', async () => {
    simulator.addScenario({ outcome: 'paid', ackLost: true })
    await expect(merchant.push()).rejects.toThrow('fetch failed')
    await simulator.idle()
    expect(simulator.transactions()).toMatchObject([{ state: 'paid', acknowledgement: 'lost' }])
    expect(stkCallback(sink.bodies[0]).ResultCode).toBe(0)
  })

  it('is also what a client makes that gives up too early', async () => {
    simulator.addScenario({ outcome: 'paid', ackDelayMs: 30 })
    const patience = new AbortController()
    const accepted = simulator.waitFor('push-accepted')
    const answer = merchant.push({}, { signal: patience.signal })
    await accepted
    patience.abort()
    await expect(answer).rejects.toThrow('aborted')
    await simulator.idle()
    expect(sink.bodies).toHaveLength(1)
  })

  it('rejects at the in-memory door', async () => {
    simulator.addScenario({ ackLost: true })
    const init = {
      method: 'POST',
      headers: { authorization: `Bearer ${merchant.token}`, 'content-type': 'application/json' },
      body: JSON.stringify(pushFields(sink.url)),
    }
    await expect(Promise.resolve(simulator.app.request(pushPath, init))).rejects.toThrow('destroyed the connection')
    await simulator.idle()
    expect(sink.bodies).toHaveLength(1)
  })

  it('of a token still cancels the older token', async () => {
    simulator.addScenario({ api: 'oauth', ackLost: true })
    await expect(fetch(simulator.url + oauthPath, { headers: basic('key', 'secret') })).rejects.toThrow('fetch failed')
    expect((await merchant.push()).json['errorCode']).toBe('404.001.03')
  })
})

describe('order of answer and callback', () => {
  it('the callback comes after the answer', async () => {
    const order: string[] = []
    simulator.addScenario({ callbackDelayMs: 30 })
    await merchant.push().then(() => order.push('answer'))
    await simulator.waitFor('callback-attempted').then(() => order.push('callback'))
    expect(order).toEqual(['answer', 'callback'])
  })

  it('or before it, delivered and answered, where the scenario says so', async () => {
    await sink.close()
    const called = createDeferred()
    const release = createDeferred()
    sink = await openSink(() => {
      called.resolve()
      return release.promise
    })
    merchant = await openMerchant(simulator, sink.url)
    simulator.addScenario({ outcome: 'paid', callbackBeforeAck: true })
    const answer = merchant.push()
    await called.promise
    // The merchant's listener has the callback and has not answered: the push is not answered either.
    expect(simulator.transactions()[0]).toMatchObject({ state: 'paid', callbackAttempts: [] })
    expect(simulator.transactions()[0]?.acknowledgement).toBeUndefined()
    const acknowledged = simulator.waitFor('push-acknowledged')
    release.resolve()
    expect(await acknowledged).toMatchObject({ transaction: { callbackAttempts: [{ status: 'acknowledged' }] } })
    expect((await answer).json['ResponseCode']).toBe('0')
  })

  it('an answer that waits for a callback does not wait for one that never comes', async () => {
    simulator.addScenario({ callbackBeforeAck: true })
    expect((await merchant.push({ PhoneNumber: '254700004999' })).status).toBe(200)
    expect(simulator.transactions()[0]?.state).toBe('pending')
  })

  it('the answer waits as long as the scenario says', async () => {
    simulator.addScenario({ ackDelayMs: 3_600_000 })
    const accepted = simulator.waitFor('push-accepted')
    const answer = merchant.push()
    await accepted
    expect(simulator.transactions()[0]?.acknowledgement).toBeUndefined()
    simulator.reset()
    expect((await answer).status).toBe(200)
  })
})

describe('a busy phone', () => {
  const phone = { PhoneNumber: '254712345678' }

  it('refuses a second push with HTTP 500 until its prompt is answered', async () => {
    await merchant.push(phone)
    const second = await merchant.push(phone)
    expect(second.status).toBe(500)
    expect(second.json).toMatchObject({
      errorCode: '500.001.1001',
      errorMessage: expect.stringMatching(/^Unable to lock subscriber/),
    })
    simulator.respond(phone.PhoneNumber, 'cancel')
    expect((await merchant.push(phone)).status).toBe(200)
  })

  it('or accepts it and ends it with 1001', async () => {
    await restart({ busyPhone: 'async' })
    await merchant.push(phone)
    expect((await merchant.push(phone)).status).toBe(200)
    await simulator.idle()
    expect(sink.bodies.map(body => stkCallback(body).ResultCode)).toEqual([1001])
  })

  it('or shows a second prompt', async () => {
    await restart({ busyPhone: 'off' })
    await merchant.push(phone)
    await merchant.push(phone)
    expect(simulator.transactions().map(transaction => transaction.state)).toEqual(['prompting', 'prompting'])
  })
})

describe('the two-minute rule', () => {
  let time = 0
  const codes = () => sink.bodies.map(body => stkCallback(body).ResultCode)
  const payTwice = async (options: SimulatorOptions, later: { ms: number; Amount: number }) => {
    time = Date.parse('2026-11-21T07:00:00Z')
    await restart({ now: () => time, ...options })
    await merchant.push()
    await simulator.idle()
    time += later.ms
    await merchant.push({ Amount: later.Amount })
    await simulator.idle()
    return codes()
  }

  it('is off by default', async () => expect(await payTwice({}, { ms: 1_000, Amount: 500 })).toEqual([0, 0]))
  it('ends the same amount with 17', async () =>
    expect(await payTwice({ twoMinuteRule: true }, { ms: 119_999, Amount: 500 })).toEqual([0, 17]))
  it('forgets after two minutes', async () =>
    expect(await payTwice({ twoMinuteRule: true }, { ms: 120_000, Amount: 500 })).toEqual([0, 0]))
  it('allows another amount', async () =>
    expect(await payTwice({ twoMinuteRule: true }, { ms: 1_000, Amount: 501 })).toEqual([0, 0]))
})
