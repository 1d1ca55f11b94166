/** What the exit code of `mpesa-stk` says, so that a script need not read what is written. */
export const exitCodes = {
  done: 0,
  /** Something failed, and the message says what to do. */
  failed: 1,
  /** The command line or the environment cannot be understood. */
  usage: 2,
  /** There is no such thing. */
  notFound: 3,
  /** The relay does not know the token, or it may not do this. */
  refused: 4,
  /** No relay answers, or the database is away. */
  unreachable: 5,
  /** Ctrl-C before it was done. */
  interrupted: 130,
} as const

const byErrorCode: Readonly<Record<string, number>> = {
  MPESA_STK_CLI_USAGE: exitCodes.usage,
  MPESA_STK_CONFIG_INVALID: exitCodes.usage,
  MPESA_STK_RELAY_REQUEST_INVALID: exitCodes.usage,
  MPESA_STK_RELAY_NOT_FOUND: exitCodes.notFound,
  MPESA_STK_PAYMENT_NOT_FOUND: exitCodes.notFound,
  MPESA_STK_RELAY_UNAUTHORISED: exitCodes.refused,
  MPESA_STK_RELAY_UNREACHABLE: exitCodes.unreachable,
  MPESA_STK_STORE_UNREACHABLE: exitCodes.unreachable,
  MPESA_STK_HOOK_UNREACHABLE: exitCodes.unreachable,
  MPESA_STK_RELAY_UNAVAILABLE: exitCodes.unreachable,
}

export function exitCodeOf(errorCode: string): number {
  return byErrorCode[errorCode] ?? exitCodes.failed
}

/** Everything was told; what is left is the exit code. */
export class Exit extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super(`exit code ${exitCode}`)
    this.exitCode = exitCode
  }
}
