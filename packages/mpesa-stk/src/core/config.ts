import { z } from 'zod'
import { MpesaStkError } from './errors.ts'
import type { TransactionType } from './initiate/initiation.ts'
import { type AmountLimits, defaultAmountLimits } from './payment/amount.ts'

/** How to reach Daraja, and as whom. The library reads no environment variables: pass values explicitly. */
export type MpesaConfig = {
  /** Of the Daraja app. Sandbox and production have keys of their own. */
  readonly consumerKey: string
  readonly consumerSecret: string
  /** Paybill: the paybill. Till: the head-office or store number used at go-live. 5 to 7 digits. [documented] */
  readonly shortCode: string
  /** The STK push passkey from the Daraja portal. */
  readonly passKey: string
  /** Where Safaricom posts callbacks: public https (http only on loopback), or a relay's hook URL. */
  readonly callbackUrl: string
  /** Chooses Daraja's host. */
  readonly environment: 'sandbox' | 'production'
  /** Longest wait for an answer of Daraja, in milliseconds. Default 75,000. */
  readonly timeoutMs?: number
  /** How many answers to STK queries to wait for before `TIMEOUT`. Default 10. Kept for polling, which is not built yet. */
  readonly maxPollAttempts?: number
  /** The first pause between STK queries, in milliseconds. Default 5,000. Kept for polling, which is not built yet. */
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
  /** Another Daraja, e.g. the simulator: https, or http on loopback. Default: the host of `environment`. */
  readonly baseUrl?: string
  /** Smallest and largest payment in whole shillings. Default 1 and 250,000, as printed on the portal. [documented] */
  readonly amountLimits?: AmountLimits
}

/** The configuration with every default filled in, frozen. */
export type ResolvedConfig = Required<MpesaConfig>

/** Same paths, two hosts. [documented] */
const baseUrls = {
  sandbox: 'https://sandbox.safaricom.co.ke',
  production: 'https://api.safaricom.co.ke',
} as const satisfies Record<MpesaConfig['environment'], string>

const text = z.string().trim().min(1, 'must not be empty')
const secureUrl = z
  .url('must be an absolute URL')
  .refine(isHttpsOrLoopback, 'must be https (http is accepted only for this machine: localhost, 127.0.0.1, [::1])')

const schema = z.strictObject({
  consumerKey: text,
  consumerSecret: text,
  shortCode: text.regex(/^\d{5,7}$/, 'must be 5 to 7 digits'),
  passKey: text,
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
  const result = schema.safeParse(config)
  if (!result.success) {
    const problems = result.error.issues.map(issue =>
      issue.code === 'unrecognized_keys'
        ? `unknown field ${issue.keys.join(', ')}`
        : `${issue.path.join('.') || 'config'} ${missing(config, issue.path) ? 'is missing' : issue.message}`,
    )
    throw new MpesaStkError('MPESA_STK_CONFIG_INVALID', `MpesaStk configuration: ${problems.join('; ')}`)
  }
  const { partyB, baseUrl, ...rest } = result.data
  return Object.freeze({
    ...rest,
    partyB: partyB ?? rest.shortCode,
    baseUrl: (baseUrl ?? baseUrls[rest.environment]).replace(/\/+$/, ''),
  })
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
