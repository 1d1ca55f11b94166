import type { C2bFallback } from './c2b-validation.ts'

/** What is delivered to an app: what Safaricom posts at its hook, or the relay's alerts. */
export const appReceives = ['callbacks', 'alerts'] as const

export type AppReceives = (typeof appReceives)[number]

/** A merchant's application: where Safaricom posts for it, and where we deliver. One row of `relay_apps`. */
export type RelayApp = {
  /** Part of the hook path, and unguessable: whoever knows it can post. */
  readonly appId: string
  /** Public: browsers subscribe by it. Not derived from `appId`. */
  readonly sourceId: string
  readonly targetUrl: string
  /** The app's secrets (`AppSecrets`), encrypted by the caller. */
  readonly sealedSecrets: Uint8Array
  /** Nothing is delivered while it is disabled; callbacks are kept all the same. */
  readonly isDisabled: boolean
  /** Why, e.g. `410`. */
  readonly disabledReason: string | null
  /** The pauses after failed attempts, in milliseconds; null for the documented ones. */
  readonly scheduleMs: readonly number[] | null
  /** For C2B validations that the endpoint does not answer in time. */
  readonly c2bFallback: C2bFallback
  /** Events of a Nairobi day after which its log is not read on until the next; null: as many as come. Nothing is lost by it. */
  readonly dailyQuota: number | null
  readonly createdAt: Date
  readonly version: number
  /** `alerts`: it is an operator's endpoint, and its hook takes nothing. */
  readonly receives: AppReceives
  /** Whether pages may read all its streams with its source id and stream secret, without a token. */
  readonly publicStreams: boolean
  /** The origins whose pages may read its streams; null: any. */
  readonly allowedOrigins: readonly string[] | null
}

/** What only the merchant and we know. */
export type AppSecrets = {
  readonly signingSecret: string
  readonly streamSecret: string
  /** After a rotation, deliveries are signed with both until this time. */
  readonly previous: { readonly signingSecret: string; readonly untilMs: number } | null
}
