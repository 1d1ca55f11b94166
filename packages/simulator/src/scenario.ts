import { z } from 'zod'
import { gatewayErrorNames } from './daraja/gateway-errors.ts'
import { queryAnswerNames } from './daraja/query-answers.ts'
import { normaliseMsisdn } from './msisdn.ts'
import { outcomeNames } from './outcomes.ts'
import { SimulatorError } from './simulator-error.ts'

const dayMs = 24 * 60 * 60 * 1000
const delay = z.number().int().min(0).max(dayMs)

const msisdn = z
  .union([z.string(), z.number()])
  .transform(normaliseMsisdn)
  .refine(digits => /^\d{9,15}$/.test(digits), 'a phone number such as 254712345678')

const queryAnswer = z
  .string()
  .refine(
    answer =>
      (queryAnswerNames as readonly string[]).includes(answer) || /^(\d{1,6}|[A-Z][A-Z0-9_]{2,15})$/.test(answer),
    `one of ${queryAnswerNames.join(', ')}, or a result code such as 0, 1032, SFC_IC0003`,
  )

/** What a scenario may say. Unknown fields are refused: a misspelled fault that never happens is the worst test. */
export const scenarioSchema = z
  .strictObject({
    api: z.enum(['stk-push', 'stk-query', 'oauth']).default('stk-push'),
    msisdn: msisdn.optional(),
    amount: z
      .union([z.number(), z.string().transform(Number)])
      .pipe(z.number().positive())
      .optional(),
    times: z.union([z.number().int().min(1).max(1_000_000), z.literal('always')]).optional(),
    outcome: z.enum(outcomeNames).optional(),
    resultCode: z
      .union([z.string(), z.number().int().transform(String)])
      .pipe(z.string().regex(/^[A-Za-z0-9_.]{1,20}$/, 'a result code such as 1032 or SFC_IC0003'))
      .optional(),
    ackDelayMs: delay.optional(),
    ackLost: z.boolean().optional(),
    ackError: z.enum(gatewayErrorNames).optional(),
    ackErrorAfterAccept: z.boolean().optional(),
    callbackDelayMs: delay.optional(),
    callbackCopies: z.number().int().min(1).max(20).optional(),
    callbackBeforeAck: z.boolean().optional(),
    callbackLost: z.boolean().optional(),
    callbackRetryPolicy: z.enum(['none', 'three', 'until-200']).optional(),
    resultCodeAs: z.enum(['number', 'string']).optional(),
    phoneAs: z.enum(['plain', 'masked', 'absent']).optional(),
    amountAs: z.enum(['integer', 'decimal']).optional(),
    queryAnswers: z.array(queryAnswer).min(1).max(1_000).optional(),
    queryAnswersThen: z.enum(['true-state', 'repeat-last']).optional(),
  })
  .superRefine((scenario, context) => {
    const refuse = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message })
    const paysOut = scenario.outcome === 'paid'
    const { api, resultCode } = scenario
    if (scenario.outcome !== undefined && resultCode !== undefined && paysOut !== (resultCode === '0'))
      refuse('resultCode', `"${resultCode}" does not fit the outcome "${scenario.outcome}": only "paid" has "0"`)
    if (scenario.outcome === 'pending' && resultCode !== undefined)
      refuse('resultCode', 'a pending payment never gets a result')
    if (scenario.callbackBeforeAck && (scenario.outcome === 'pending' || scenario.callbackLost))
      refuse('callbackBeforeAck', 'there is no callback to wait for: the outcome is pending or the callback is lost')
    if (scenario.ackError && scenario.ackLost) refuse('ackLost', 'an answer is lost or an error, not both')
    if (scenario.ackErrorAfterAccept && !scenario.ackError)
      refuse('ackErrorAfterAccept', 'name the error in "ackError" as well')
    if (scenario.queryAnswersThen && !scenario.queryAnswers)
      refuse('queryAnswersThen', 'give the answers in "queryAnswers" as well')
    if (api === 'stk-push') return
    const meaningful = new Set(['api', 'times', 'ackDelayMs', 'ackLost', 'ackError'])
    for (const field of Object.keys(scenario))
      if (!meaningful.has(field)) refuse(field, `means nothing for the API "${api}"`)
    if (!scenario.ackError && !scenario.ackLost && scenario.ackDelayMs === undefined)
      refuse('ackError', `say what goes wrong with "${api}": ackError, ackLost or ackDelayMs`)
  })

/**
 * What happens to the next call that matches. Every field is optional.
 *
 * - `api` which call (default `stk-push`; `oauth` and `stk-query` know only `times`, `ackDelayMs`, `ackLost`, `ackError`)
 * - `msisdn`, `amount` narrow the match; `times` how many calls it serves (default 1, `"always"` for ever)
 * - `outcome`, `resultCode` what becomes of the payment; without both, the number's own rule decides
 * - `ackDelayMs`, `ackLost`, `ackError`, `ackErrorAfterAccept` the HTTP answer to the call itself
 * - `callback…`, `…As` when, how often and in which form the callback comes; delays are milliseconds after the answer
 * - `queryAnswers` successive answers to STK queries, then the true state (or `queryAnswersThen: "repeat-last"`)
 */
export type ScenarioInput = z.input<typeof scenarioSchema>
/** A scenario after validation, numbers normalised to `254…`. */
export type Scenario = z.output<typeof scenarioSchema>

/** Checks a scenario from outside. Throws SIMULATOR_SCENARIO_INVALID naming each wrong field. */
export function parseScenario(input: unknown): Scenario {
  const parsed = scenarioSchema.safeParse(input)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map(issue => `${issue.path.join('.') || 'scenario'}: ${issue.message}`)
  throw new SimulatorError('SIMULATOR_SCENARIO_INVALID', `The scenario is not valid. ${issues.join('; ')}`, issues)
}
