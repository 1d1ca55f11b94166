import { snapshot } from '../transaction.ts'
import { hasLiveSession } from '../transaction-book.ts'
import { afterResponse, loseConnection } from './connection.ts'
import type { DarajaApi } from './daraja-api.ts'
import { respondWithGatewayError } from './gateway-errors.ts'
import { checkPushFields } from './stk-push-fields.ts'

const passwordErrors = {
  'unknown-merchant': '500.001.1001-merchant',
  'wrong-credentials': '500.001.1001-wrong-credentials',
} as const

/** `POST /mpesa/stkpush/v1/processrequest`: queue a prompt on the customer's phone. */
export const stkPush: DarajaApi = {
  method: 'POST',
  path: '/mpesa/stkpush/v1/processrequest',
  auth: 'token',
  async handle({ simulation, context, consumerKey, body }) {
    const { settings, ids, latency, timers, book, flow, credentials, signals } = simulation
    const verdict = checkPushFields(body, settings)
    if (verdict.outcome === 'invalid')
      return respondWithGatewayError('400.002.02', ids, { errorMessage: `Bad Request - Invalid ${verdict.name}` })
    const { push, password, timestamp } = verdict
    const passwordVerdict = credentials.judgePassword({ consumerKey, shortCode: push.shortCode, password, timestamp })
    if (passwordVerdict !== 'accepted') return respondWithGatewayError(passwordErrors[passwordVerdict], ids)

    const scenario = simulation.scenarioFor({ api: 'stk-push', msisdn: push.msisdn, amount: push.amount })
    const ackMs = scenario.ackDelayMs ?? latency.ackMs()
    if (scenario.ackError && !scenario.ackErrorAfterAccept) {
      await timers.sleep(ackMs)
      return respondWithGatewayError(scenario.ackError, ids)
    }
    const busy =
      settings.busyPhone !== 'off' && hasLiveSession(book, push.msisdn, settings.now(), settings.promptTimeoutMs)
    if (busy && settings.busyPhone === 'sync') {
      await timers.sleep(ackMs)
      return scenario.ackLost ? loseConnection(context) : respondWithGatewayError('500.001.1001', ids)
    }

    // From here on the push exists, whatever the merchant gets to hear of it.
    const transaction = flow.accept(push, scenario, busy)
    if (scenario.callbackBeforeAck) {
      flow.start(transaction)
      await transaction.firstCallbacks.promise
    }
    await timers.sleep(ackMs)
    const acknowledge = (how: 'sent' | 'lost' | 'error') => {
      transaction.acknowledgement = how
      signals.emit({ type: 'push-acknowledged', transaction: snapshot(transaction) })
      afterResponse(context, () => flow.start(transaction))
    }
    if (scenario.ackLost) {
      acknowledge('lost')
      return loseConnection(context)
    }
    if (scenario.ackError) {
      acknowledge('error')
      return respondWithGatewayError(scenario.ackError, ids)
    }
    acknowledge('sent')
    return context.json({
      MerchantRequestID: transaction.merchantRequestId,
      CheckoutRequestID: transaction.checkoutRequestId,
      ResponseCode: '0',
      ResponseDescription: 'Success. Request accepted for processing',
      CustomerMessage: 'Success. Request accepted for processing',
    })
  },
}
