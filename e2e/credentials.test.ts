import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { type Credentials, credentialsFromEnvironment, credentialsFromFile, MemoryAdapter, MpesaStk } from 'mpesa-stk'
import { createSimulator, type Simulator } from 'mpesa-stk-simulator'
import { afterAll, describe, expect, test } from 'vitest'
import { createManualClock } from './shop-floor.ts'

const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-credentials-'))
afterAll(() => rmSync(folder, { recursive: true }))

const order = { phoneNumber: '0712345678', amount: 500, accountReference: 'ORDER-123', idempotencyKey: 'ORDER-123' }
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
} as const

async function openDaraja(): Promise<Simulator> {
  const { passKey: passkey, ...app } = good
  return createSimulator({ seed: 1, credentials: [{ ...app, passkey, shortCode: settings.shortCode }] })
}

const pushes = (simulator: Simulator): number =>
  simulator.requests().filter(({ path }) => path.endsWith('/processrequest')).length

describe('a credential provider', () => {
  test.each<[string, Credentials]>([
    ['the consumer secret', { ...good, consumerKey: old.consumerKey, consumerSecret: old.consumerSecret }],
    ['the passkey', { ...good, passKey: old.passKey }],
  ])('is asked again when Daraja refuses %s, and the payment goes through with one prompt', async (_what, first) => {
    await using simulator = await openDaraja()
    let asked = 0
    let current = first
    const clock = createManualClock()
    const provider = (): Credentials => {
      asked++
      return current
    }
    const mpesa = new MpesaStk({ ...settings, baseUrl: simulator.url, credentials: provider }, new MemoryAdapter(), {
      clock,
      logger: { info() {}, warn() {}, error() {} },
    })
    await expect(mpesa.initiatePayment(order)).rejects.toMatchObject({ explanation: { category: 'auth' } })
    expect(asked, 'it was asked a moment ago: not again').toBe(1)
    current = good
    clock.advance(30_000)
    expect(await mpesa.initiatePayment(order)).toMatchObject({ status: 'PENDING' })
    expect(asked).toBe(2)
    expect(simulator.transactions()).toHaveLength(1)
    await mpesa.initiatePayment({ ...order, idempotencyKey: 'ORDER-124', phoneNumber: '0712345679' })
    expect(asked, 'what works is kept').toBe(2)
  })

  test('that fails sends nothing, and its message is not repeated', async () => {
    await using simulator = await openDaraja()
    const credentials = (): Promise<Credentials> =>
      Promise.reject(new Error('the vault of the-consumer-secret is shut'))
    const mpesa = new MpesaStk({ ...settings, baseUrl: simulator.url, credentials }, new MemoryAdapter())
    const refusal = await mpesa.initiatePayment(order).catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'MPESA_STK_PUSH_REFUSED', darajaCode: 'NOT_SENT' })
    expect(inspect(refusal, { depth: 10 })).not.toContain('the-consumer-secret')
    expect(pushes(simulator)).toBe(0)
  })

  test('needs an audit key beside it, and stands alone', () => {
    const { auditKey: _auditKey, ...rest } = settings
    const store = new MemoryAdapter()
    expect(() => new MpesaStk({ ...rest, credentials: () => good }, store)).toThrow(/auditKey is missing/)
    const both = { ...settings, ...good, credentials: () => good } as never
    expect(() => new MpesaStk(both, store)).toThrow(/not beside them/)
  })
})

test('the environment gives credentials when they are needed, and names what is missing', () => {
  const environment: Record<string, string> = { MPESA_CONSUMER_KEY: 'k', MPESA_CONSUMER_SECRET: 's' }
  const provider = credentialsFromEnvironment(environment)
  expect(provider).toThrow(expect.objectContaining({ code: 'MPESA_STK_CREDENTIALS_MISSING' }))
  expect(provider).toThrow(/MPESA_PASSKEY/)
  environment['MPESA_PASSKEY'] = ' p '
  expect(provider()).toEqual({ consumerKey: 'k', consumerSecret: 's', passKey: 'p' })
})

describe('a mounted file', () => {
  test('is read again after a rotation', async () => {
    const path = join(folder, 'rotated.json')
    writeFileSync(path, JSON.stringify(old))
    const provider = credentialsFromFile(path)
    expect(await provider()).toEqual(old)
    writeFileSync(path, JSON.stringify(good))
    expect(await provider()).toEqual(good)
  })

  test.each([
    ['that is not there', null, /cannot be read/],
    ['that is no JSON', '{"consumerSecret":"the-consumer-secret"', /is not a JSON object/],
    ['that lacks a field', '{"consumerKey":"k","consumerSecret":"the-consumer-secret"}', /lacks passKey/],
  ])('%s is told without its content', async (_what, content, message) => {
    const path = join(folder, 'broken.json')
    rmSync(path, { force: true })
    if (content !== null) writeFileSync(path, content)
    const error = await Promise.resolve(credentialsFromFile(path)()).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ code: 'MPESA_STK_CREDENTIALS_MISSING', message: expect.stringMatching(message) })
    expect(inspect(error, { depth: 10 })).not.toContain('the-consumer-secret')
  })
})

test('no secret is a property of anything that a program could print', () => {
  const mpesa = new MpesaStk({ ...settings, ...good }, new MemoryAdapter())
  const shown = `${inspect(mpesa, { depth: 10, showHidden: true })} ${JSON.stringify(mpesa)} ${Object.keys(mpesa).join()}`
  for (const secret of [...Object.values(good), settings.auditKey]) expect(shown).not.toContain(secret)
})
