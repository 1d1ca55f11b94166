/** How an endpoint has been answering this relay. After failures in a row nothing is sent for a while, and then one probe. */
export type Circuit = {
  readonly failuresInARow: number
  /** Until then everything waits. */
  readonly openUntilMs: number | null
  readonly isProbing: boolean
}

export const closedCircuit: Circuit = { failuresInARow: 0, openUntilMs: null, isProbing: false }

export const opensAfter = 5
const firstPauseMs = 5_000
const longestPauseMs = 60_000

/** Whether an attempt may begin now: `probe` is the only one until it has ended. */
export function askCircuit(circuit: Circuit, nowMs: number): 'go' | 'probe' | 'wait' {
  if (circuit.openUntilMs === null) return 'go'
  return circuit.isProbing || nowMs < circuit.openUntilMs ? 'wait' : 'probe'
}

export function beginProbe(circuit: Circuit): Circuit {
  return { ...circuit, isProbing: true }
}

/** After an attempt. Any answer but a failing server's shows that somebody is there. */
export function noteAttempt(circuit: Circuit, isAlive: boolean, nowMs: number): Circuit {
  if (isAlive) return closedCircuit
  // Of attempts that were under way when it opened: they tell what is known.
  if (circuit.openUntilMs !== null && !circuit.isProbing) return circuit
  const failuresInARow = circuit.failuresInARow + 1
  if (failuresInARow < opensAfter) return { ...circuit, failuresInARow, isProbing: false }
  const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** (failuresInARow - opensAfter))
  return { failuresInARow, openUntilMs: nowMs + pauseMs, isProbing: false }
}

/** How many circuits are in which state. */
export type CircuitCounts = Readonly<Record<'closed' | 'open' | 'probing', number>>

export function stateOf({ openUntilMs, isProbing }: Circuit): keyof CircuitCounts {
  if (openUntilMs === null) return 'closed'
  return isProbing ? 'probing' : 'open'
}
