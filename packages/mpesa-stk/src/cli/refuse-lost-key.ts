import { existsSync } from 'node:fs'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { MpesaStkError } from '../core/errors.ts'
import { encryptionKeyPath } from '../relay/encryption-key.ts'
import { keyCheckSetting } from '../relay/vault.ts'
import type { RelayConfig } from './relay-config.ts'

/**
 * A key is made only where the store has none yet: beside a store that was written with one, a new one would look like the one to
 * keep.
 * A store that is away cannot be asked; its check value refuses a wrong key when it is back.
 *
 * @throws MpesaStkError `MPESA_STK_RELAY_KEY_WRONG`
 */
export async function refuseLostKey(
  storage: RelayStorage,
  { encryptionKey, dataFolder }: Pick<RelayConfig, 'encryptionKey' | 'dataFolder'>,
): Promise<void> {
  const path = encryptionKeyPath(dataFolder)
  if (encryptionKey !== null || existsSync(path)) return
  if ((await storage.findSetting(keyCheckSetting).catch(() => null)) === null) return
  throw new MpesaStkError(
    'MPESA_STK_RELAY_KEY_WRONG',
    `the store was written with a key that is missing: put ${path} back (a backup of deploy/ leaves it out on purpose), or set RELAY_ENCRYPTION_KEY to it`,
  )
}
