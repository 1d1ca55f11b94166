import { expect, it } from 'vitest'
import { checkPushFields } from './daraja/stk-push-fields.ts'
import { decideResult } from './decide-result.ts'
import { parseScenario, type ScenarioInput } from './scenario.ts'
import { pushFields } from './testing/merchant.ts'

const decide = (scenario: ScenarioInput, facts: object = {}, fields: Record<string, unknown> = {}) => {
  const checked = checkPushFields(pushFields('http://127.0.0.1/', fields), { mode: 'sandbox', strictUrls: false })
  if (checked.outcome === 'invalid') throw new Error(checked.name)
  const decision = decideResult(checked.push, parseScenario(scenario), {
    mode: 'sandbox',
    busy: false,
    repeatsWithinTwoMinutes: false,
    ...facts,
  })
  return decision.by === 'simulator' ? decision.resultCode : decision.by
}

it.each([
  [{}, {}, {}, 'person'],
  [{ outcome: 'paid' }, {}, {}, '0'],
  [{ outcome: 'pending' }, {}, {}, 'nobody'],
  [{ resultCode: 'E3008' }, {}, {}, 'E3008'],
  [{ outcome: 'wrong-till', resultCode: 'SFC_IC0003' }, {}, {}, 'SFC_IC0003'],
  [{ outcome: 'paid' }, { busy: true, repeatsWithinTwoMinutes: true }, {}, '1001'],
  [{ outcome: 'paid' }, { repeatsWithinTwoMinutes: true }, {}, '17'],
  [{ outcome: 'paid' }, { mode: 'strict' }, { PartyB: '600000' }, '2028'],
  [{ outcome: 'paid' }, {}, { PartyB: '600000' }, '0'],
  [{ outcome: 'paid' }, { mode: 'strict' }, { PartyB: '600000', TransactionType: 'CustomerBuyGoodsOnline' }, '0'],
  [{ outcome: 'paid' }, { busy: true }, { AccountReference: 'x'.repeat(150) }, '1025'],
] as const)('%j with %j and %j ends with %s', (scenario, facts, fields, expected) => {
  expect(decide(scenario, facts, fields)).toBe(expected)
})
