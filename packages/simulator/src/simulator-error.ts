/**
 * The stable codes of everything that the simulator itself (never Daraja) refuses, with the HTTP status that the
 * control API answers.
 */
export const simulatorErrorStatus = {
  SIMULATOR_SCENARIO_INVALID: 400,
  SIMULATOR_ANSWER_INVALID: 400,
  SIMULATOR_OPTIONS_INVALID: 400,
  SIMULATOR_BODY_NOT_JSON: 400,
  SIMULATOR_FOREIGN_ORIGIN: 403,
  SIMULATOR_NO_PROMPT: 404,
  SIMULATOR_UNKNOWN_ROUTE: 404,
  SIMULATOR_WAIT_TIMEOUT: 408,
  SIMULATOR_PORT_IN_USE: 409,
  SIMULATOR_BODY_TOO_LARGE: 413,
  SIMULATOR_TOO_MANY_SCENARIOS: 429,
  SIMULATOR_TOO_MANY_SUBSCRIBERS: 429,
  SIMULATOR_CLOSED: 503,
} as const

export type SimulatorErrorCode = keyof typeof simulatorErrorStatus

/** A mistake in using the simulator. `code` is stable; `issues` names each wrong field where there are any. */
export class SimulatorError extends Error {
  override readonly name = 'SimulatorError'
  readonly code: SimulatorErrorCode
  readonly issues: readonly string[]

  constructor(code: SimulatorErrorCode, message: string, issues: readonly string[] = []) {
    super(message)
    this.code = code
    this.issues = issues
  }
}
