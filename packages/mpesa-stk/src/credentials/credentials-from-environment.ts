import type { CredentialProvider } from '../core/credentials.ts'
import { MpesaStkError } from '../core/errors.ts'

const variables = {
  consumerKey: 'MPESA_CONSUMER_KEY',
  consumerSecret: 'MPESA_CONSUMER_SECRET',
  passKey: 'MPESA_PASSKEY',
} as const

/**
 * Credentials from environment variables: `MPESA_CONSUMER_KEY`, `MPESA_CONSUMER_SECRET`, `MPESA_PASSKEY`. They are read
 * when they are needed, from the record that you pass: `credentialsFromEnvironment(process.env)`.
 *
 * @throws MpesaStkError `MPESA_STK_CREDENTIALS_MISSING` from the provider, naming the variables that are not set
 */
export function credentialsFromEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
): CredentialProvider {
  return () => {
    const read = (name: keyof typeof variables): string => environment[variables[name]]?.trim() ?? ''
    const credentials = {
      consumerKey: read('consumerKey'),
      consumerSecret: read('consumerSecret'),
      passKey: read('passKey'),
    }
    const missing = Object.values(variables).filter(name => (environment[name]?.trim() ?? '') === '')
    if (missing.length > 0) {
      throw new MpesaStkError('MPESA_STK_CREDENTIALS_MISSING', `set the environment variables ${missing.join(', ')}`)
    }
    return credentials
  }
}
