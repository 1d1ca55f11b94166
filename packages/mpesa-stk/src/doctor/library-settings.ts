import { type Surroundings, setting } from './check.ts'
import { isLoopback } from './loopback.ts'

/** What the environment says of how to reach Daraja, and as whom: the variables of docs/doctor.md, as they are. */
export type LibrarySettings = {
  readonly consumerKey: string | null
  readonly consumerSecret: string | null
  readonly passKey: string | null
  readonly shortCode: string | null
  readonly transactionType: string | null
  readonly partyB: string | null
  readonly callbackUrl: string | null
  readonly darajaEnvironment: string | null
  readonly baseUrl: string | null
  readonly auditKey: string | null
}

const variables = {
  consumerKey: 'MPESA_CONSUMER_KEY',
  consumerSecret: 'MPESA_CONSUMER_SECRET',
  passKey: 'MPESA_PASSKEY',
  shortCode: 'MPESA_SHORTCODE',
  transactionType: 'MPESA_TRANSACTION_TYPE',
  partyB: 'MPESA_PARTY_B',
  callbackUrl: 'MPESA_CALLBACK_URL',
  darajaEnvironment: 'MPESA_ENVIRONMENT',
  baseUrl: 'MPESA_BASE_URL',
  auditKey: 'MPESA_AUDIT_KEY',
} as const satisfies Record<keyof LibrarySettings, string>

export const notUsed = 'no MPESA_… variable of the library is set'

/** Null where none of them is set: payments are somebody else's here. */
export function readLibrarySettings(surroundings: Pick<Surroundings, 'environment'>): LibrarySettings | null {
  const read = (name: keyof LibrarySettings): string | null => setting(surroundings, variables[name])
  const settings: LibrarySettings = {
    consumerKey: read('consumerKey'),
    consumerSecret: read('consumerSecret'),
    passKey: read('passKey'),
    shortCode: read('shortCode'),
    transactionType: read('transactionType'),
    partyB: read('partyB'),
    callbackUrl: read('callbackUrl'),
    darajaEnvironment: read('darajaEnvironment'),
    baseUrl: read('baseUrl'),
    auditKey: read('auditKey'),
  }
  return Object.values(settings).every(value => value === null) ? null : settings
}

/** A simulator on this machine stands for Daraja: it may call back here, and without TLS. */
export function isDarajaHere({ baseUrl }: Pick<LibrarySettings, 'baseUrl'>): boolean {
  return baseUrl !== null && URL.canParse(baseUrl) && isLoopback(new URL(baseUrl).hostname)
}
