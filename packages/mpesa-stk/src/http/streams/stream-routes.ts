import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { StreamErrorCode } from '../../core/stream/stream-error.ts'
import type { Relay } from '../../relay/relay.ts'
import type { StreamConnection } from '../../relay/streams/stream-hub.ts'
import { readStart, type StreamStart, type Subscription } from '../../relay/streams/subscription.ts'
import type { RelayEnv } from '../auth.ts'
import { EventStream } from './event-stream.ts'
import { LongPoll } from './long-poll.ts'
import { streamProblem } from './stream-problem.ts'
import type { StreamTools } from './stream-tools.ts'
import { visitOf } from './visit.ts'

const path = '/v1/streams/{stream}/events'
/** Below what proxies cut off. */
const longestWaitS = 25
const text = z.string().max(200)
const query = z.object({
  after: text.optional(),
  from: z.enum(['start', 'now']).optional(),
  wait: z.coerce.number().int().min(0).max(longestWaitS).default(0),
  source_id: text.optional(),
  phone: z.enum(['0', '1']).optional(),
})
const problemSchema = z
  .object({
    error: z.object({ code: z.string(), message: z.string() }),
    reason: z.string(),
    retry: z.string(),
    retryAfterMs: z.int().optional(),
  })
  .openapi('StreamProblem')
const pollSchema = z
  .object({ frames: z.array(z.record(z.string(), z.unknown())), cursor: z.string() })
  .openapi('StreamFrames')

/** Both read by the request's own URL: a query that a proxy logs holds no token. */
const route = createRoute({
  method: 'get',
  path,
  summary: 'Events of a stream: server-sent with `Accept: text/event-stream`, else as a long poll.',
  description:
    '`Authorization: Bearer <token of POST /v1/tokens>`; or, of a server, the signing secret with `source_id`. Resumes after `after` or `Last-Event-ID`. docs/streams.md has the frames.',
  request: { params: z.object({ stream: z.string().max(200) }), query },
  responses: {
    200: {
      description: 'Frames of version 1, without `id`.',
      content: { 'application/json': { schema: pollSchema }, 'text/event-stream': { schema: z.string() } },
    },
    204: { description: 'The stream has ended.' },
    ...Object.fromEntries(
      [401, 403, 404, 422, 429, 503].map(status => [
        status,
        { description: '`reason` says why.', content: { 'application/json': { schema: problemSchema } } },
      ]),
    ),
  },
})

type Asked = { readonly connection: StreamConnection & { subscription: Subscription | null }; readonly stream: string }

/** Streams over HTTP, for what cannot have a WebSocket. A page asks with a token: none of this is behind the front door. */
export function addStreamRoutes(server: OpenAPIHono<RelayEnv>, { streams, sources }: Relay, tools: StreamTools): void {
  server.use('/v1/streams/*', async (context, next) => {
    const origin = context.req.header('origin')
    if (origin !== undefined) {
      // Whether this origin may read a stream depends on whose it is; that it may not, its page may know.
      context.header('Access-Control-Allow-Origin', origin)
      context.header('Access-Control-Expose-Headers', 'retry-after')
    }
    context.header('Vary', 'Origin')
    context.header('Cache-Control', 'no-store, no-transform')
    if (context.req.method !== 'OPTIONS') return next()
    context.header('Access-Control-Allow-Methods', 'GET')
    context.header('Access-Control-Allow-Headers', 'authorization, last-event-id')
    context.header('Access-Control-Max-Age', '7200')
    return context.body(null, 204)
  })

  server.openapi(route, async context => {
    if (streams.isStopped) return streamProblem(context, 'restarting') as never
    const { stream } = context.req.valid('param')
    const { after, from, wait, source_id: sourceId, phone } = context.req.valid('query')
    const start = readStart(after ?? context.req.header('last-event-id') ?? from ?? 'start')
    if (start === null) return streamProblem(context, 'cursor_invalid') as never
    const socketAddress = context.env?.incoming?.socket.remoteAddress ?? null
    const visit = visitOf(socketAddress, context.req.header(), phone === '1', sources)
    const nowMs = tools.monotonicMs()
    const bearer = /^Bearer (\S{1,4000})$/i.exec(context.req.header('authorization') ?? '')?.[1] ?? ''
    const credentials = sourceId === undefined ? { token: bearer } : { sourceId, secret: bearer }

    if (/\btext\/event-stream\b/i.test(context.req.header('accept') ?? '')) {
      const connection = new EventStream(streams, visit, tools)
      const code = await enter(connection, credentials)
      if (code !== null) return streamProblem(context, code) as never
      whenGone(context.req.raw.signal, () => connection.destroy())
      const failure = await subscribe({ connection, stream }, start)
      if (failure !== null) return leave(context, connection, failure) as never
      const beginning = await connection.beginning
      // Nobody will ever take its body, and it must not keep its place for that.
      if (beginning.outcome !== 'streaming') connection.destroy()
      if (beginning.outcome === 'over') return context.body(null, 204) as never
      if (beginning.outcome === 'failed') return streamProblem(context, beginning.code) as never
      return context.body(connection.body, 200, {
        'content-type': 'text/event-stream; charset=utf-8',
        'x-accel-buffering': 'no',
      }) as never
    }

    const connection = new LongPoll(streams, visit, nowMs + wait * 1_000)
    const code = await enter(connection, credentials)
    if (code !== null) return streamProblem(context, code) as never
    whenGone(context.req.raw.signal, () => connection.finish())
    const failure = await subscribe({ connection, stream }, start, wait === 0)
    if (failure !== null) return leave(context, connection, failure) as never
    const answer = await connection.answer
    if (answer.outcome === 'over') return context.body(null, 204) as never
    if (answer.outcome === 'failed') return streamProblem(context, answer.code) as never
    const body = `{"frames":[${answer.frames.join(',')}],"cursor":${JSON.stringify(answer.cursor)}}`
    return context.body(body, 200, { 'content-type': 'application/json' }) as never
  })

  /** Null when it may stay. */
  async function enter(
    connection: EventStream | LongPoll,
    credentials: Parameters<typeof streams.door.admit>[0],
  ): Promise<StreamErrorCode | null> {
    if (!connection.seat.take('address', connection.visit.address)) return 'too_many'
    const refused = streams.enter(connection)
    if (refused !== null) {
      connection.seat.leaveAll()
      return refused
    }
    try {
      const judged = await streams.door.admit(credentials, connection.visit)
      const code = judged.outcome === 'refused' ? judged.code : await streams.join(connection, judged.admission)
      if (code === null && judged.outcome === 'admitted') connection.admission = judged.admission
      else streams.leave(connection)
      return code
    } catch (cause) {
      streams.leave(connection)
      throw cause
    }
  }

  /** Null when it has begun. */
  async function subscribe({ connection, stream }: Asked, start: StreamStart, isShort = false) {
    try {
      const subscription = await streams.subscribe(connection, { id: 0, stream })
      if (typeof subscription === 'string') return subscription
      // Whoever has gone meanwhile would never end it.
      if (!streams.has(connection)) return 'unavailable'
      connection.subscription = subscription
      // Not waited for: what it comes to is told to the connection.
      void subscription.begin(start).then(() => (isShort ? connection.destroy() : undefined))
      return null
    } catch {
      return 'unavailable'
    }
  }

  function leave(context: Context<RelayEnv>, connection: StreamConnection, code: StreamErrorCode): Response {
    connection.destroy()
    return streamProblem(context, code)
  }
}

/** Also for who went before anybody listened. */
function whenGone(signal: AbortSignal, end: () => void): void {
  if (signal.aborted) end()
  else signal.addEventListener('abort', end)
}
