import type { MiddlewareHandler } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Access } from './access.ts'
import { hasBearer, type RelayEnv } from './auth.ts'
import { problem, unauthorised } from './problem.ts'

/** Far more than any request of the operator or a merchant is long. */
const maxRequestBytes = 64 * 1024

const readsBody: ReadonlySet<string> = new Set(['POST', 'PATCH'])

const limit = bodyLimit({
  maxSize: maxRequestBytes,
  onError: context =>
    problem(context, 413, 'MPESA_STK_RELAY_REQUEST_INVALID', `the body is over ${maxRequestBytes} bytes`),
})

/**
 * Before anything of a request to the operator's and the merchants' routes is read: whoever brings no secret and is not the
 * operator goes no further, and a body is short and says that it is JSON, because one that does not would be ignored.
 */
export function frontDoor(access: Access): MiddlewareHandler<RelayEnv> {
  return async (context, next) => {
    if (!hasBearer(context) && !access.isOperator(context)) return unauthorised(context)
    const type = context.req.header('content-type') ?? ''
    const hasBody =
      Number(context.req.header('content-length') ?? 0) > 0 || context.req.header('transfer-encoding') !== undefined
    if (!hasBody || !readsBody.has(context.req.method)) return next()
    if (!/^application\/(?:[\w.+-]*\+)?json\b/i.test(type)) {
      return problem(
        context,
        415,
        'MPESA_STK_RELAY_REQUEST_INVALID',
        'send the body with `Content-Type: application/json`',
      )
    }
    return limit(context, next)
  }
}
