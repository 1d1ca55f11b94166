import type { IdMint } from '../ids.ts'

/**
 * Every way in which the gateway says no. Four families: Daraja's own JSON, Apigee's `fault` JSON, a web page (from the
 * firewall or a proxy), or no body at all. `500.001.1001` alone says nothing: code and message together are the meaning.
 */
type GatewayError =
  | { readonly family: 'daraja'; readonly status: number; readonly errorCode: string; readonly errorMessage: string }
  | { readonly family: 'apigee'; readonly status: number; readonly faultstring: string; readonly errorcode: string }
  | { readonly family: 'html'; readonly status: number; readonly page: keyof typeof pages }
  | { readonly family: 'json'; readonly status: number; readonly body: (ids: IdMint) => Record<string, unknown> }
  | { readonly family: 'empty'; readonly status: number }

const daraja = (status: number, errorCode: string, errorMessage: string) =>
  ({ family: 'daraja', status, errorCode, errorMessage }) as const

const pages = {
  // [observed] The 403 challenge holds an `_Incapsula_Resource` script; the 503 block says "Request unsuccessful".
  challenge: (incident: string) =>
    `<html style="height:100%"><head><META NAME="ROBOTS" CONTENT="NOINDEX, NOFOLLOW"><meta name="format-detection" content="telephone=no"><meta name="viewport" content="initial-scale=1.0"></head><body style="margin:0px;height:100%"><iframe id="main-iframe" src="/_Incapsula_Resource?SWUDNSAI=31&xinfo=${incident}&incident_id=${incident}&edet=12&cinfo=04000000" frameborder=0 width="100%" height="100%" marginheight="0px" marginwidth="0px">Request unsuccessful. Incapsula incident ID: ${incident}</iframe></body></html>`,
  blocked: (incident: string) =>
    `<html><head><META NAME="robots" CONTENT="noindex,nofollow"></head><body>Request unsuccessful. Incapsula incident ID: ${incident}</body></html>`,
  serverError: () =>
    '<html>\r\n<head><title>500 Internal Server Error</title></head>\r\n<body>\r\n<center><h1>500 Internal Server Error</h1></center>\r\n</body>\r\n</html>\r\n',
  badGateway: () =>
    '<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n',
  welcome: () => '<!DOCTYPE html><html><head><title>Safaricom</title></head><body><h1>Welcome</h1></body></html>',
} as const

export const gatewayErrors = {
  '400.002.02': daraja(400, '400.002.02', 'Bad Request - Invalid PhoneNumber'),
  '400.002.05': daraja(400, '400.002.05', 'Invalid Request Payload'),
  '400.008.01': daraja(400, '400.008.01', 'Invalid Authentication passed'),
  '400.008.02': daraja(400, '400.008.02', 'Invalid grant type passed'),
  '401.003.01': daraja(
    401,
    '401.003.01',
    'Error Occurred - Invalid Access Token - Invalid API call as no apiproduct match found',
  ),
  '404.001.01': daraja(404, '404.001.01', 'Resource not found'),
  '404.001.03': daraja(404, '404.001.03', 'Invalid Access Token'),
  '404.001.04': daraja(404, '404.001.04', 'Invalid Authentication Header'),
  '405.001': daraja(405, '405.001', 'Method Not Allowed'),
  '500.001.1001': daraja(
    500,
    '500.001.1001',
    'Unable to lock subscriber, a transaction is already in process for the current subscriber',
  ),
  '500.001.1001-wrong-credentials': daraja(500, '500.001.1001', 'Wrong credentials'),
  '500.001.1001-merchant': daraja(500, '500.001.1001', 'Merchant does not exist'),
  '500.001.1001-internal': daraja(500, '500.001.1001', 'System internal error.'),
  '500.001.1001-processing': daraja(500, '500.001.1001', 'The transaction is being processed'),
  '500.003.02': daraja(500, '500.003.02', 'System is busy. Please try again in few minutes.'),
  '500.003.02-spike': daraja(500, '500.003.02', 'Error Occurred: Spike Arrest Violation'),
  '500.003.03': daraja(500, '500.003.03', 'Error Occurred: Quota Violation'),
  '429': {
    family: 'apigee',
    status: 429,
    faultstring:
      'Spike arrest violation. Allowed rate : MessageRate{messagesPerPeriod=5, periodInMicroseconds=60000000, maxBurstMessageCount=1.0}',
    errorcode: 'policies.ratelimit.SpikeArrestViolation',
  },
  // Apigee's standard fault when the backend is too slow; not captured on Daraja. [unverified]
  '504': {
    family: 'apigee',
    status: 504,
    faultstring: 'Gateway Timeout',
    errorcode: 'messaging.adaptors.http.flow.GatewayTimeout',
  },
  'incapsula-403': { family: 'html', status: 403, page: 'challenge' },
  'incapsula-503': { family: 'html', status: 503, page: 'blocked' },
  '500-html': { family: 'html', status: 500, page: 'serverError' },
  '502-html': { family: 'html', status: 502, page: 'badGateway' },
  '200-html': { family: 'html', status: 200, page: 'welcome' },
  // A ResponseCode other than "0" inside HTTP 200 is documented as possible; no captured wording. [unverified]
  '200-nonzero': {
    family: 'json',
    status: 200,
    body: ids => ({
      MerchantRequestID: ids.merchantRequestId(),
      CheckoutRequestID: '',
      ResponseCode: '1',
      ResponseDescription: 'The service request has been rejected',
      CustomerMessage: 'The service request has been rejected',
    }),
  },
  '200-empty': { family: 'empty', status: 200 },
  '400-empty': { family: 'empty', status: 400 },
  '500-empty': { family: 'empty', status: 500 },
} as const satisfies Record<string, GatewayError>

export type GatewayErrorName = keyof typeof gatewayErrors
export const gatewayErrorNames = Object.keys(gatewayErrors) as [GatewayErrorName, ...GatewayErrorName[]]

const json = (status: number, body: unknown) =>
  new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json;charset=UTF-8' } })

/** The HTTP answer for an error by name. `overrides` replace the message or the request id of the Daraja family. */
export function respondWithGatewayError(
  name: GatewayErrorName,
  ids: IdMint,
  overrides: { readonly errorMessage?: string; readonly requestId?: string; readonly faultstring?: string } = {},
): Response {
  const error: GatewayError = gatewayErrors[name]
  switch (error.family) {
    case 'daraja': {
      const { errorCode } = error
      const errorMessage = overrides.errorMessage ?? error.errorMessage
      return json(error.status, { requestId: overrides.requestId ?? ids.requestId(), errorCode, errorMessage })
    }
    case 'apigee': {
      const faultstring = overrides.faultstring ?? error.faultstring
      return json(error.status, { fault: { faultstring, detail: { errorcode: error.errorcode } } })
    }
    case 'html':
      return new Response(pages[error.page](ids.incidentId()), {
        status: error.status,
        headers: { 'content-type': 'text/html' },
      })
    case 'json':
      return json(error.status, error.body(ids))
    case 'empty':
      return new Response(null, { status: error.status, headers: { 'content-length': '0' } })
  }
}
