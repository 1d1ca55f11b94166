/** The states of an initiation: the way of one push request, from the stored intent to a known outcome. */
export const initiationStates = ['reserved', 'sent', 'accepted', 'refused', 'unknown'] as const

export type InitiationState = (typeof initiationStates)[number]

/**
 * The moves an initiation may make, printed in ARCHITECTURE.md. No way leads back, so the state alone is enough to
 * compare and set, and at most one HTTP request is ever made for one initiation.
 */
export const initiationMoves = {
  reserved: ['sent', 'refused'],
  sent: ['accepted', 'refused', 'unknown'],
  unknown: ['accepted', 'refused'],
  accepted: [],
  refused: [],
} as const satisfies Record<InitiationState, readonly InitiationState[]>

/** Whether an initiation may go from one state to another. */
export function mayBecome(from: InitiationState, to: InitiationState): boolean {
  const moves: readonly InitiationState[] = initiationMoves[from]
  return moves.includes(to)
}

/** `CustomerPayBillOnline` for a paybill, `CustomerBuyGoodsOnline` for a till. [documented] */
export type TransactionType = 'CustomerPayBillOnline' | 'CustomerBuyGoodsOnline'

/** What the merchant asked for: stored before Daraja is called, and never changed. */
export type Intent = {
  readonly paymentId: string
  readonly idempotencyKey: string | null
  readonly phoneNumber: string
  readonly amount: number
  readonly accountReference: string
  readonly description: string
  readonly shortCode: string
  readonly transactionType: TransactionType
  readonly partyB: string
  readonly reservedAt: Date
}

/** One row of `mpesa_initiations`: an intent and how far its one push has come. */
export type Initiation = Intent & {
  readonly state: InitiationState
  /** SHA-256 of the callback token in the push's `CallBackURL`; null when the push carried none. */
  readonly tokenHash: string | null
  /** Until when the process that sends the push may be waiting for the answer. After it, the outcome is unknown. */
  readonly sendDeadlineAt: Date | null
  readonly concludedAt: Date | null
  /** Daraja's code where it refused, our reason where the outcome is unknown. */
  readonly answerCode: string | null
  readonly answerMessage: string | null
}

/** The initiation that an intent begins as: stored, and nothing sent yet. */
export function reservedInitiation(intent: Intent): Initiation {
  return {
    ...intent,
    state: 'reserved',
    tokenHash: null,
    sendDeadlineAt: null,
    concludedAt: null,
    answerCode: null,
    answerMessage: null,
  }
}
