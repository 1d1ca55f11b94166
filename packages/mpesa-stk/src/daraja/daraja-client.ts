import type { ResolvedConfig } from '../core/config.ts'
import { lookUpCode } from '../core/explain/explain.ts'
import { toTransactionDesc } from '../core/initiate/intent.ts'
import { classifyPushAnswer } from '../core/initiate/push-answer.ts'
import { classifyQueryAnswer } from '../core/poll/query-answer.ts'
import type { Clock, Daraja, PushRefusal, TokenStore } from '../core/ports.ts'
import { authorisedPost, type Poster } from './authorised-post.ts'
import { createCredentialSource } from './credential-source.ts'
import { signRequest } from './password.ts'
import { openSession } from './session.ts'
import { sharedTokenSource } from './token.ts'

/** Daraja over HTTP: signs, sends, and hands every answer to core to judge. */
export function createDarajaClient(config: ResolvedConfig, clock: Clock, store: TokenStore): Daraja {
  const { baseUrl, timeoutMs } = config
  const poster: Poster = {
    source: createCredentialSource(config.credentials, clock),
    tokensFor: ({ consumerKey, consumerSecret }) =>
      sharedTokenSource({ baseUrl, consumerKey, consumerSecret, timeoutMs, clock, store }),
    timeoutMs,
  }

  return {
    async authorise() {
      const session = await openSession(poster.source, poster.tokensFor)
      return session.outcome === 'open' ? { outcome: 'authorised' } : refusedWithoutToken(session)
    },

    /** `POST /mpesa/stkpush/v1/processrequest`. [documented] */
    async push(push) {
      const sent = await authorisedPost(poster, `${baseUrl}/mpesa/stkpush/v1/processrequest`, ({ passKey }) => ({
        BusinessShortCode: push.shortCode,
        ...signRequest(push.shortCode, passKey, clock.now()),
        TransactionType: push.transactionType,
        Amount: push.amount,
        PartyA: push.phoneNumber,
        PartyB: push.partyB,
        PhoneNumber: push.phoneNumber,
        CallBackURL: push.callbackUrl,
        AccountReference: push.accountReference,
        TransactionDesc: toTransactionDesc(push.description),
      }))
      switch (sent.outcome) {
        case 'answered':
          return classifyPushAnswer(sent.answer)
        case 'no-token':
          return refusedWithoutToken(sent)
        case 'not-sent':
          return { outcome: 'refused', code: 'NOT_SENT', message: `no connection: ${sent.code}`, httpStatus: null }
        case 'lost':
          return { outcome: 'unknown', code: 'ANSWER_LOST', message: `no answer: ${sent.code}`, httpStatus: null }
      }
    },

    /** `POST /mpesa/stkpushquery/v1/query`. [documented] */
    async query({ shortCode, checkoutRequestId }) {
      const sent = await authorisedPost(poster, `${baseUrl}/mpesa/stkpushquery/v1/query`, ({ passKey }) => ({
        BusinessShortCode: shortCode,
        ...signRequest(shortCode, passKey, clock.now()),
        CheckoutRequestID: checkoutRequestId,
      }))
      if (sent.outcome === 'answered') return classifyQueryAnswer(sent.answer, checkoutRequestId, sent.retryAfterMs)
      const message = sent.outcome === 'no-token' ? sent.message : 'no answer'
      return {
        outcome: 'indeterminate',
        reason: 'unanswered',
        code: sent.code,
        message,
        httpStatus: null,
        retryAfterMs: null,
      }
    },
  }
}

/** Without a token nothing was sent, whatever was answered. A code that nobody knows would be explained as an open outcome. */
function refusedWithoutToken(token: Pick<PushRefusal, 'code' | 'message' | 'httpStatus'>): PushRefusal {
  const { code, message, httpStatus } = token
  const isKnown = lookUpCode('http-error', code, message) !== null
  return {
    outcome: 'refused',
    code: isKnown ? code : 'NOT_SENT',
    message: isKnown ? message : `no access token: ${code} ${message}`,
    httpStatus,
  }
}
