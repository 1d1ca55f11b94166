import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createSimulator, type Simulator } from 'mpesa-stk-simulator'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type LocalServer, startCallbackServer } from '../local-server.ts'

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url))

let simulator: Simulator
let sink: LocalServer
let received: string[]

beforeEach(async () => {
  received = []
  // Two clients query at once, which the real rate of five a minute would refuse.
  simulator = await createSimulator({ seed: 1, queryRate: false })
  sink = await startCallbackServer(async (_path, body) => {
    received.push(body.toString())
  })
})

afterEach(async () => {
  await simulator.close()
  await sink.close()
})

async function run(script: string): Promise<unknown> {
  const preload = ['--import', 'tsx', '--import', here('redirect-safaricom.ts')]
  const env = { ...process.env, SIMULATOR_URL: simulator.url, CALLBACK_URL: `${sink.url}/callback` }
  const { stdout } = await promisify(execFile)(process.execPath, [...preload, here(script)], { env, timeout: 60_000 })
  return JSON.parse(stdout)
}

describe('clients that nobody here wrote', () => {
  test.each([
    ['mpesa-api@3.0.2', 'pay-with-mpesa-api.ts', 1000],
    ['mpesa-node@0.1.3', 'pay-with-mpesa-node.ts', 100],
  ])('%s completes a push against the simulator', async (_client, script, amount) => {
    const { push, query } = (await run(script)) as { push: Record<string, string>; query: Record<string, string> }
    expect(push).toMatchObject({
      ResponseCode: '0',
      CheckoutRequestID: expect.stringMatching(/^ws_CO_\d{17}708374149$/),
    })
    expect(query).toMatchObject({ ResponseCode: '0', ResultCode: '0', CheckoutRequestID: push['CheckoutRequestID'] })
    await simulator.idle()
    expect(simulator.transactions()).toMatchObject([
      { amount, state: 'paid', checkoutRequestId: push['CheckoutRequestID'] },
    ])
    expect(received).toHaveLength(1)
    const { stkCallback } = JSON.parse(received[0] ?? '').Body
    expect(stkCallback).toMatchObject({ CheckoutRequestID: push['CheckoutRequestID'], ResultCode: 0 })
  })

  test('sent what the simulator must tolerate: a trailing space, numbers and texts, a token per call', async () => {
    await run('pay-with-mpesa-api.ts')
    await run('pay-with-mpesa-node.ts')
    const bodies = simulator
      .requests()
      .filter(({ path }) => path.endsWith('/processrequest'))
      .map(({ body }) => JSON.parse(body))
    expect(bodies).toMatchObject([
      { TransactionType: 'CustomerPayBillOnline ', BusinessShortCode: 174379, PartyA: '254708374149' },
      { TransactionType: 'CustomerPayBillOnline', BusinessShortCode: '174379', PartyA: 254708374149 },
    ])
    expect(simulator.requests().filter(({ path }) => path.includes('/oauth/'))).toHaveLength(4)
  })
})

test('the preload lets nothing reach another host', async () => {
  expect(await run('reach-elsewhere.ts')).toEqual([
    'refused to connect to example.com',
    'refused to connect to example.com:443',
    'refused to connect to 127.0.0.1:1',
    'refused',
  ])
})
