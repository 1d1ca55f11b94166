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
  })
})

test.each([
  ['PORT', 'eighty'],
  ['PORT', '70000'],
  ['LOG_LEVEL', 'loud'],
  ['DATABASE_URL', 'mysql://root:hunter2@db/'],
  ['RELAY_ADMIN_TOKEN', 'hunter2'],
  ['RELAY_ADMIN_TOKEN', 'with a space in it, hunter2'],
  ['RELAY_ENCRYPTION_KEY', 'hunter2'],
  ['RELAY_ALLOW_PRIVATE_TARGETS', 'yes'],
])('%s=%s is refused by name, and not repeated', (name, value) => {
  expect(() => readRelayConfig({ [name]: value })).toThrow(
    expect.objectContaining({
      code: 'MPESA_STK_CONFIG_INVALID',
      message: expect.stringMatching(new RegExp(`^${name} must be (?!.*hunter2)`)),
    }),
  )
})
