import { type Explanation, explain } from '../explain/explain.ts'
import type { PaymentRecord } from '../ports.ts'

/** What can still tell how a push ended whose answer was lost. It has no CheckoutRequestID, so no query can. */
export type ResolvedBy = 'token-callback' | 'c2b' | 'pull' | 'statement' | 'operator'

/** A push of which nobody knows whether the customer was prompted. It is never pushed again by itself. */
export type UnresolvedPayment = {
  readonly paymentId: string
  readonly idempotencyKey: string | null
  /** The number that may have been prompted, 12 digits without `+`. */
  readonly phoneNumber: string
  /** Whole Kenya shillings. */
  readonly amount: number
  readonly accountReference: string
  readonly initiatedAt: Date
  /** Milliseconds since then. */
  readonly ageMs: number
  /** Why it is not known: `ANSWER_LOST`, `SENDER_DIED`, … or Daraja's own code. */
  readonly code: string
  readonly explanation: Explanation
  /** What would resolve it, the likeliest first. */
  readonly resolvedBy: readonly ResolvedBy[]
}

/** Its sender did not come back to say more. */
const senderDied = 'SENDER_DIED'

export function viewUnresolved({ initiation }: PaymentRecord, at: Date): UnresolvedPayment {
  const { paymentId, idempotencyKey, phoneNumber, amount, accountReference, reservedAt, answerMessage } = initiation
  const code = initiation.answerCode ?? senderDied
  return {
    paymentId,
    idempotencyKey,
    phoneNumber,
    amount,
    accountReference,
    initiatedAt: reservedAt,
    ageMs: at.getTime() - reservedAt.getTime(),
    code,
    explanation: explain('stk-push', code, answerMessage ?? ''),
    resolvedBy: [
      ...(initiation.tokenHash === null ? [] : (['token-callback'] as const)),
      'c2b',
      'pull',
      'statement',
      'operator',
    ],
  }
}
