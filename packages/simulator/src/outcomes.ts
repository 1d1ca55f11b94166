import type { SettlePace } from './latency.ts'
import type { SeededRandom } from './seeded-random.ts'

/** What became of a payment, in words. `pending` never gets a result: no callback, and the query never ends. */
export const outcomeNames = [
  'paid',
  'cancelled',
  'wrong-pin',
  'insufficient-funds',
  'unreachable',
  'expired',
  'busy',
  'limit-rule',
  'system-error',
  'wrong-till',
  'pending',
] as const
export type Outcome = (typeof outcomeNames)[number]

interface OutcomeRule {
  /** The result code when the scenario names no other; absent for `pending`. */
  readonly resultCode?: string
  readonly pace: SettlePace
}

export const outcomes: Readonly<Record<Outcome, OutcomeRule>> = {
  paid: { resultCode: '0', pace: 'paid' },
  cancelled: { resultCode: '1032', pace: 'customer' },
  'wrong-pin': { resultCode: '2001', pace: 'customer' },
  'insufficient-funds': { resultCode: '1', pace: 'customer' },
  unreachable: { resultCode: '1037', pace: 'unreachable' },
  expired: { resultCode: '1019', pace: 'expired' },
  busy: { resultCode: '1001', pace: 'refusedByCore' },
  'limit-rule': { resultCode: '17', pace: 'refusedByCore' },
  'system-error': { resultCode: '1025', pace: 'systemError' },
  'wrong-till': { resultCode: '2028', pace: 'refusedByCore' },
  pending: { pace: 'expired' },
}

/**
 * ResultDesc by code. Where several were seen the wording is drawn at random, because it drifts and nobody may branch
 * on it. [observed] for 1032 and 1037 variants; [documented] for the codes on the portal page.
 */
const resultDescriptions: Readonly<Record<string, readonly [string, ...string[]]>> = {
  '0': ['The service request is processed successfully.'],
  '1': ['The balance is insufficient for the transaction.'],
  '2': ['Declined due to limit rule: less than the minimum transaction amount.'],
  '3': ['Declined due to limit rule: greater than the maximum transaction amount.'],
  '4': ['Declined due to limit rule: would exceed daily transfer limit.'],
  '8': ['Declined due to limit rule: would exceed the maximum account balance.'],
  '17': ['Rule limited.'],
  '26': ['System busy. The service request is rejected.'],
  '1001': ['Unable to lock subscriber, a transaction is already in process for the current subscriber'],
  '1019': ['Transaction has expired'],
  '1025': ['An error occurred while sending a push request'],
  '1032': ['Request cancelled by user', 'Request Cancelled by user.', '[STK_CB - ]Request cancelled by user'],
  '1036': ['SMSC ACK timeout.'],
  '1037': [
    'DS timeout user cannot be reached',
    'No response from user.',
    '[STK_CB - ]DS timeout user cannot be reached',
  ],
  '2001': ['The initiator information is invalid.'],
  '2006': ['Declined due to account rule: The account status does not allow this transaction.'],
  '2028': ['The request is not permitted according to product assignment.'],
  '4999': ['The transaction is still under processing'],
  '8006': ['The security credential is locked.'],
  '9999': ['An error occurred while sending a push request'],
  SFC_IC0003: ['The operator does not exist.'],
  E3008: ['The subscriber has a bad debt contract.'],
}

/** Wording for a result code; a code outside the table gets a sentence that says nothing, as an unknown one would. */
export function describeResult(resultCode: string, random: SeededRandom): string {
  return random.pick(resultDescriptions[resultCode] ?? ['The service request failed.'])
}
