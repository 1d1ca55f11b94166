/** Where an answer came from. `http-error` is the errorCode of any API whose answer was an HTTP error. */
export type CatalogueApi =
  | 'stk-push'
  | 'stk-callback'
  | 'stk-query'
  | 'c2b-register'
  | 'c2b-validation'
  | 'c2b-confirmation'
  | 'b2c'
  | 'b2b'
  | 'transaction-status'
  | 'reversal'
  | 'account-balance'
  | 'async-result'
  | 'b2b-express'
  | 'ratiba'
  | 'pull-register'
  | 'pull-query'
  | 'dynamic-qr'
  | 'bill-manager'
  | 'http-error'

export type CodeCategory =
  | 'success'
  | 'in-progress'
  | 'insufficient-funds'
  | 'limit-exceeded'
  | 'customer-cancelled'
  | 'customer-unreachable'
  | 'wrong-pin'
  | 'expired'
  | 'duplicate-or-busy'
  | 'rate-limited'
  | 'auth'
  | 'configuration'
  | 'invalid-request'
  | 'system'
  | 'unknown'

export type FixableBy = 'customer' | 'developer' | 'merchant' | 'safaricom'

/**
 * How well a statement is known: printed by Safaricom, published by a developer with evidence (a log, a captured
 * body), or asserted somewhere without evidence.
 */
export type Confidence = 'documented' | 'observed' | 'unverified'

export interface CatalogueRow {
  readonly api: CatalogueApi
  /** Text, always: alphanumeric codes exist. `*` stands for every other code of the API. */
  readonly code: string
  /** A fragment of the message that selects this row where one code has several meanings. */
  readonly match?: string
  readonly httpStatus?: number
  readonly meaning: string
  readonly note?: string
  readonly category: CodeCategory
  /** Nothing more will come for the operation of the row (for a query's HTTP error: the query, not the payment). */
  readonly terminal: boolean
  /** A new attempt may succeed without anyone changing the set-up. It never means "resend blindly". */
  readonly retryable: boolean
  readonly fixableBy: FixableBy
  /**
   * The answer proves that the creating call (an STK push) which received it was refused and that nothing was queued.
   * Only then may the same idempotency key push again; everything else leaves the outcome unknown.
   */
  readonly refusal?: true
  /** What the operator should do, where the general advice of category and fixer would mislead. */
  readonly advice?: string
  readonly confidence: Confidence
  readonly sources: readonly [string, ...string[]]
}
