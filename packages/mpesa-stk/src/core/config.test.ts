import { describe, expect, test } from 'vitest'
import { type MpesaConfig, resolveConfig } from './config.ts'

const good: MpesaConfig = {
  consumerKey: 'the-consumer-key',
  consumerSecret: 'the-consumer-secret',
  shortCode: '174379',
  passKey: 'the-pass-key',
  callbackUrl: 'https://shop.example/mpesa/callback',
  environment: 'sandbox',
}

describe('the configuration', () => {
  test('has the documented defaults', () => {
    const { consumerKey, consumerSecret, passKey, ...settings } = good
    const { credentials, auditKey, ...resolved } = resolveConfig(good)
    expect(resolved).toEqual({
      ...settings,
      timeoutMs: 75_000,
      maxPollAttempts: 10,
      pollIntervalMs: 5_000,
      transactionType: 'CustomerPayBillOnline',
      partyB: '174379',
      callbackToken: 'none',
      confirmSuccess: 'never',
      queriesPerMinute: 5,
      baseUrl: 'https://sandbox.safaricom.co.ke',
      amountLimits: { min: 1, max: 250_000 },
    })
    expect(credentials()).toEqual({ consumerKey, consumerSecret, passKey })
    expect(auditKey()).toContain(passKey)
    expect(resolveConfig({ ...good, environment: 'production' }).baseUrl).toBe('https://api.safaricom.co.ke')
  })

  test('cannot be changed afterwards', () => {
    expect(Object.isFrozen(resolveConfig(good))).toBe(true)
  })

  test.each<[string, object, RegExp]>([
    ['a missing secret', { consumerSecret: undefined }, /consumerSecret is missing/],
    ['an empty pass key', { passKey: ' ' }, /passKey must not be empty/],
    ['a shortcode with letters', { shortCode: '17437X' }, /shortCode must be 5 to 7 digits/],
    ['plain http to a public host', { callbackUrl: 'http://shop.example/cb' }, /callbackUrl must be https/],
    ['plain http to a public Daraja', { baseUrl: 'http://daraja.example' }, /baseUrl must be https/],
    ['no URL at all', { callbackUrl: 'shop.example' }, /callbackUrl must be an absolute URL/],
    ['an unknown environment', { environment: 'prod' }, /environment must be 'sandbox' or 'production'/],
    ['a timeout of a millisecond', { timeoutMs: 1 }, /timeoutMs must be at least/],
    ['limits the wrong way round', { amountLimits: { min: 10, max: 1 } }, /min must not be above max/],
    ['a field that we do not have', { consumerkey: 'x' }, /unknown field consumerkey/],
  ])('refuses %s and names it', (_what, changes, message) => {
    const attempt = () => resolveConfig({ ...good, ...changes } as MpesaConfig)
    expect(attempt).toThrow(
      expect.objectContaining({ code: 'MPESA_STK_CONFIG_INVALID', message: expect.stringMatching(message) }),
    )
  })

  test('refuses something that is no configuration', () => {
    expect(() => resolveConfig(undefined as unknown as MpesaConfig)).toThrow(
      expect.objectContaining({ code: 'MPESA_STK_CONFIG_INVALID' }),
    )
  })

  test.each(['http://127.0.0.1:4010', 'http://localhost:4010', 'http://[::1]:4010'])(
    'accepts http on this machine: %s',
    baseUrl => {
      expect(resolveConfig({ ...good, baseUrl, callbackUrl: `${baseUrl}/cb` }).baseUrl).toBe(baseUrl)
    },
  )

  test.each(['http://127.0.0.1.evil.example', 'http://localhost.evil.example', 'http://127.0.0.1@evil.example'])(
    'is not fooled by %s',
    baseUrl => {
      expect(() => resolveConfig({ ...good, baseUrl })).toThrow(
        expect.objectContaining({ code: 'MPESA_STK_CONFIG_INVALID' }),
      )
    },
  )

  test('never puts a secret into its message', () => {
    const secrets = { consumerKey: 'KEY-SECRET-1', consumerSecret: 'SECRET-2', passKey: 'SECRET-3' }
    try {
      resolveConfig({ ...good, ...secrets, shortCode: 'x', callbackUrl: 'y' })
      expect.unreachable()
    } catch (error) {
      expect(String(error)).not.toMatch(/SECRET/)
    }
  })
})
