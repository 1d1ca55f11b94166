import { hkdfSync } from 'node:crypto'
import type { AppSecrets } from '../core/deliver/relay-app.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { MpesaStkError } from '../core/errors.ts'
import { seal, unseal } from '../seal/seal.ts'

const purpose = 'app secrets'
const checkText = 'the key of this store'
/** The setting of the store that holds a check value of its key. */
export const keyCheckSetting = 'key-check'

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
 * A key for one purpose and one app: of one encryption key, so that all relays on a store have the same, and none of them tells
 * anything of another.
 */
export function deriveKey(encryptionKey: string, purpose: string, sourceId: string): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', encryptionKey, sourceId, `mpesa-stk ${purpose}`, 32))
}

/**
 * Makes sure that the store was written with this key, before anything is sealed with another.
 *
 * @throws MpesaStkError `MPESA_STK_RELAY_KEY_WRONG`
 */
export async function checkKey(storage: RelayStorage, encryptionKey: string): Promise<void> {
  const sealed = Buffer.from(seal(checkText, encryptionKey, purpose)).toString('base64')
  if (!fitsKey(await storage.keepSetting(keyCheckSetting, sealed), encryptionKey)) throw wrongKey()
}

/** Whether a store whose check value this is was written with this key. */
export function fitsKey(keyCheck: string, encryptionKey: string): boolean {
  return unseal(Buffer.from(keyCheck, 'base64'), encryptionKey, purpose) === checkText
}

function wrongKey(): MpesaStkError {
  return new MpesaStkError(
    'MPESA_STK_RELAY_KEY_WRONG',
    'the secrets in this store were encrypted with another key: start with the RELAY_ENCRYPTION_KEY, or with the file encryption-key in the data folder, that it was made with (where that file was missing a new one was made: put the old one back)',
  )
}
