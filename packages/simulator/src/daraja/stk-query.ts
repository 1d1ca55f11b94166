import type { Context } from 'hono'
import { describeResult } from '../outcomes.ts'
import type { Simulation } from '../simulation.ts'
import { isOpen, type LiveTransaction } from '../transaction.ts'
import { loseConnection } from './connection.ts'
import type { DarajaApi, GatewayEnv } from './daraja-api.ts'
import { type GatewayErrorName, respondWithGatewayError } from './gateway-errors.ts'

const heldConnectionMs = 60_000

/** `POST /mpesa/stkpushquery/v1/query`: how did that push end? Never a receipt, never an amount. */
export const stkQuery: DarajaApi = {
  method: 'POST',
  path: '/mpesa/stkpushquery/v1/query',
  auth: 'token',
  refuse({ spikeArrest }, consumerKey) {
    return spikeArrest.admits(consumerKey) ? undefined : { error: '429', faultstring: spikeArrest.faultstring }
  },
  async handle({ simulation, context, consumerKey, body }) {
    const { ids, timers, book, credentials, settings } = simulation
    const invalid = (field: string) =>
      respondWithGatewayError('400.002.02', ids, { errorMessage: `Bad Request - Invalid ${field}` })
    for (const field of ['BusinessShortCode', 'Password', 'Timestamp', 'CheckoutRequestID'])
      if (!isFilled(body[field])) return invalid(field)
    const passwordVerdict = credentials.judgePassword({
      consumerKey,
      shortCode: String(body['BusinessShortCode']),
      password: String(body['Password']),
      timestamp: String(body['Timestamp']),
    })
    if (passwordVerdict === 'unknown-merchant') return respondWithGatewayError('500.001.1001-merchant', ids)
    if (passwordVerdict === 'wrong-credentials') return respondWithGatewayError('500.001.1001-wrong-credentials', ids)

    const scenario = simulation.scenarioFor({ api: 'stk-query' })
    await timers.sleep(scenario.ackDelayMs ?? 0)
    if (scenario.ackLost) return loseConnection(context)
    if (scenario.ackError) return respondWithGatewayError(scenario.ackError, ids)

    const transaction = book.find(String(body['CheckoutRequestID']))
    if (!transaction) return invalid('CheckoutRequestID')
    const scripted = nextScriptedAnswer(transaction)
    if (scripted !== undefined) return answerAsScripted(scripted, transaction, simulation, context)
    // [observed] Asked too early, an id that is good a moment later is called invalid.
    if (settings.now() - transaction.acceptedAtMs < settings.queryTooEarlyMs) return invalid('CheckoutRequestID')
    return isOpen(transaction)
      ? answerOpen(transaction, simulation)
      : answerResult(transaction, transaction.resultCode ?? '', simulation)
  },
}

const isFilled = (value: unknown) => typeof value === 'number' || (typeof value === 'string' && value !== '')

function nextScriptedAnswer(transaction: LiveTransaction): string | undefined {
  const { queryAnswers = [], queryAnswersThen } = transaction.scenario
  const answer = queryAnswers[transaction.queryAnswersUsed]
  transaction.queryAnswersUsed++
  return answer ?? (queryAnswersThen === 'repeat-last' ? queryAnswers.at(-1) : undefined)
}

/** Scripted names whose answer is a plain gateway error. */
const scriptedErrors: Readonly<Record<string, GatewayErrorName>> = {
  '429': '429',
  'incapsula-403': 'incapsula-403',
  'incapsula-503': 'incapsula-503',
  '500-html': '500-html',
  '200-html': '200-html',
  '500.003.02': '500.003.02',
  '404.001.03': '404.001.03',
}

async function answerAsScripted(
  answer: string,
  transaction: LiveTransaction,
  simulation: Simulation,
  context: Context<GatewayEnv>,
): Promise<Response> {
  const { ids, timers, spikeArrest } = simulation
  switch (answer) {
    case 'processing':
      return answerProcessing(transaction, simulation)
    case 'invalid':
      return respondWithGatewayError('400.002.02', ids, { errorMessage: 'Bad Request - Invalid CheckoutRequestID' })
    case 'timeout':
      await timers.sleep(heldConnectionMs)
      return loseConnection(context)
    case 'lost':
      return loseConnection(context)
    default: {
      const error = scriptedErrors[answer]
      if (error === undefined) return answerResult(transaction, answer, simulation)
      return respondWithGatewayError(
        error,
        ids,
        spikeArrest.faultstring ? { faultstring: spikeArrest.faultstring } : {},
      )
    }
  }
}

function answerOpen(transaction: LiveTransaction, simulation: Simulation): Response {
  const { pendingQueryAs } = simulation.settings
  transaction.queriesWhileOpen++
  const form =
    pendingQueryAs === 'alternate' ? ['4999', 'processing'][transaction.queriesWhileOpen % 2] : pendingQueryAs
  return form === 'processing'
    ? answerProcessing(transaction, simulation)
    : answerResult(transaction, '4999', simulation)
}

/** [observed] The requestId of this refusal is the CheckoutRequestID. */
function answerProcessing(transaction: LiveTransaction, { ids }: Simulation): Response {
  return respondWithGatewayError('500.001.1001-processing', ids, { requestId: transaction.checkoutRequestId })
}

function answerResult(transaction: LiveTransaction, resultCode: string, { random }: Simulation): Response {
  return Response.json({
    // [observed] Both spellings; the triple s until about October 2025 and still on the portal.
    ResponseDescription: random.pick([
      'The service request has been accepted successsfully',
      'The service request has been accepted successfully',
    ]),
    MerchantRequestID: transaction.merchantRequestId,
    CheckoutRequestID: transaction.checkoutRequestId,
    ResponseCode: '0',
    ResultCode: resultCode, // text here, always
    ResultDesc:
      resultCode === transaction.resultCode && transaction.resultDesc !== undefined
        ? transaction.resultDesc
        : describeResult(resultCode, random),
  })
}
