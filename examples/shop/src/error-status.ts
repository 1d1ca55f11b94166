import { MpesaStkError, type MpesaStkErrorCode, PushRefusedError } from 'mpesa-stk'
import { ShopError, shopErrorStatus } from './shop-error.ts'

type ErrorStatus = 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 500 | 502 | 503

/** Whose fault an error of the library is, as an HTTP status. What is not here is ours: 500. */
const statusOfCode: Partial<Record<MpesaStkErrorCode, ErrorStatus>> = {
  MPESA_STK_IDEMPOTENCY_KEY_INVALID: 400,
  MPESA_STK_PHONE_INVALID: 422,
  MPESA_STK_AMOUNT_INVALID: 422,
  MPESA_STK_ACCOUNT_REFERENCE_INVALID: 422,
  MPESA_STK_DESCRIPTION_INVALID: 422,
  MPESA_STK_IDEMPOTENCY_KEY_REUSED: 409,
  MPESA_STK_PUSH_REFUSED: 502,
  MPESA_STK_STORE_CONTENDED: 503,
  MPESA_STK_RELAY_UNREACHABLE: 503,
  MPESA_STK_RELAY_UNAVAILABLE: 503,
}

/** The body of every answer that is not a success. */
export type ErrorAnswer = {
  readonly error: {
    readonly code: string
    readonly message: string
    /** For the person who pays, where the library knows what to say. */
    readonly customer?: { readonly en: string; readonly sw: string }
    readonly paymentId?: string
  }
}

export function answerError(error: unknown): { readonly status: ErrorStatus; readonly body: ErrorAnswer } {
  if (error instanceof ShopError) {
    const { code, message } = error
    return { status: shopErrorStatus[code], body: { error: { code, message } } }
  }
  const status = error instanceof MpesaStkError ? (statusOfCode[error.code] ?? 500) : 500
  if (error instanceof PushRefusedError) {
    const { code, message, paymentId, explanation } = error
    return { status, body: { error: { code, message, customer: explanation.customer, paymentId } } }
  }
  // The message of an unexpected error may hold anything, so nobody outside reads it.
  if (error instanceof MpesaStkError && status !== 500)
    return { status, body: { error: { code: error.code, message: error.message } } }
  const code = error instanceof MpesaStkError ? error.code : 'SHOP_INTERNAL'
  return { status: 500, body: { error: { code, message: 'Something went wrong in the shop. Its log says more.' } } }
}
