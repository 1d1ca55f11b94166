import { MemoryAdapter } from 'mpesa-stk'
import { createSimulator, type ScenarioInput } from 'mpesa-stk-simulator'
import { expect, test } from 'vitest'
import { resolveConfig } from '../packages/mpesa-stk/src/core/config.ts'
import { createDarajaClient } from '../packages/mpesa-stk/src/daraja/daraja-client.ts'
import { systemClock } from '../packages/mpesa-stk/src/platform.ts'
import { credentials } from './shop-floor.ts'

const shortCode = '174379'

async function queryAfter(scenario: ScenarioInput, checkoutRequestId?: string) {
  await using simulator = await createSimulator({ seed: 1, queryRate: false, scenarios: [scenario] })
  const config = resolveConfig({
    ...credentials,
    shortCode,
    environment: 'sandbox',
    callbackUrl: 'http://127.0.0.1:9999/callback',
    baseUrl: simulator.url,
    timeoutMs: 5_000,
  })
  const daraja = createDarajaClient(config, systemClock, new MemoryAdapter())
  const pushed = await daraja.push({
    ...config,
    phoneNumber: '254712345678',
    amount: 500,
    accountReference: 'ORDER-123',
    description: 'Order 123',
  })
  if (pushed.outcome !== 'accepted') throw new Error(`expected an acceptance, got ${pushed.outcome}`)
  return await daraja.query({ shortCode, checkoutRequestId: checkoutRequestId ?? pushed.checkoutRequestId })
}

test.each<[ScenarioInput, object]>([
  [
    { outcome: 'paid', callbackLost: true },
    { outcome: 'settled', resultCode: '0' },
  ],
  [
    { outcome: 'cancelled', callbackLost: true },
    { outcome: 'settled', resultCode: '1032' },
  ],
  [
    { outcome: 'pending', queryAnswers: ['processing'] },
    { outcome: 'in-progress', code: '500.001.1001' },
  ],
  [
    { outcome: 'pending', queryAnswers: ['4999'] },
    { outcome: 'in-progress', code: '4999' },
  ],
  [
    { outcome: 'pending', queryAnswers: ['429'] },
    { outcome: 'indeterminate', httpStatus: 429 },
  ],
  [
    { outcome: 'pending', queryAnswers: ['incapsula-403'] },
    { outcome: 'indeterminate', code: 'HTML_403_INCAPSULA' },
  ],
])('an STK query after %j says %j', async (scenario, answer) => {
  expect(await queryAfter(scenario)).toMatchObject(answer)
})

test('an STK query about a push that Daraja does not know settles nothing', async () => {
  const answer = await queryAfter({ outcome: 'pending' }, 'ws_CO_17082026101502337708374149')
  expect(answer).toMatchObject({ outcome: 'in-progress', code: '400.002.02' })
})
