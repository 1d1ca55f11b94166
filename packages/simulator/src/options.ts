import { z } from 'zod'
import { type Credential, credentialsSchema } from './credentials.ts'
import { type QueryRate, sandboxQueryRate } from './daraja/spike-arrest.ts'
import type { LatencyMode } from './latency.ts'
import type { Clock } from './nairobi-time.ts'
import type { ScenarioInput } from './scenario.ts'
import { SimulatorError } from './simulator-error.ts'

/** How the simulator behaves. Every field is optional. Durations are milliseconds. */
export interface SimulatorOptions {
  /** TCP port; 0 (default) lets the system choose. */
  readonly port?: number | undefined
  /** Address to listen on. Default `127.0.0.1`. Another one also opens the control API to other Host names. */
  readonly host?: string | undefined
  /** Makes ids, receipts and delays repeatable. Default: drawn at random, see `simulator.seed`. */
  readonly seed?: number | undefined
  /** `sandbox` (default) is as tolerant as the real sandbox; `strict` holds every documented rule. */
  readonly mode?: 'sandbox' | 'strict' | undefined
  /** `none` (default) answers at once; `realistic` takes as long as Safaricom does. */
  readonly latency?: LatencyMode | undefined
  /** Accept only these apps. Default: any key, secret, shortcode and passkey. */
  readonly credentials?: readonly Credential[] | undefined
  /** Refuse callback addresses that Daraja refuses: http, localhost, private networks. Default false. */
  readonly strictUrls?: boolean | undefined
  /** STK query spike arrest per consumer app. Default 5 per 60 s, burst 1, as the sandbox; `false` turns it off. */
  readonly queryRate?: QueryRate | false | undefined
  /** End a second payment of the same amount by the same customer within two minutes with result 17. Default false. */
  readonly twoMinuteRule?: boolean | undefined
  /** A push to a phone with a live session: `sync` (default) HTTP 500, `async` result 1001, `off` a second prompt. */
  readonly busyPhone?: 'sync' | 'async' | 'off' | undefined
  /** What an unfinished query answers: HTTP 500 `processing`, HTTP 200 `4999`, or in turn (`alternate`, default). */
  readonly pendingQueryAs?: 'processing' | '4999' | 'alternate' | undefined
  /** A query within this time after the push answers "Invalid CheckoutRequestID". Default 0. */
  readonly queryTooEarlyMs?: number | undefined
  /** A prompt nobody answers ends with 1037 after this time. Default 60,000. */
  readonly promptTimeoutMs?: number | undefined
  /** Approve an unanswered prompt after this time (at least 1). Default: never. */
  readonly autoApproveMs?: number | undefined
  /** Lifetime of an access token. Default 3,600,000. */
  readonly tokenLifetimeMs?: number | undefined
  /** Retry policy of callbacks whose scenario names none. Default `none`. */
  readonly callbackRetryPolicy?: 'none' | 'three' | 'until-200' | undefined
  /** Pauses before the second, third … try; the last repeats. Default 5 s, 30 s, 60 s. */
  readonly callbackRetryDelaysMs?: readonly number[] | undefined
  /** Longest wait for the answer to a callback. Default 10,000. */
  readonly callbackDeadlineMs?: number | undefined
  /** Scenarios that are there from the start and again after a reset; without `times` they serve for ever. */
  readonly scenarios?: readonly ScenarioInput[] | undefined
  /** The clock that stamps ids, tokens, prompts and rate limits, in epoch milliseconds. Default `Date.now`. Timers stay real. */
  readonly now?: Clock | undefined
}

const durationMs = z.number().min(0).max(2_147_483_647)

const optionsSchema = z.strictObject({
  port: z.number().int().min(0).max(65_535).default(0),
  host: z.string().min(1).default('127.0.0.1'),
  seed: z.number().int().min(0).max(0xffff_ffff).optional(),
  mode: z.enum(['sandbox', 'strict']).default('sandbox'),
  latency: z.enum(['realistic', 'none']).default('none'),
  credentials: credentialsSchema.optional(),
  strictUrls: z.boolean().default(false),
  queryRate: z
    .union([
      z.literal(false),
      z.strictObject({ limit: z.number().positive(), perMs: z.number().positive(), burst: z.number().min(1) }),
    ])
    .default(sandboxQueryRate),
  twoMinuteRule: z.boolean().default(false),
  busyPhone: z.enum(['sync', 'async', 'off']).default('sync'),
  pendingQueryAs: z.enum(['processing', '4999', 'alternate']).default('alternate'),
  queryTooEarlyMs: durationMs.default(0),
  promptTimeoutMs: durationMs.min(1).default(60_000),
  autoApproveMs: durationMs.min(1).optional(),
  tokenLifetimeMs: durationMs.default(3_600_000),
  callbackRetryPolicy: z.enum(['none', 'three', 'until-200']).default('none'),
  callbackRetryDelaysMs: z.array(durationMs).min(1).max(100).default([5_000, 30_000, 60_000]),
  callbackDeadlineMs: durationMs.min(1).default(10_000),
  // Checked one by one where they are parsed, with messages of their own.
  scenarios: z.array(z.custom<ScenarioInput>()).max(1_000).default([]),
  now: z
    .custom<Clock>(value => typeof value === 'function', 'a function that returns epoch milliseconds')
    .default(() => Date.now),
})

export type SimulatorSettings = Readonly<z.output<typeof optionsSchema> & { seed: number }>

/** Fills in defaults and checks once. Throws SIMULATOR_OPTIONS_INVALID naming each wrong option. */
export function resolveOptions(options: SimulatorOptions): SimulatorSettings {
  const parsed = optionsSchema.safeParse(options)
  if (!parsed.success) {
    const issues = parsed.error.issues.map(issue => `${issue.path.join('.') || 'options'}: ${issue.message}`)
    throw new SimulatorError('SIMULATOR_OPTIONS_INVALID', `The options are not valid. ${issues.join('; ')}`, issues)
  }
  // Without a seed two runs differ, so that receipts do not repeat in a database that outlives the simulator.
  const seed = parsed.data.seed ?? crypto.getRandomValues(new Uint32Array(1))[0] ?? 0
  return Object.freeze({ ...parsed.data, seed })
}
