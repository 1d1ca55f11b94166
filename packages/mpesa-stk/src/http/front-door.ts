import type { Context, MiddlewareHandler } from 'hono'
import type { Access } from './access.ts'
import { hasBearer, type RelayEnv } from './auth.ts'
import { problem, unauthorised } from './problem.ts'

/** Far more than any request of the operator or a merchant is long. */
const maxRequestBytes = 64 * 1024

const readsBody: ReadonlySet<string> = new Set(['POST', 'PATCH'])

/** As whoever parses it will read it: what passed here and was no JSON there would be ignored. */
const jsonType = /^application\/(?:[a-z.-]+\+)?json\s*(?:;|$)/i

/**
 * Before anything of a request to the operator's and the merchants' routes is read: whoever brings no secret and is not the
 * operator goes no further, and a body is short and says that it is JSON, because one that does not would be ignored.
 */
export function frontDoor(access: Access): MiddlewareHandler<RelayEnv> {
  return async (context, next) => {
    if (!hasBearer(context) && !access.isOperator(context)) return unauthorised(context)
    const type = context.req.header('content-type') ?? ''
    const length = Number(context.req.header('content-length') ?? 0)
    const isChunked = context.req.header('transfer-encoding') !== undefined
    if (!(length > 0 || isChunked) || !readsBody.has(context.req.method)) return next()
    if (!jsonType.test(type)) {
      return problem(
        context,
        415,
        'MPESA_STK_RELAY_REQUEST_INVALID',
        'send the body with `Content-Type: application/json`',
      )
    }
    if (length > maxRequestBytes) return tooLong(context)
    if (isChunked) {
      const body = await readShort(context)
      if (body === null) return tooLong(context)
      const { url, method, headers } = context.req.raw
      context.req.raw = new Request(url, { method, headers, body })
    }
    return next()
  }
}

/**
 * A body that does not say how long it is; null when it is too long. Hono's `bodyLimit` fails on every such body of a Node
 * server, and what it leaves unread makes that server cut the connection under the next request.
 */
async function readShort({ env, req }: Context<RelayEnv>): Promise<Uint8Array<ArrayBuffer> | null> {
  const chunks: Uint8Array[] = []
  let length = 0
  // Not destroyed: there is an answer to come.
  const body = env?.incoming?.iterator({ destroyOnReturn: false }) ?? req.raw.body ?? []
  for await (const chunk of body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxRequestBytes) return null
  }
  return Buffer.concat(chunks)
}

function tooLong(context: Context): Response {
  return problem(context, 413, 'MPESA_STK_RELAY_REQUEST_INVALID', `the body is over ${maxRequestBytes} bytes`)
}
