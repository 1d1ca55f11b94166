import { MpesaStkError } from '../errors.ts'
import { type Explanation, explain } from '../explain/explain.ts'
import type { Initiation } from './initiation.ts'

/**
 * Daraja proved that it did not queue the push: nobody was prompted, no money can move, and the same idempotency key may
 * be used again. Code `MPESA_STK_PUSH_REFUSED`.
 */
export class PushRefusedError extends MpesaStkError {
  override readonly name = 'PushRefusedError'
  readonly paymentId: string
  /** Daraja's code, or ours where the answer carried none (`NOT_SENT`, `HTML_403_INCAPSULA`). */
  readonly darajaCode: string
  /** What happened, who can mend it, and sentences for the customer and the operator. */
  readonly explanation: Explanation

  constructor({ paymentId, answerCode, answerMessage }: Initiation) {
    const darajaCode = answerCode ?? 'NOT_SENT'
    const explanation = explain('stk-push', darajaCode, answerMessage ?? '')
    super(
      'MPESA_STK_PUSH_REFUSED',
      `Daraja refused the push (${darajaCode}: ${answerMessage ?? ''}). ${explanation.operator}`,
    )
    this.paymentId = paymentId
    this.darajaCode = darajaCode
    this.explanation = explanation
  }
}
