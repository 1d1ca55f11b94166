import { expect, test } from 'vitest'
import { readRelayConfig } from './relay-config.ts'

test('without anything it is the embedded store on this machine', () => {
  expect(readRelayConfig({})).toEqual({
    host: '127.0.0.1',
    port: 3000,
    databaseUrl: null,
    dataFolder: '.data/relay',
    logLevel: 'info',
    adminToken: null,
    encryptionKey: null,
    allowPrivateTargets: false,
    retention: { deliveredDays: 365, bodiesDays: 90, attemptsDays: 90, quarantineDays: 30 },
    sourceAllowList: 'observe',
    sourceAddresses: [],
    trustedProxies: [],
    streamHours: 24,
  })
})

test.each([
  ['PORT', 'eighty'],
  ['PORT', '70000'],
  ['LOG_LEVEL', 'loud'],
  ['DATABASE_URL', 'mysql://root:hunter2@db/'],
  // No URL, though it begins like one: pg would fail on it with a message that quotes it.
  ['DATABASE_URL', 'postgres://[bad/'],
  ['DATABASE_URL', 'postgres://root:hunter2@[bad/'],
  ['DATABASE_URL', 'postgres://root:hunter2@db:99999/'],
  ['RELAY_ADMIN_TOKEN', 'hunter2'],
  ['RELAY_ADMIN_TOKEN', 'with a space in it, hunter2'],
  ['RELAY_ENCRYPTION_KEY', 'hunter2'],
  ['RELAY_ALLOW_PRIVATE_TARGETS', 'yes'],
  ['RELAY_KEEP_BODIES_DAYS', '0'],
  ['RELAY_KEEP_ATTEMPTS_DAYS', '-1'],
  ['RELAY_KEEP_DELIVERED_DAYS', '1.5'],
  ['RELAY_KEEP_QUARANTINE_DAYS', 'never'],
  ['RELAY_STREAM_HOURS', '0'],
  ['RELAY_STREAM_HOURS', '169'],
  ['RELAY_SOURCE_ALLOW_LIST', 'on'],
  ['RELAY_SOURCE_ADDRESSES', '192.0.2.1,hunter2'],
  ['RELAY_SOURCE_ADDRESSES', '0.0.0.0/0'],
  ['RELAY_TRUSTED_PROXIES', '10.0.0.0/33'],
  ['RELAY_TRUSTED_PROXIES', 'nginx'],
])('%s=%s is refused by name, and not repeated', (name, value) => {
  expect(() => readRelayConfig({ [name]: value })).toThrow(
    expect.objectContaining({
      code: 'MPESA_STK_CONFIG_INVALID',
      message: expect.stringMatching(new RegExp(`^${name} must be (?!.*hunter2)`)),
    }),
  )
})

test('an admin token of more than 500 characters is refused: whoever sent it in a header would be nobody', () => {
  const refused = {
    code: 'MPESA_STK_CONFIG_INVALID',
    message: expect.stringMatching(/^RELAY_ADMIN_TOKEN must be at most 500/),
  }
  for (const length of [501, 10_000]) {
    expect(() => readRelayConfig({ RELAY_ADMIN_TOKEN: 'x'.repeat(length) })).toThrow(expect.objectContaining(refused))
  }
})

test('an admin token of 500 characters and a PostgreSQL URL are taken', () => {
  const adminToken = 'x'.repeat(500)
  for (const databaseUrl of ['postgres://root:hunter2@db/relay', 'postgresql://[::1]:5432/relay?sslmode=require']) {
    const config = readRelayConfig({ RELAY_ADMIN_TOKEN: adminToken, DATABASE_URL: databaseUrl })
    expect(config).toMatchObject({ adminToken, databaseUrl })
  }
})

test('days to keep things are taken one by one, and forever is a word', () => {
  const { retention } = readRelayConfig({ RELAY_KEEP_BODIES_DAYS: '7', RELAY_KEEP_DELIVERED_DAYS: 'forever' })
  expect(retention).toEqual({ deliveredDays: null, bodiesDays: 7, attemptsDays: 90, quarantineDays: 30 })
})
