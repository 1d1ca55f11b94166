import { adminToken } from './admin-token.ts'
import { allowList } from './allow-list.ts'
import { callbackUrl } from './callback-url.ts'
import type { Check } from './check.ts'
import { clock } from './clock.ts'
import { committedSecrets } from './committed-secrets.ts'
import { darajaAccess } from './daraja-access.ts'
import { encryptionKey } from './encryption-key.ts'
import { operatorPassword } from './operator-password.ts'
import { settings } from './settings.ts'
import { shortcode } from './shortcode.ts'
import { spool } from './spool.ts'
import { paymentStore, relayStore } from './stores.ts'

/** Every check of `mpesa-stk doctor`, in the order in which they are told. */
export const checks: readonly Check[] = [
  settings,
  clock,
  darajaAccess,
  callbackUrl,
  shortcode,
  paymentStore,
  relayStore,
  encryptionKey,
  adminToken,
  allowList,
  spool,
  committedSecrets,
  operatorPassword,
]
