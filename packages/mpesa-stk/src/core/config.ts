import { z } from 'zod'
import type { CredentialProvider, Credentials } from './credentials.ts'
import { MpesaStkError } from './errors.ts'
import type { TransactionType } from './initiate/initiation.ts'
import { type AmountLimits, defaultAmountLimits } from './payment/amount.ts'

/**
 * How to reach Daraja, and as whom: `consumerKey`, `consumerSecret` and `passKey`, or a provider of them. The library reads
 * no environment variables: pass values explicitly.
 */
export type MpesaConfig = MpesaSettings &
  (
    | (Credentials & { readonly credentials?: undefined })
    | (Partial<Record<keyof Credentials, undefined>> & {
        /** Gets the credentials from where they are kept, and again when Daraja refuses them. */
        readonly credentials: CredentialProvider
      })
  )

/** Everything but the credentials. */
export type MpesaSettings = {
  /** Paybill: the paybill. Till: the head-office or store number used at go-live. 5 to 7 digits. [documented] */
  readonly shortCode: string
  /** Where Safaricom posts callbacks: public https (http only on loopback), or a relay's hook URL. */
  readonly callbackUrl: string
  /** Chooses Daraja's host. */
  readonly environment: 'sandbox' | 'production'
  /** Longest wait for an answer of Daraja, in milliseconds. Default 75,000. */
  readonly timeoutMs?: number
  /**
   * How many answers to STK queries to wait for before `TIMEOUT`. Default 10. Only an answer about the payment counts; where
   * none comes, waiting ends after an hour and twice the time that the attempts take.
   */
  readonly maxPollAttempts?: number
  /**
   * The pause before the first STK query, in milliseconds; then 2, 3, 5 and 6 times as long, at most 30 s. Default 5,000.
   */
  readonly pollIntervalMs?: number
  /** Default `CustomerPayBillOnline`; `CustomerBuyGoodsOnline` for a till. [documented] */
  readonly transactionType?: TransactionType
  /** Who is paid. Default `shortCode`; for a till, the till number. [documented] */
  readonly partyB?: string
  /**
   * `path` puts an unguessable token of its own behind `callbackUrl` (`…/t/<token>`) for each push. Only a callback that
   * comes back with it settles that payment, and it finds its payment even when the push's answer was lost. Your
   * callback route must take the token and pass it to `processCallback`. Default `none`.
   */
  readonly callbackToken?: 'none' | 'path'
  /**
   * `query`: a callback that says paid, and any callback of a push without a token, settles nothing before an STK query says
   * the same, so a forged one gets nowhere. It costs a query per payment, and `start()` must run. Default `never`.
   */
  readonly confirmSuccess?: 'never' | 'query'
  /**
   * The rate of STK queries of this shortcode to begin with, over all processes: it then follows what Daraja refuses.
   * Default 5, the sandbox's limit [observed]; production's is not published.
   */
  readonly queriesPerMinute?: number
  /**
   * Keys the hashes of personal data in the audit trail and seals its checkpoints; at least 16 characters. Keep it for as
   * long as you keep the trail. Default: made of `passKey`; needed beside `credentials`, whose keys may rotate.
   */
  readonly auditKey?: string
  /** Another Daraja, e.g. the simulator: https, or http on loopback. Default: the host of `environment`. */
  readonly baseUrl?: string
  /** Smallest and largest payment in whole shillings. Default 1 and 250,000, as printed on the portal. [documented] */
  readonly amountLimits?: AmountLimits
}

/**
 * The configuration with every default filled in, frozen. Secrets are behind functions, so that nothing that prints or
 * copies it shows them.
 */
export type ResolvedConfig = Readonly<Required<Omit<MpesaSettings, 'auditKey'>>> & {
  readonly credentials: CredentialProvider
  readonly auditKey: () => string
}

/** Same paths, two hosts. [documented] */
export const darajaHosts = {
  sandbox: 'https://sandbox.safaricom.co.ke',
  production: 'https://api.safaricom.co.ke',
} as const satisfies Record<MpesaConfig['environment'], string>

const text = z.string().trim().min(1, 'must not be empty')
const secureUrl = z
  .url('must be an absolute URL')
  .refine(isHttpsOrLoopback, 'must be https (http is accepted only for this machine: localhost, 127.0.0.1, [::1])')

const secrets = z.strictObject({ consumerKey: text, consumerSecret: text, passKey: text })

const schema = z.strictObject({
  credentials: z.custom<CredentialProvider>(value => typeof value === 'function', 'must be a function').optional(),
  auditKey: text.min(16, 'must have at least 16 characters').optional(),
  shortCode: text.regex(/^\d{5,7}$/, 'must be 5 to 7 digits'),
  callbackUrl: secureUrl,
  environment: z.enum(['sandbox', 'production'], "must be 'sandbox' or 'production'"),
  timeoutMs: z
    .number()
    .int()
    .min(1000, 'must be at least 1,000 ms')
    .max(600_000, 'must be at most 600,000 ms')
    .default(75_000),
  maxPollAttempts: z.number().int().min(1, 'must be at least 1').max(1_000, 'must be at most 1,000').default(10),
  pollIntervalMs: z
    .number()
    .int()
    .min(100, 'must be at least 100 ms')
    .max(600_000, 'must be at most 600,000 ms')
    .default(5_000),
  transactionType: z.enum(['CustomerPayBillOnline', 'CustomerBuyGoodsOnline']).default('CustomerPayBillOnline'),
  partyB: text.regex(/^\d{5,12}$/, 'must be 5 to 12 digits').optional(),
  callbackToken: z.enum(['none', 'path'], "must be 'none' or 'path'").default('none'),
  confirmSuccess: z.enum(['never', 'query'], "must be 'never' or 'query'").default('never'),
  queriesPerMinute: z.number().min(1, 'must be at least 1').max(6_000, 'must be at most 6,000').default(5),
  baseUrl: secureUrl.optional(),
  amountLimits: z
    .object({ min: z.number().int().min(1), max: z.number().int() })
    .refine(({ min, max }) => min <= max, 'min must not be above max')
    .default(defaultAmountLimits),
})

/**
 * Checks a configuration and fills in the defaults.
 *
 * @throws MpesaStkError `MPESA_STK_CONFIG_INVALID`, naming every field to mend and no value: values are secrets.
 */
export function resolveConfig(config: MpesaConfig): ResolvedConfig {
  // Plain JavaScript may pass nothing at all.
  const { consumerKey, consumerSecret, passKey, ...settings } = { ...config }
  const given = { consumerKey, consumerSecret, passKey }
  const hasProvider = settings.credentials !== undefined
  const parsed = schema.safeParse(settings)
  const parsedSecrets = hasProvider ? null : secrets.safeParse(given)
  const problems = [
    ...problemsOf(given, parsedSecrets?.error),
    ...problemsOf(settings, parsed.error),
    ...(hasProvider && Object.values(given).some(value => value !== undefined)
      ? ['credentials stand instead of consumerKey, consumerSecret and passKey, not beside them']
      : []),
    ...(hasProvider && settings.auditKey === undefined ? ['auditKey is missing: it is needed beside credentials'] : []),
  ]
  if (!parsed.success || problems.length > 0) {
    throw new MpesaStkError('MPESA_STK_CONFIG_INVALID', `MpesaStk configuration: ${problems.join('; ')}`)
  }
  const { partyB, baseUrl, credentials, auditKey, ...rest } = parsed.data
  const known = parsedSecrets?.data
  const provider = credentials ?? (() => known ?? Promise.reject(new Error('no credentials')))
  const key = auditKey ?? `mpesa-stk audit ${known?.passKey}`
  return Object.freeze({
    ...rest,
    credentials: provider,
    auditKey: () => key,
    partyB: partyB ?? rest.shortCode,
    baseUrl: (baseUrl ?? darajaHosts[rest.environment]).replace(/\/+$/, ''),
  })
}

function problemsOf(config: unknown, error: z.ZodError | undefined): readonly string[] {
  return (error?.issues ?? []).map(issue =>
    issue.code === 'unrecognized_keys'
      ? `unknown field ${issue.keys.join(', ')}`
      : `${issue.path.join('.') || 'config'} ${missing(config, issue.path) ? 'is missing' : issue.message}`,
  )
}

function missing(config: unknown, path: readonly PropertyKey[]): boolean {
  const [name] = path
  return (
    path.length === 1 && typeof config === 'object' && config !== null && Reflect.get(config, name ?? '') === undefined
  )
}

function isHttpsOrLoopback(url: string): boolean {
  // Not a URL at all is told by the check before this one.
  if (!URL.canParse(url)) return true
  const { protocol, hostname } = new URL(url)
  const isLoopback = hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
  return protocol === 'https:' || (protocol === 'http:' && isLoopback)
}
