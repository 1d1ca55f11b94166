import type { Context } from 'hono'
import type { MpesaStkErrorCode } from '../../core/errors.ts'
import { retryLaterMs, type StreamErrorCode, streamProblems } from '../../core/stream/stream-error.ts'

const codeOfStatus: Readonly<Record<number, MpesaStkErrorCode>> = {
  401: 'MPESA_STK_RELAY_UNAUTHORISED',
  403: 'MPESA_STK_RELAY_STREAM_REFUSED',
  404: 'MPESA_STK_RELAY_NOT_FOUND',
  422: 'MPESA_STK_RELAY_REQUEST_INVALID',
  503: 'MPESA_STK_RELAY_UNAVAILABLE',
}

/** What is wrong with a stream that was asked for by HTTP. */
export function streamProblem(context: Context, reason: StreamErrorCode): Response {
  const { status, retry, text } = streamProblems[reason]
  const retryAfterMs = retryLaterMs[reason]
  const tooMuch = reason === 'over_quota' ? 'MPESA_STK_RELAY_OVER_QUOTA' : 'MPESA_STK_RELAY_TOO_MANY'
  const error = { code: codeOfStatus[status] ?? tooMuch, message: text }
  if (retryAfterMs === undefined) return context.json({ error, reason, retry }, status)
  const headers = { 'retry-after': String(Math.ceil(retryAfterMs / 1_000)) }
  return context.json({ error, reason, retry, retryAfterMs }, status, headers)
}
