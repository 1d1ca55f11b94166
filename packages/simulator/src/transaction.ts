import type { Decision } from './decide-result.ts'
import type { Deferred } from './deferred.ts'
import type { Scenario } from './scenario.ts'
import type { StkPush } from './stk-push-request.ts'

/**
 * Where a push stands. `queued` accepted, not yet answered; `prompting` on the handset, waiting for a person;
 * `processing` the result is decided and on its way; `pending` no result will ever come; `paid` and `failed` are final.
 */
export type TransactionState = 'queued' | 'prompting' | 'processing' | 'pending' | 'paid' | 'failed'

/** One try to post one callback. */
export interface CallbackAttempt {
  /** 1 for the first copy; scenarios may ask for more. */
  readonly copy: number
  /** 1 for the first try of that copy. */
  readonly attempt: number
  /** When it began, ISO 8601, by the simulator's clock. */
  readonly startedAt: string
  readonly durationMs: number
  /** `acknowledged` is HTTP 200 exactly; `refused` any other answer; `failed` no answer at all. */
  readonly status: 'acknowledged' | 'refused' | 'failed'
  readonly httpStatus?: number
  /** The start of the answer, at most 2,000 characters. */
  readonly responseBody?: string
  /** Why there was no answer. */
  readonly error?: string
}

/** One accepted push, from acceptance to its last callback. A snapshot: it does not change under the reader. */
export interface Transaction extends StkPush {
  readonly merchantRequestId: string
  readonly checkoutRequestId: string
  readonly state: TransactionState
  readonly acceptedAt: string
  /** How the HTTP answer to the push ended; absent while it is still being held back. */
  readonly acknowledgement?: 'sent' | 'lost' | 'error'
  readonly promptText: string
  readonly resultCode?: string
  readonly resultDesc?: string
  /** Only when paid. */
  readonly receipt?: string
  readonly settledAt?: string
  /** The customer's money moved, but no callback will be sent. */
  readonly callbackLost: boolean
  readonly callbackAttempts: readonly CallbackAttempt[]
  /** The body as posted, once it is. */
  readonly callbackBody?: string
}

/** The engine's own, changing view of a transaction. */
export interface LiveTransaction extends Omit<Transaction, 'callbackAttempts'> {
  state: TransactionState
  acknowledgement?: 'sent' | 'lost' | 'error'
  resultCode?: string
  resultDesc?: string
  receipt?: string
  settledAt?: string
  callbackBody?: string
  readonly callbackAttempts: CallbackAttempt[]
  readonly acceptedAtMs: number
  settledAtMs?: number
  readonly scenario: Scenario
  readonly decision: Decision
  /** Resolves when the first try of every copy has ended, or none will come. */
  readonly firstCallbacks: Deferred
  /** Scripted query answers used so far. */
  queryAnswersUsed: number
  queriesWhileOpen: number
  cancelPromptTimers: () => void
}

/** Copies what a reader may see; the engine's own bookkeeping stays behind. */
export function snapshot(live: LiveTransaction): Transaction {
  const {
    acceptedAtMs: _acceptedAtMs,
    settledAtMs: _settledAtMs,
    scenario: _scenario,
    decision: _decision,
    firstCallbacks: _firstCallbacks,
    queryAnswersUsed: _queryAnswersUsed,
    queriesWhileOpen: _queriesWhileOpen,
    cancelPromptTimers: _cancelPromptTimers,
    callbackAttempts,
    ...visible
  } = live
  return { ...visible, callbackAttempts: [...callbackAttempts] }
}

export function isOpen(transaction: { readonly state: TransactionState }): boolean {
  return transaction.state !== 'paid' && transaction.state !== 'failed'
}
