import { describeError, MpesaStkError } from '../core/errors.ts'
import type { Payment } from '../core/payment/payment.ts'
import type { ExplainedPayment } from '../core/payment/payment-view.ts'
import { isStandIn } from '../core/payment/request-id.ts'
import type { Logger } from '../core/ports.ts'
import { stderrLogger } from '../platform.ts'
import { isAbsence, toRelayError } from './relay-problem.ts'

/** Where the relay is and whose app it serves. The signing secret stays on the server. */
export type RelayLinkOptions = {
  /** The relay's address, e.g. `https://relay.example.co.ke`. */
  readonly url: string
  readonly appId: string
  /** As `POST /apps` told it. */
  readonly signingSecret: string
  readonly logger?: Logger
  /** Default: the platform's. */
  readonly fetch?: typeof fetch
}

/** What a page may read: streams by their names, and for how long. */
export type TokenRequest = {
  /** `payment:<paymentId>`, or `source` for every payment of the app: for staff. */
  readonly streams: readonly string[]
  /** Payments that were not reported, by Safaricom's id; the answer's `streams` names them. */
  readonly checkoutRequestIds?: readonly string[]
  /** Whose token it is, so that all of a subject's can be taken back. */
  readonly subject?: string
  /** In seconds, 300 to 900. Default 600. */
  readonly ttlSeconds?: number
  /** What may be done. Default `['read']`. */
  readonly actions?: readonly ('read' | 'ack')[]
}

/** A token for a page. Pass it on as it is: `connectPayments` of `mpesa-stk-client` takes it. */
export type PageToken = {
  readonly token: string
  readonly ttlMs: number
  readonly tokenId: string
  readonly streams: readonly string[]
}

/** What can be reported of a payment just initiated: what `initiatePayment` returned, and its amount. */
export type PendingReport = {
  readonly paymentId: string
  readonly checkoutRequestId?: string | undefined
  readonly amount?: number
}

export type ReportOutcome =
  | { readonly outcome: 'reported' }
  | { readonly outcome: 'failed'; readonly error: MpesaStkError }

/** A merchant's server at its relay: what pages see of payments, and who may. */
export type RelayLink = {
  /**
   * Tells pages of a payment that was just initiated, and the relay which callbacks are its. Never rejects: a customer must not
   * be told that paying failed because a screen was not told, nor wait for it for more than 2.5 seconds. What is not reported is told when it is settled.
   */
  reportPending(payment: PendingReport): Promise<ReportOutcome>
  /**
   * Tells pages how a payment ended: a handler for `mpesa.onPaymentSettled`, which calls it again until it succeeds.
   *
   * @throws MpesaStkError `MPESA_STK_RELAY_UNREACHABLE`, or the relay's own
   */
  readonly reportSettled: (payment: ExplainedPayment | Payment) => Promise<void>
  /** @throws MpesaStkError `MPESA_STK_RELAY_UNREACHABLE`, or the relay's own */
  mintToken(request: TokenRequest): Promise<PageToken>
  /** Takes back one token, or all of a subject's. @throws MpesaStkError as `mintToken` */
  revokeTokens(which: { readonly tokenId: string } | { readonly subject: string }): Promise<void>
}

const deadlineMs = 5_000
/** For all attempts together: a customer stands at the checkout. */
const pendingDeadlineMs = 2_500
const pausesMs = [200, 1_000]

/**
 * Connects a merchant's server to its relay.
 *
 * ```ts
 * const relay = connectRelay({ url, appId, signingSecret })
 * mpesa.onPaymentSettled(relay.reportSettled)
 * const payment = await mpesa.initiatePayment(request)
 * await relay.reportPending({ ...payment, amount: request.amount })
 * const { token, ttlMs } = await relay.mintToken({ streams: [`payment:${payment.paymentId}`] })
 * ```
 *
 * @throws MpesaStkError `MPESA_STK_CONFIG_INVALID` where `url` is none
 */
export function connectRelay(options: RelayLinkOptions): RelayLink {
  const { appId, signingSecret, logger = stderrLogger, fetch: send = fetch } = options
  if (!URL.canParse(options.url) || !/^https?:$/.test(new URL(options.url).protocol)) {
    throw new MpesaStkError(
      'MPESA_STK_CONFIG_INVALID',
      'url of the relay must begin with https:// (or http:// in development)',
    )
  }
  const base = options.url.replace(/\/+$/, '')

  async function post<Answer>(path: string, body: object, signal = AbortSignal.timeout(deadlineMs)): Promise<Answer> {
    let response: Response
    let text: string
    try {
      response = await send(`${base}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${signingSecret}`, 'content-type': 'application/json' },
        body: JSON.stringify({ appId, ...body }),
        // To wherever that led the secret would go as well.
        redirect: 'error',
        signal,
      })
      text = await response.text()
    } catch (cause) {
      throw new MpesaStkError('MPESA_STK_RELAY_UNREACHABLE', `no relay answers at ${base}: look at its address`, {
        cause,
      })
    }
    const answer = parseAnswer(text)
    // Whatever a relay answers is JSON: this is the beginning of it, or something else answers there.
    if (!response.ok || answer === null) throw toRelayError(response.status, answer)
    return answer as Answer
  }

  return {
    async reportPending({ paymentId, checkoutRequestId, amount }) {
      const events = [{ type: 'payment.pending', paymentId, checkoutRequestId, amount }]
      const signal = AbortSignal.timeout(pendingDeadlineMs)
      for (const pauseMs of [...pausesMs, null]) {
        try {
          await post('/v1/events', { events }, signal)
          return { outcome: 'reported' }
        } catch (error) {
          if (!(error instanceof MpesaStkError)) throw error
          if (pauseMs !== null && isAbsence(error) && !signal.aborted) {
            await new Promise<void>(resolve => {
              signal.addEventListener('abort', () => resolve(), { once: true })
              setTimeout(resolve, pauseMs)
            })
            continue
          }
          logger.warn({ paymentId, error: describeError(error) }, 'a pending payment was not reported to the relay')
          return { outcome: 'failed', error }
        }
      }
      throw new Error('the last attempt returns')
    },
    async reportSettled({ id, checkoutRequestId, status, amount, mpesaReceiptNumber, resultCodeText }) {
      const event = {
        type: 'payment.settled',
        paymentId: id,
        checkoutRequestId: isStandIn(checkoutRequestId) ? undefined : checkoutRequestId,
        status,
        amount,
        receipt: mpesaReceiptNumber ?? undefined,
        resultCode: resultCodeText ?? undefined,
      }
      await post('/v1/events', { events: [event] })
    },
    mintToken: request => post<PageToken>('/v1/tokens', request),
    async revokeTokens(which) {
      await post('/v1/tokens/revoke', which)
    },
  }
}

function parseAnswer(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
