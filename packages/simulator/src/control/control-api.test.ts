import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SimulatorOptions } from '../options.ts'
import { createSimulator, type Simulator } from '../simulator.ts'
import { type CallbackSink, type Merchant, openMerchant, openSink } from '../testing/merchant.ts'

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

/** node:http, because fetch does not let a test choose its Host header. */
function control(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  return new Promise<{ status: number | undefined; json: Record<string, unknown> }>((resolve, reject) => {
    const url = new URL(`/__sim${path}`, simulator.url)
    const call = request(url, { method, headers }, response => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', chunk => {
        text += chunk
      })
      response.on('end', () => resolve({ status: response.statusCode, json: JSON.parse(text) }))
    })
    call.on('error', reject)
    call.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

describe('the control API', () => {
  it('keeps, lists and clears scenarios', async () => {
    const added = await control('POST', '/scenarios', { msisdn: '0712 345 678', outcome: 'cancelled', times: 2 })
    expect(added.status).toBe(201)
    expect(added.json).toEqual({
      scenario: { api: 'stk-push', msisdn: '254712345678', outcome: 'cancelled', times: 2 },
    })
    await merchant.push({ PhoneNumber: '254712345678' })
    expect((await control('GET', '/scenarios')).json).toMatchObject({ scenarios: [{ remaining: 1 }] })
    await control('DELETE', '/scenarios')
    expect((await control('GET', '/scenarios')).json).toEqual({ scenarios: [] })
  })

  it('shows transactions with every attempt, and finds them', async () => {
    sink.statuses.push(503)
    await merchant.push()
    await merchant.push({ PhoneNumber: '254700001032' })
    await simulator.idle()
    const all = (await control('GET', '/transactions')).json
    expect(all).toEqual({ transactions: simulator.transactions() })
    expect(all).toMatchObject({
      transactions: [{ callbackAttempts: [{ httpStatus: 503, status: 'refused' }] }, { state: 'failed' }],
    })
    const one = (await control('GET', '/transactions?msisdn=254700001032')).json
    expect(one).toMatchObject({ transactions: [{ resultCode: '1032' }] })
    const id = simulator.transactions()[0]?.checkoutRequestId
    expect((await control('GET', `/transactions?checkoutRequestId=${id}`)).json).toEqual({
      transactions: simulator.transactions().slice(0, 1),
    })
  })

  it('shows what was received', async () => {
    await merchant.push()
    expect((await control('GET', '/requests')).json).toEqual({ requests: simulator.requests() })
    expect(simulator.requests().map(({ method, path }) => `${method} ${path}`)).toEqual([
      'GET /oauth/v1/generate?grant_type=client_credentials',
      'POST /mpesa/stkpush/v1/processrequest',
    ])
  })

  it('answers prompts', async () => {
    await merchant.push({ PhoneNumber: '254712345678' })
    const answered = await control('POST', '/phone/254712345678/respond', { action: 'approve', pin: '1234' })
    expect([answered.status, answered.json]).toMatchObject([200, { transaction: { state: 'paid' } }])
    const again = await control('POST', '/phone/254712345678/respond', { action: 'approve' })
    expect([again.status, again.json]).toMatchObject([404, { error: { code: 'SIMULATOR_NO_PROMPT' } }])
  })

  it.each(['0712345678', '254712345678', '+254712345678', '0712 345-678'])(
    'knows the phone as %s, like a scenario does',
    async written => {
      simulator.addScenario({ msisdn: written, callbackCopies: 2 })
      await merchant.push({ PhoneNumber: '254712345678' })
      const phone = encodeURIComponent(written)
      expect((await control('POST', `/phone/${phone}/respond`, { action: 'approve' })).status).toBe(200)
      await simulator.idle()
      expect((await control('GET', `/transactions?msisdn=${phone}`)).json).toMatchObject({
        transactions: [{ state: 'paid', callbackAttempts: [{ copy: 1 }, { copy: 2 }] }],
      })
    },
  )

  it.each([
    [{ action: 'explode' }, 'SIMULATOR_ANSWER_INVALID'],
    [{ action: 'approve', pin: '12' }, 'SIMULATOR_ANSWER_INVALID'],
  ])('refuses the answer %j', async (answer, code) => {
    const { status, json } = await control('POST', '/phone/254712345678/respond', answer)
    expect([status, json]).toMatchObject([400, { error: { code } }])
  })

  it('resets', async () => {
    await merchant.push()
    simulator.addScenario({ outcome: 'paid' })
    expect((await control('POST', '/reset')).json).toEqual({ reset: true, seed: 1 })
    expect((await control('GET', '/transactions')).json).toEqual({ transactions: [] })
    expect((await control('GET', '/requests')).json).toEqual({ requests: [] })
    expect((await control('GET', '/scenarios')).json).toEqual({ scenarios: [] })
  })

  it('lists the test numbers', async () => {
    const { json } = await control('GET', '/test-numbers')
    expect(json['testNumbers']).toContainEqual({ msisdn: '254700000000', about: 'Paid', scenario: { outcome: 'paid' } })
  })

  it('says what it does not know, and what is no JSON', async () => {
    expect(await control('GET', '/nothing')).toMatchObject({
      status: 404,
      json: { error: { code: 'SIMULATOR_UNKNOWN_ROUTE' } },
    })
    const response = await fetch(`${simulator.url}/__sim/scenarios`, { method: 'POST', body: '{' })
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { code: 'SIMULATOR_BODY_NOT_JSON' } },
    ])
  })

  it('is bounded in scenarios', async () => {
    for (let count = 0; count < 1_000; count++) simulator.addScenario({ outcome: 'paid' })
    expect((await control('POST', '/scenarios', { outcome: 'paid' })).json).toMatchObject({
      error: { code: 'SIMULATOR_TOO_MANY_SCENARIOS' },
    })
  })

  it('streams events', async () => {
    const response = await fetch(`${simulator.url}/__sim/events`)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    await merchant.push()
    await simulator.idle()
    let text = ''
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true })
      if (/event: callback-attempted\ndata: .+\n\n/.test(text)) break
    }
    const names = [...text.matchAll(/^event: (.+)$/gm)].map(match => match[1])
    expect(names).toEqual([
      'request-received',
      'push-accepted',
      'push-acknowledged',
      'transaction-settled',
      'callback-attempted',
    ])
  })
})

describe('strangers', () => {
  const refused = { status: 403, json: { error: { code: 'SIMULATOR_FOREIGN_ORIGIN' } } }

  it.each([
    [{ origin: 'https://evil.example' }],
    [{ origin: 'null' }],
    [{ host: 'evil.example' }],
    [{ host: 'evil.example:4010', origin: 'http://evil.example:4010' }],
    [{ host: '127.0.0.1.evil.example' }],
    [{ 'sec-fetch-site': 'cross-site' }],
  ])('%j are refused', async headers => {
    expect(await control('POST', '/reset', undefined, headers)).toMatchObject(refused)
    expect(await control('GET', '/transactions', undefined, headers)).toMatchObject(refused)
    // And not by way of a push either, which would make us post a callback to any address on this machine.
    const path = 'oauth/v1/generate?grant_type=client_credentials'
    expect((await simulator.app.request(`http://localhost/${path}`, { headers })).status).toBe(403)
  })

  it.each([
    [{}],
    [{ host: 'localhost:4010' }],
    [{ origin: 'http://localhost:3000' }],
    [{ host: '[::1]:4010', origin: 'http://127.0.0.1:4010' }],
  ])('%j is nobody strange', async headers => {
    expect((await control('GET', '/transactions', undefined, headers)).status).toBe(200)
  })

  it('other host names are welcome where the simulator listens on another address, other sites are not', async () => {
    await simulator.close()
    await start({ host: '0.0.0.0' })
    expect((await control('GET', '/transactions', undefined, { host: 'simulator:4010' })).status).toBe(200)
    const same = { host: 'simulator:4010', origin: 'http://simulator:4010' }
    expect((await control('GET', '/transactions', undefined, same)).status).toBe(200)
    const other = { host: 'simulator:4010', origin: 'https://evil.example' }
    expect(await control('GET', '/transactions', undefined, other)).toMatchObject(refused)
  })
})
