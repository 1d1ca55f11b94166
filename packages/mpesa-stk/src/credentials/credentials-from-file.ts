import { readFile } from 'node:fs/promises'
import type { CredentialProvider, Credentials } from '../core/credentials.ts'
import { MpesaStkError } from '../core/errors.ts'

const fields = ['consumerKey', 'consumerSecret', 'passKey'] as const satisfies readonly (keyof Credentials)[]

/**
 * Credentials from a JSON file `{ "consumerKey", "consumerSecret", "passKey" }`, as a secret manager mounts it. Read again
 * when Daraja refuses them, so that writing new ones into the file is a rotation.
 *
 * @throws MpesaStkError `MPESA_STK_CREDENTIALS_MISSING` from the provider: the file cannot be read or lacks a field. The
 * message holds nothing of its content.
 */
export function credentialsFromFile(path: string): CredentialProvider {
  return async () => {
    const content = await read(path)
    const missing = fields.filter(name => typeof content[name] !== 'string' || content[name].trim() === '')
    if (missing.length > 0) {
      throw new MpesaStkError(
        'MPESA_STK_CREDENTIALS_MISSING',
        `the credentials file ${path} lacks ${missing.join(', ')}`,
      )
    }
    const text = (name: (typeof fields)[number]): string => String(content[name]).trim()
    return { consumerKey: text('consumerKey'), consumerSecret: text('consumerSecret'), passKey: text('passKey') }
  }
}

async function read(path: string): Promise<Readonly<Record<string, unknown>>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (cause) {
    throw new MpesaStkError('MPESA_STK_CREDENTIALS_MISSING', `the credentials file ${path} cannot be read`, { cause })
  }
  try {
    const content: unknown = JSON.parse(text)
    if (typeof content === 'object' && content !== null) return content as Readonly<Record<string, unknown>>
  } catch {
    // Not kept as the cause: the parser quotes the text that it failed on, and that is a secret.
  }
  throw new MpesaStkError('MPESA_STK_CREDENTIALS_MISSING', `the credentials file ${path} is not a JSON object`)
}
