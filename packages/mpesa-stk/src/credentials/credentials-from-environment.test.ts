import { expect, test } from 'vitest'
import { credentialsFromEnvironment } from './credentials-from-environment.ts'

const environment = { MPESA_CONSUMER_KEY: ' k ', MPESA_CONSUMER_SECRET: 'the-consumer-secret', MPESA_PASSKEY: 'p\n' }

test('variables are read without the space around them', () => {
  const credentials = credentialsFromEnvironment(environment)()
  expect(credentials).toEqual({ consumerKey: 'k', consumerSecret: 'the-consumer-secret', passKey: 'p' })
})

test('variables are read when they are needed, so a later change counts', () => {
  const changing: Record<string, string> = { ...environment }
  const provider = credentialsFromEnvironment(changing)
  changing['MPESA_PASSKEY'] = 'new'
  expect(provider()).toMatchObject({ passKey: 'new' })
})

test.each([
  ['MPESA_PASSKEY', { ...environment, MPESA_PASSKEY: undefined }],
  ['MPESA_PASSKEY', { ...environment, MPESA_PASSKEY: '  ' }],
  ['MPESA_CONSUMER_KEY, MPESA_PASSKEY', { MPESA_CONSUMER_SECRET: 'the-consumer-secret' }],
])('what is missing (%s) is named, and nothing that is there', (names, given) => {
  expect(credentialsFromEnvironment(given)).toThrow(
    expect.objectContaining({
      code: 'MPESA_STK_CREDENTIALS_MISSING',
      message: `set the environment variables ${names}`,
    }),
  )
})
