import { writeFileSync } from 'node:fs'
import { inspect } from 'node:util'
import {
  type CredentialProvider,
  type Credentials,
  credentialsFromFile,
  MemoryAdapter,
  type MpesaSettings,
  MpesaStk,
} from 'mpesa-stk'
import { createSimulator, type Simulator } from 'mpesa-stk-simulator'
import { describe, expect, test } from 'vitest'
import { resolveConfig } from '../packages/mpesa-stk/src/core/config.ts'
import { watchLogLine } from '../scripts/watch-log-output.ts'
import { createManualClock } from './shop-floor.ts'
import { newSqlitePath } from './stores.ts'

const order = { phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' }
const another = { ...order, phoneNumber: '0712345679', idempotencyKey: 'ORDER-124' }
const good: Credentials = {
  consumerKey: 'the-consumer-key',
  consumerSecret: 'the-consumer-secret',
  passKey: 'the-pass-key',
}
const old: Credentials = { consumerKey: 'old-key', consumerSecret: 'old-secret', passKey: 'old-pass-key' }
const settings = {
  shortCode: '174379',
  environment: 'sandbox',
  callbackUrl: 'http://127.0.0.1:9/payments/callback',
  auditKey: 'the-audit-key-of-the-shop',
} as const satisfies MpesaSettings

/** A Daraja that knows only the good ones. */
function openDaraja(): Promise<Simulator> {
  const { passKey: passkey, ...app } = good
  const credentials = [{ ...app, passkey, shortCode: settings.shortCode }]
  return createSimulator({ seed: 1, queryRate: false, credentials })
}

const requests = (simulator: Simulator, part: string): number =>
  simulator.requests().filter(({ path }) => path.includes(part)).length

/** A vault that is asked for credentials, and a shop that asks it. */
function openVault(simulator: Simulator, first: Credentials, store = new MemoryAdapter()) {
  const clock = createManualClock()
  const lines: unknown[] = []
  const write = (fields: object, message: string): void => {
    lines.push({ message, ...fields })
    watchLogLine({ message, ...fields })
  }
  const vault = { asked: 0, holds: first, isShut: false }
  const provider: CredentialProvider = async () => {
    vault.asked++
    if (vault.isShut) throw new Error(`the vault of ${vault.holds.consumerSecret} is shut`)
    return vault.holds
  }
  const config = { ...settings, baseUrl: simulator.url, credentials: provider, queriesPerMinute: 6_000 }
  const mpesa = new MpesaStk(config, store, { clock, logger: { info: write, warn: write, error: write } })
  return { vault, clock, mpesa, log: () => inspect(lines, { depth: 10 }) }
}

describe('a credential provider', () => {
  test.each<[string, Credentials, string]>([
    ['the consumer key and secret', { ...old, passKey: good.passKey }, 'HTTP_400_EMPTY'],
    ['the consumer secret', { ...good, consumerSecret: old.consumerSecret }, 'HTTP_400_EMPTY'],
    ['the passkey', { ...good, passKey: old.passKey }, '500.001.1001'],
  ])(
    'is asked again when Daraja refuses %s, and the payment goes through with one prompt',
    async (_what, first, darajaCode) => {
      await using simulator = await openDaraja()
      const { vault, clock, mpesa } = openVault(simulator, first)
      await expect(mpesa.initiatePayment(order)).rejects.toMatchObject({
        darajaCode,
        explanation: { category: 'auth' },
      })
      expect(vault.asked, 'it was asked a moment ago: not again').toBe(1)
      vault.holds = good
      clock.advance(30_000)
      expect(await mpesa.initiatePayment(order)).toMatchObject({ status: 'PENDING' })
      expect(vault.asked).toBe(2)
      expect(simulator.transactions()).toHaveLength(1)
      await mpesa.initiatePayment(another)
      expect(vault.asked, 'what works is kept').toBe(2)
      expect(requests(simulator, 'oauth'), 'and so is its token').toBeLessThanOrEqual(3)
    },
  )

  test('is asked once for two payments that are refused at once, and both go through', async () => {
    await using simulator = await openDaraja()
    const { vault, clock, mpesa } = openVault(simulator, { ...good, passKey: old.passKey })
    await expect(mpesa.initiatePayment(order)).rejects.toMatchObject({ explanation: { category: 'auth' } })
    vault.holds = good
    clock.advance(30_000)
    const answers = await Promise.all([mpesa.initiatePayment(order), mpesa.initiatePayment(another)])
    expect(answers.map(({ status }) => status)).toEqual(['PENDING', 'PENDING'])
    expect(vault.asked).toBe(2)
    expect(simulator.transactions()).toHaveLength(2)
  })

  test('is asked again when a query is refused, and the poll goes through', async () => {
    await using simulator = await openDaraja()
    const store = new MemoryAdapter()
    simulator.addScenario({ outcome: 'paid', callbackLost: true })
    const pushing = openVault(simulator, good, store)
    const { paymentId } = await pushing.mpesa.initiatePayment(order)
    const polling = openVault(simulator, { ...good, passKey: old.passKey }, store)
    polling.clock.advance(60_000)
    await polling.mpesa.runDueWork()
    expect(await polling.mpesa.getPayment(paymentId)).toMatchObject({ status: 'PENDING' })
    polling.vault.holds = good
    polling.clock.advance(60_000)
    await polling.mpesa.runDueWork()
    expect(await polling.mpesa.getPayment(paymentId)).toMatchObject({ status: 'SUCCESS' })
  })

  test('is left alone for 30 s however often Daraja refuses', async () => {
    await using simulator = await openDaraja()
    const { vault, clock, mpesa } = openVault(simulator, old)
    for (let second = 0; second < 90; second++) {
      await expect(mpesa.initiatePayment(order)).rejects.toMatchObject({ code: 'MPESA_STK_PUSH_REFUSED' })
      clock.advance(1_000)
    }
    expect(vault.asked).toBe(3)
    expect(requests(simulator, 'processrequest')).toBe(0)
  })

  test('that fails while it is asked again leaves the old ones in use, and is left alone as well', async () => {
    await using simulator = await openDaraja()
    const { vault, clock, mpesa } = openVault(simulator, old)
    await mpesa.initiatePayment(order).catch(() => undefined)
    vault.isShut = true
    for (let second = 0; second < 60; second++) {
      clock.advance(1_000)
      await expect(mpesa.initiatePayment(order)).rejects.toMatchObject({ darajaCode: 'HTTP_400_EMPTY' })
    }
    expect(vault.asked).toBe(3)
  })

  test('that fails at first sends nothing, is asked by the next payment, and its message is not repeated', async () => {
    await using simulator = await openDaraja()
    const { vault, clock, mpesa, log } = openVault(simulator, good)
    vault.isShut = true
    const refusal = await mpesa.initiatePayment(order).catch((error: unknown) => error)
    expect(refusal).toMatchObject({
      code: 'MPESA_STK_PUSH_REFUSED',
      darajaCode: 'NOT_SENT',
      explanation: { retryable: true },
    })
    expect(`${inspect(refusal, { depth: 10, showHidden: true })} ${log()}`).not.toContain('the-consumer-secret')
    expect(simulator.requests()).toEqual([])
    vault.isShut = false
    clock.advance(1_000)
    expect(await mpesa.initiatePayment(order)).toMatchObject({ status: 'PENDING' })
  })

  test('needs an audit key beside it, and stands alone', () => {
    const { auditKey: _auditKey, ...rest } = settings
    const store = new MemoryAdapter()
    expect(() => new MpesaStk({ ...rest, credentials: () => good }, store)).toThrow(/auditKey is missing/)
    const both = { ...settings, ...good, credentials: () => good } as never
    expect(() => new MpesaStk(both, store)).toThrow(/not beside them/)
  })
})

test('new credentials in a mounted file are in use without a restart', async () => {
  await using simulator = await openDaraja()
  const path = `${newSqlitePath()}.json`
  writeFileSync(path, JSON.stringify(old))
  const clock = createManualClock()
  const config = { ...settings, baseUrl: simulator.url, credentials: credentialsFromFile(path) }
  const mpesa = new MpesaStk(config, new MemoryAdapter(), { clock })
  await expect(mpesa.initiatePayment(order)).rejects.toMatchObject({ explanation: { category: 'auth' } })
  writeFileSync(path, JSON.stringify(good))
  clock.advance(30_000)
  expect(await mpesa.initiatePayment(order)).toMatchObject({ status: 'PENDING' })
})

const secrets = [...Object.values(good), settings.auditKey]

describe('a secret', () => {
  test('is a property of nothing that a program could print', () => {
    const config = { ...settings, ...good }
    for (const it of [new MpesaStk(config, new MemoryAdapter()), resolveConfig(config)]) {
      const shown = [
        inspect(it, { depth: 10, showHidden: true }),
        JSON.stringify(it),
        Object.keys(it).join(),
        JSON.stringify(Object.entries(it)),
      ].join('\n')
      for (const secret of secrets) expect(shown).not.toContain(secret)
    }
  })

  test('is in no error and no log line, whatever Daraja refuses', async () => {
    await using simulator = await openDaraja()
    const { mpesa, clock, log } = openVault(simulator, good)
    let shown = ''
    for (const ackError of ['500.001.1001-wrong-credentials', '404.001.03', '400.002.02', '429', '500-html'] as const) {
      simulator.addScenario({ ackError, times: 2 })
      const initiating = mpesa.initiatePayment({ ...order, idempotencyKey: ackError })
      shown += inspect(await initiating.catch((error: unknown) => error), { depth: 10, showHidden: true })
      simulator.reset()
    }
    simulator.addScenario({ outcome: 'pending', queryAnswers: ['404.001.03', '404.001.03', '200-html'] })
    await mpesa.initiatePayment(another)
    for (let round = 0; round < 3; round++) {
      clock.advance(60_000)
      await mpesa.runDueWork()
    }
    expect(shown).toContain('MPESA_STK_PUSH_REFUSED')
    expect(log()).toContain('a query told nothing about its payment')
    for (const secret of secrets) expect(shown + log()).not.toContain(secret)
  })
})
