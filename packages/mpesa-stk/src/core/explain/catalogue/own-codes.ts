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
  {
    api: 'http-error',
    code: 'RESOLVED_REFUSED',
    meaning: 'A person found that nobody was charged by a push whose outcome was not known.',
    category: 'system',
    terminal: true,
    retryable: true,
    fixableBy: 'merchant',
    refusal: true,
    advice: 'Nobody was charged, so the same key may be used again; the audit trail says who found it.',
    confidence: 'documented',
    sources: [sources.ourselves],
  },
  {
    api: 'stk-callback',
    code: 'NO_FINAL_ANSWER',
    meaning: 'Safaricom gave no final answer about this payment while we asked; no callback came either.',
    category: 'unknown',
    terminal: false,
    retryable: false,
    fixableBy: 'merchant',
    advice:
      'It is not known whether the customer paid: reconcile, or look at the statement, before the customer pays again. A late callback still corrects it.',
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
