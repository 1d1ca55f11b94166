import { errorCodes, MpesaStkError, type MpesaStkErrorCode } from '../core/errors.ts'

/** What a relay refused, by its own code; what answered without one is no relay. */
export function toRelayError(status: number, answer: unknown): MpesaStkError {
  const { code, message } = (answer as { error?: { code?: string; message?: string } } | null)?.error ?? {}
  if (code === undefined || !Object.hasOwn(errorCodes, code)) {
    return new MpesaStkError('MPESA_STK_RELAY_UNREACHABLE', `what answers there (${status}) is no mpesa-stk relay`)
  }
  return new MpesaStkError(code as MpesaStkErrorCode, message ?? '')
}

/** The relay, or its store, does not answer just now. */
export function isAbsence(error: unknown): error is MpesaStkError {
  return error instanceof MpesaStkError && absences.has(error.code)
}

const absences: ReadonlySet<string> = new Set(['MPESA_STK_RELAY_UNREACHABLE', 'MPESA_STK_RELAY_UNAVAILABLE'])
