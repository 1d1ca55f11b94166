import { loseConnection } from './connection.ts'
import type { DarajaApi } from './daraja-api.ts'
import { respondWithGatewayError } from './gateway-errors.ts'

/** `GET /oauth/v1/generate?grant_type=client_credentials` with Basic consumerKey:consumerSecret. */
export const oauth: DarajaApi = {
  method: 'GET',
  path: '/oauth/v1/generate',
  auth: 'none',
  async handle({ simulation, context }) {
    const { ids, timers, tokens, credentials } = simulation
    const scenario = simulation.scenarioFor({ api: 'oauth' })
    await timers.sleep(scenario.ackDelayMs ?? 0)
    if (scenario.ackError) return respondWithGatewayError(scenario.ackError, ids)
    if (context.req.query('grant_type') !== 'client_credentials') return respondWithGatewayError('400.008.02', ids)
    const consumer = readBasic(context.req.header('authorization'))
    if (!consumer) return respondWithGatewayError('400.008.01', ids)
    // [observed] A key or secret that is unknown (or of the other environment) gets HTTP 400 with no body at all.
    if (!consumer.key || !credentials.acceptsConsumer(consumer.key, consumer.secret))
      return respondWithGatewayError('400-empty', ids)
    const { accessToken, expiresInSeconds } = tokens.issue(consumer.key)
    // The token is made, and has cancelled the older one, even if its answer is then lost.
    if (scenario.ackLost) return loseConnection(context)
    // [observed] `expires_in` is text on the wire; the portal prints a number.
    return context.json({ access_token: accessToken, expires_in: String(expiresInSeconds) })
  },
}

function readBasic(header: string | undefined): { key: string; secret: string } | undefined {
  const encoded = /^Basic +(\S+)$/i.exec(header ?? '')?.[1]
  if (encoded === undefined) return undefined
  const [key = '', ...rest] = Buffer.from(encoded, 'base64').toString('utf8').split(':')
  return { key, secret: rest.join(':') }
}
