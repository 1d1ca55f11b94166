import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSimulator, type Simulator } from './simulator.ts'
import { type CallbackSink, openMerchant, openSink, stkCallback } from './testing/merchant.ts'

let sink: CallbackSink
let open: Simulator[] = []
const start = async (options: Parameters<typeof createSimulator>[0] = {}) => {
  const simulator = await createSimulator({ seed: 1, ...options })
  open.push(simulator)
  return simulator
}
beforeEach(async () => {
  sink = await openSink()
})
afterEach(async () => {
  await Promise.all(open.map(simulator => simulator.close()))
  open = []
  await sink.close()
})

async function story(simulator: Simulator) {
  const merchant = await openMerchant(simulator, 'http://127.0.0.1:1/')
  const told: unknown[] = [merchant.token]
  for (const PhoneNumber of ['254700000000', '254700001032', '254700001037', '254700000000', '254700000500']) {
    const answer = await merchant.push({ PhoneNumber })
    told.push(answer.text)
    await simulator.idle()
  }
  return [...told, ...simulator.transactions().map(({ callbackBody }) => callbackBody)]
}

describe('a seed', () => {
  const now = () => Date.parse('2026-11-21T07:00:00Z')

  it('makes two runs equal', async () => {
    const first = await story(await start({ seed: 7, now }))
    expect(await story(await start({ seed: 7, now }))).toEqual(first)
    expect(await story(await start({ seed: 8, now }))).not.toEqual(first)
  })

  it('starts again at a reset, apart from the tokens', async () => {
    const simulator = await start({ seed: 7, now })
    const first = await story(simulator)
    simulator.reset()
    const second = await story(simulator)
    expect(second.slice(1)).toEqual(first.slice(1))
  })

  it('is drawn anew when none is given', async () => {
    const seeds = await Promise.all([start({ seed: undefined }), start({ seed: undefined })])
    expect(seeds[0]?.seed).not.toBe(seeds[1]?.seed)
  })
})

describe('scenarios', () => {
  it('serve the calls that match, in order, as often as they say', async () => {
    const simulator = await start()
    const merchant = await openMerchant(simulator, sink.url)
    simulator.addScenario({ amount: 99, outcome: 'cancelled' })
    simulator.addScenario({ msisdn: '0700000000', outcome: 'wrong-pin', times: 2 })
    for (const Amount of [1, 99, 2, 3]) {
      await merchant.push({ Amount })
      await simulator.idle()
    }
    expect(sink.bodies.map(body => stkCallback(body).ResultCode)).toEqual([2001, 1032, 2001, 0])
  })

  it('given as options stay for ever and survive a reset', async () => {
    const simulator = await start({ scenarios: [{ msisdn: '254799999999', outcome: 'cancelled' }] })
    const merchant = await openMerchant(simulator, sink.url)
    for (let count = 0; count < 3; count++) {
      await merchant.push({ PhoneNumber: '254799999999' })
      await simulator.idle()
      if (count === 1) simulator.reset()
    }
    expect(sink.bodies.map(body => stkCallback(body).ResultCode)).toEqual([1032, 1032, 1032])
  })

  it.each([
    [{ outcome: 'payed' }, 'outcome'],
    [{ outcome: 'paid', resultCode: '1032' }, 'resultCode'],
    [{ outcome: 'pending', resultCode: '1032' }, 'resultCode'],
    [{ outcome: 'cancelled', resultCode: '0' }, 'resultCode'],
    [{ callBackDelayMs: 5 }, 'callBackDelayMs'],
    [{ callbackDelayMs: -1 }, 'callbackDelayMs'],
    [{ callbackCopies: 1000 }, 'callbackCopies'],
    [{ msisdn: 'somebody' }, 'msisdn'],
    [{ ackError: '418' }, 'ackError'],
    [{ ackLost: true, ackError: '429' }, 'ackLost'],
    [{ ackErrorAfterAccept: true }, 'ackErrorAfterAccept'],
    [{ callbackBeforeAck: true, callbackLost: true }, 'callbackBeforeAck'],
    [{ queryAnswers: ['procesing'] }, 'queryAnswers'],
    [{ api: 'oauth', outcome: 'paid' }, 'outcome'],
    [{ api: 'stk-query' }, 'ackError'],
  ])('refuses %j, naming %s', async (scenario, field) => {
    const simulator = await start()
    const response = await fetch(`${simulator.url}/__sim/scenarios`, { method: 'POST', body: JSON.stringify(scenario) })
    expect(response.status).toBe(400)
    const { error } = (await response.json()) as { error: { code: string; message: string; issues: string[] } }
    expect(error.code).toBe('SIMULATOR_SCENARIO_INVALID')
    expect(error.issues.join('\n')).toContain(field)
    expect(error.message).toContain(field)
  })
})

describe('waiting', () => {
  it('resolves by events', async () => {
    const simulator = await start()
    const merchant = await openMerchant(simulator, sink.url)
    simulator.addScenario({ outcome: 'paid', callbackCopies: 2 })
    const twice = simulator.waitForTransaction(transaction => transaction.callbackAttempts.length === 2)
    const settled = simulator.waitFor(event => event.type === 'transaction-settled')
    await merchant.push()
    expect((await twice).callbackAttempts).toHaveLength(2)
    expect(await settled).toMatchObject({ type: 'transaction-settled', transaction: { state: 'paid' } })
    expect(await simulator.waitForTransaction(transaction => transaction.state === 'paid')).toMatchObject({
      amount: 500,
    })
  })

  it('gives up after its time, and when the simulator closes', async () => {
    const simulator = await start()
    await expect(simulator.waitFor('reset', { timeoutMs: 5 })).rejects.toMatchObject({ code: 'SIMULATOR_WAIT_TIMEOUT' })
    const waiting = simulator.waitFor('reset')
    const refused = expect(waiting).rejects.toMatchObject({ code: 'SIMULATOR_CLOSED' })
    await simulator.close()
    await refused
  })
})

describe('the life of a simulator', () => {
  it('ends everything at a reset: prompts, waiting callbacks, held answers', async () => {
    const simulator = await start()
    const merchant = await openMerchant(simulator, sink.url)
    simulator.addScenario({ outcome: 'paid', callbackDelayMs: 60_000 })
    await merchant.push()
    await merchant.push({ PhoneNumber: '254712345678' })
    simulator.addScenario({ ackDelayMs: 60_000 })
    const accepted = simulator.waitFor('push-accepted')
    const held = merchant.push({ PhoneNumber: '254700000001' })
    await accepted
    simulator.reset()
    expect((await held).status).toBe(200)
    await simulator.idle()
    expect([simulator.transactions().length, sink.bodies.length]).toEqual([0, 0])
  })

  it('closes twice, with everything under way, and frees the port', async () => {
    const simulator = await start()
    const merchant = await openMerchant(simulator, sink.url)
    await merchant.push({ PhoneNumber: '254712345678' })
    const stream = await fetch(`${simulator.url}/__sim/events`)
    await Promise.all([simulator.close(), simulator.close()])
    await stream.body?.cancel().catch(() => undefined)
    await expect(fetch(simulator.url)).rejects.toThrow('fetch failed')
    const again = await start({ port: Number(new URL(simulator.url).port) })
    expect(again.url).toBe(simulator.url)
  })

  it('says clearly that a port is taken', async () => {
    const { url } = await start()
    const port = Number(new URL(url).port)
    await expect(createSimulator({ port })).rejects.toMatchObject({
      code: 'SIMULATOR_PORT_IN_USE',
      message: expect.stringContaining(String(port)),
    })
  })

  it('refuses options that it does not know', async () => {
    const wrong: object = { latencey: 'none', promptTimeoutMs: -1 }
    await expect(createSimulator(wrong)).rejects.toMatchObject({
      code: 'SIMULATOR_OPTIONS_INVALID',
      message: expect.stringMatching(/promptTimeoutMs[\s\S]*latencey/),
    })
  })
})
