import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'
import type { ContentfulStatusCode } from 'hono/utils/http-status'
import { MpesaStkError, type MpesaStkErrorCode } from '../core/errors.ts'

/** What is answered where something is wrong: a stable code, and what to do. */
export type Problem = { readonly error: { readonly code: MpesaStkErrorCode; readonly message: string } }

export function problem(
  context: Context,
  status: ContentfulStatusCode,
  code: MpesaStkErrorCode,
  message: string,
): Response {
  return context.json({ error: { code, message } } satisfies Problem, status)
}

const statusOfError: Readonly<Record<string, ContentfulStatusCode>> = {
  MPESA_STK_TARGET_REFUSED: 422,
  MPESA_STK_APP_INVALID: 422,
  MPESA_STK_STORE_CONTENDED: 409,
}

/** The answer to what a handler threw. What is not ours is told without its words: they may hold anything. */
export function answerError(error: Error, context: Context): Response {
  if (error instanceof MpesaStkError) {
    return problem(context, statusOfError[error.code] ?? 500, error.code, error.message)
  }
  if (error instanceof HTTPException && error.status < 500) {
    return problem(
      context,
      400,
      'MPESA_STK_RELAY_REQUEST_INVALID',
      'the body is not JSON, or not sent as application/json',
    )
  }
  return problem(context, 503, 'MPESA_STK_RELAY_UNAVAILABLE', 'the store does not answer; try again in a moment')
}

export const unauthorised = (context: Context): Response =>
  problem(
    context,
    401,
    'MPESA_STK_RELAY_UNAUTHORISED',
    'send `Authorization: Bearer <secret>`; without RELAY_ADMIN_TOKEN the operator’s routes answer only on this machine',
  )

/** Who may look because he is on this machine may not change: whoever can change a target sees every payment. */
export const changesNeedSecret = (context: Context): Response =>
  problem(
    context,
    401,
    'MPESA_STK_RELAY_UNAUTHORISED',
    'send `Authorization: Bearer <the app’s signing secret>`, not its streamSecret (RELAY_SIGNING_SECRET on the command line), or start the relay with RELAY_ADMIN_TOKEN and send that: to be on this machine is not enough',
  )

export const noSuchApp = (context: Context): Response =>
  problem(context, 404, 'MPESA_STK_RELAY_NOT_FOUND', 'there is no app with this id')

export const bodyRemoved = (context: Context): Response =>
  problem(
    context,
    409,
    'MPESA_STK_RELAY_BODY_REMOVED',
    'the body of this event was removed after RELAY_KEEP_BODIES_DAYS: there is nothing left to deliver',
  )

export const toldByMerchant = (context: Context): Response =>
  problem(
    context,
    422,
    'MPESA_STK_RELAY_REQUEST_INVALID',
    'this event is what the merchant’s own server said of a payment: it is streamed, and delivered to nobody',
  )

export const noSuchEvent = (context: Context): Response =>
  problem(context, 404, 'MPESA_STK_RELAY_NOT_FOUND', 'there is no such event')
