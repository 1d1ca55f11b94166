/** What a client should do: come again, now or later, fetch a fresh token first, or stay away. */
export type RetryAdvice = 'now' | 'later' | 'token' | 'never'

/** How one who streams is told that something is wrong. */
export type StreamProblem = {
  readonly retry: RetryAdvice
  /** The close code after it; null where the connection stays. */
  readonly close: number | null
  /** Of an HTTP answer. */
  readonly status: 401 | 403 | 404 | 422 | 429 | 503
  readonly text: string
}

/** Every error of a stream, as docs/streams.md tells them. None holds anything of a token or of a customer. */
export const streamProblems = {
  auth_timeout: { retry: 'now', close: 4401, status: 401, text: 'no `auth` came within 10 seconds' },
  bad_frame: { retry: 'never', close: 4400, status: 422, text: 'a frame is one JSON object of a known type' },
  token_invalid: {
    retry: 'token',
    close: 4401,
    status: 401,
    text: 'send `Authorization: Bearer <token>` (on a WebSocket: in `auth`), minted by your server with POST /v1/tokens. The signing secret needs ?source_id=',
  },
  token_expired: { retry: 'token', close: 4401, status: 401, text: 'the token has expired' },
  token_revoked: { retry: 'token', close: 4401, status: 401, text: 'the token was taken back' },
  secret_invalid: { retry: 'never', close: 4401, status: 401, text: 'there is no such source with this secret' },
  secret_not_for_pages: {
    retry: 'never',
    close: 4403,
    status: 403,
    text: 'pages of this app need a token: mint one on your server with POST /v1/tokens, or set publicStreams to true. The signing secret is for servers alone',
  },
  origin_refused: { retry: 'never', close: 4403, status: 403, text: 'this origin is not in allowedOrigins of the app' },
  stream_refused: {
    retry: 'never',
    close: null,
    status: 403,
    text: 'you may not read this stream: mint a token whose `streams` has it',
  },
  stream_unknown: { retry: 'never', close: null, status: 404, text: 'a stream is `source` or `payment:<paymentId>`' },
  cursor_invalid: { retry: 'never', close: null, status: 422, text: 'this is no cursor, nor `start` or `now`' },
  ack_invalid: { retry: 'never', close: null, status: 422, text: 'this was not sent to you on this subscription' },
  over_quota: { retry: 'later', close: null, status: 429, text: 'the app took more events today than its quota' },
  too_many: { retry: 'later', close: 4429, status: 429, text: 'too many connections, or subscriptions of this one' },
  too_slow: { retry: 'now', close: 1013, status: 503, text: 'over 1 MiB waits to be read: resume after your cursor' },
  unavailable: { retry: 'later', close: 1012, status: 503, text: 'the store does not answer' },
  restarting: { retry: 'now', close: 1012, status: 503, text: 'the relay stops: come again' },
} as const satisfies Record<string, StreamProblem>

export type StreamErrorCode = keyof typeof streamProblems

/** When to come again, where the advice is `later`. */
export const retryLaterMs: Readonly<Partial<Record<StreamErrorCode, number>>> = {
  over_quota: 60_000,
  too_many: 10_000,
  unavailable: 5_000,
}

/** As a frame says it, and an answer. */
export function viewProblem(code: StreamErrorCode) {
  const { retry, text } = streamProblems[code]
  const retryAfterMs = retryLaterMs[code]
  return { code, error: text, retry, ...(retryAfterMs !== undefined && { retryAfterMs }) }
}
