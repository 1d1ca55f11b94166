import { describeError, MpesaStkError } from '../core/errors.ts'

/** A store that failed, for whoever waits at the command line. Of what its driver says only a code: the rest may quote anything. */
export function toStoreError(cause: unknown): MpesaStkError {
  if (cause instanceof MpesaStkError) return cause
  const { code, name } = describeError(cause)
  return new MpesaStkError(
    'MPESA_STK_RELAY_UNREACHABLE',
    `the store does not answer (${code ?? name}); see that the database runs, and look at DATABASE_URL`,
    { cause },
  )
}
