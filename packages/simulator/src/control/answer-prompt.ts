import { normaliseMsisdn } from '../msisdn.ts'
import type { HandsetAction } from '../payment-flow.ts'
import type { Simulation } from '../simulation.ts'
import { SimulatorError } from '../simulator-error.ts'
import { snapshot, type Transaction } from '../transaction.ts'

/** The PIN that the simulated customer does not have. Any other four digits are right. */
const wrongPin = '0000'

/** What a person does with the prompt on his phone. */
export interface HandsetAnswer {
  readonly action: HandsetAction
  /** Four digits, with `approve`: `0000` is the wrong PIN, any other approves. Without a PIN it approves. */
  readonly pin?: string | undefined
}

/** Answers the newest live prompt of a phone. Throws SIMULATOR_NO_PROMPT if there is none. */
export function respondOnPhone({ flow }: Simulation, msisdn: string, answer: HandsetAnswer): Transaction {
  const transaction = flow.livePrompt(normaliseMsisdn(msisdn))
  if (!transaction)
    throw new SimulatorError(
      'SIMULATOR_NO_PROMPT',
      `No prompt waits on the phone ${msisdn}: none was sent, it was answered, or it timed out`,
    )
  const action = answer.action === 'approve' && answer.pin === wrongPin ? 'wrong-pin' : answer.action
  flow.answer(transaction, action)
  return snapshot(transaction)
}
