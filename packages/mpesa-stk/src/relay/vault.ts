import type { AppSecrets } from '../core/deliver/relay-app.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { MpesaStkError } from '../core/errors.ts'
import { seal, unseal } from '../seal/seal.ts'

const purpose = 'app secrets'
const checkText = 'the key of this store'

/** Secrets of apps as the store may hold them: whoever has the database alone has nothing. */
export type Vault = {
  close(secrets: AppSecrets): Uint8Array
  /** @throws MpesaStkError `MPESA_STK_RELAY_KEY_WRONG` */
  open(sealed: Uint8Array): AppSecrets
}

export function createVault(encryptionKey: string): Vault {
  return {
    close: secrets => seal(JSON.stringify(secrets), encryptionKey, purpose),
    open(sealed) {
      const text = unseal(sealed, encryptionKey, purpose)
      if (text === null) throw wrongKey()
      return JSON.parse(text) as AppSecrets
    },
  }
}

/**
 * Makes sure that the store was written with this key, before anything is sealed with another.
 *
 * @throws MpesaStkError `MPESA_STK_RELAY_KEY_WRONG`
 */
export async function checkKey(storage: RelayStorage, encryptionKey: string): Promise<void> {
  const sealed = Buffer.from(seal(checkText, encryptionKey, purpose)).toString('base64')
  const kept = Buffer.from(await storage.keepSetting('key-check', sealed), 'base64')
  if (unseal(kept, encryptionKey, purpose) !== checkText) throw wrongKey()
}

function wrongKey(): MpesaStkError {
  return new MpesaStkError(
    'MPESA_STK_RELAY_KEY_WRONG',
    'the secrets in this store were encrypted with another key: start with the RELAY_ENCRYPTION_KEY, or with the file encryption-key in the data folder, that it was made with (where that file was missing a new one was made: put the old one back)',
  )
}
