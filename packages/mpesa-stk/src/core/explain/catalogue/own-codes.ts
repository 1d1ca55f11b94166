import type { CatalogueRow } from './row.ts'
import { sources } from './sources.ts'

const unresolvedAdvice =
  'The customer may have been prompted: wait for the callback or look at the statement, and do not send it again under another key.'

/** Our own codes for pushes that ended without an answer of Daraja. Known from our code, not from Safaricom. */
export const ownCodeRows = [
  {
    api: 'http-error',
    code: 'NOT_SENT',
    meaning: 'No connection to Daraja came about, or no access token was given out: the request never left.',
    category: 'system',
    terminal: true,
    retryable: true,
    fixableBy: 'developer',
    refusal: true,
    advice:
      'Look at the network, DNS and firewall of your server, then at the state of Safaricom; nobody was prompted, so the same key may be used again.',
    confidence: 'documented',
    sources: [sources.ourselves],
  },
  ...(
    [
      ['ANSWER_LOST', 'The request was sent and its answer never came: a timeout or a broken connection.'],
      ['SENDER_DIED', 'The process that sent the request ended before it stored an answer.'],
      ['ANSWER_NOT_STORED', 'Daraja answered and the store failed, so the answer was lost.'],
      ['NO_REQUEST_ID', 'Daraja accepted the request without naming its ids.'],
      ['ODD_RESPONSE_CODE', 'Daraja answered with a ResponseCode that is neither an acceptance nor a clear refusal.'],
      ['REQUEST_ID_TAKEN', 'Daraja answered with the CheckoutRequestID of another payment.'],
    ] as const
  ).map(
    ([code, meaning]) =>
      ({
        api: 'http-error',
        code,
        meaning,
        category: 'unknown',
        terminal: false,
        retryable: false,
        fixableBy: 'merchant',
        advice: unresolvedAdvice,
        confidence: 'documented',
        sources: [sources.ourselves],
      }) as const,
  ),
] as const satisfies readonly CatalogueRow[]
