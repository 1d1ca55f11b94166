import type { SettlePace } from './latency.ts'
import type { SimulatorSettings } from './options.ts'
import { outcomes } from './outcomes.ts'
import type { Scenario } from './scenario.ts'
import { longestPrompt, promptText, type StkPush } from './stk-push-request.ts'

/** Who decides a payment: the simulator (with this code), a person at the handset, or nobody ever. */
export type Decision =
  | { readonly by: 'simulator'; readonly resultCode: string; readonly pace: SettlePace }
  | { readonly by: 'person' }
  | { readonly by: 'nobody' }

const refused = (resultCode: string): Decision => ({ by: 'simulator', resultCode, pace: 'refusedByCore' })

/** The first rule that applies, in the order in which the real thing would trip over it. Pure. */
export function decideResult(
  push: StkPush,
  scenario: Scenario,
  facts: {
    readonly mode: SimulatorSettings['mode']
    readonly busy: boolean
    readonly repeatsWithinTwoMinutes: boolean
  },
): Decision {
  // [documented] A prompt text over 182 characters is accepted and then cannot be sent.
  if (promptText(push).length > longestPrompt) return refused('1025')
  if (facts.busy) return refused('1001')
  if (facts.repeatsWithinTwoMinutes) return refused('17')
  // [documented] A shortcode, PartyB and type that do not belong together fail only in the callback.
  const wrongPaybill = push.transactionType === 'CustomerPayBillOnline' && push.partyB !== push.shortCode
  if (facts.mode === 'strict' && wrongPaybill) return refused('2028')
  const { outcome } = scenario
  if (outcome === 'pending') return { by: 'nobody' }
  const resultCode = scenario.resultCode ?? (outcome && outcomes[outcome].resultCode)
  if (resultCode === undefined) return { by: 'person' }
  const pace = outcome ? outcomes[outcome].pace : resultCode === '0' ? 'paid' : 'customer'
  return { by: 'simulator', resultCode, pace }
}
