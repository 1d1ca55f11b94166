import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { formatCursor, logBeginning, parseCursor } from '../core/deliver/event-log.ts'
import { prepareDelivery } from '../core/deliver/prepare-delivery.ts'
import type { RelayEvent } from '../core/deliver/relay-event.ts'
import type { Clock } from '../core/ports.ts'
import type { OpenedApp } from '../relay/app-book.ts'
import type { Relay } from '../relay/relay.ts'
import type { Access } from './access.ts'
import type { RelayEnv } from './auth.ts'
import { event, viewEvent } from './event-routes.ts'
import { idText } from './page.ts'
import { problem } from './problem.ts'

/** Below what proxies cut off. */
const longestWaitMs = 25_000

/** Their bodies are in memory at once, and are signed while everybody else waits. */
const mostDeliveries = 50
const mostDeliveredBytes = 512 * 1024

const query = z.object({
  after: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(100),
  waitMs: z.coerce.number().int().min(0).max(longestWaitMs).default(0),
  deliveries: z.enum(['1']).optional(),
})
const delivery = z.object({ headers: z.record(z.string(), z.string()), bodyBase64: z.string() })
const entry = z.object({ cursor: z.string(), event, delivery: delivery.optional() }).openapi('LogEntry')
const logPage = z.object({ entries: z.array(entry), cursor: z.string(), gap: z.boolean() }).openapi('LogPage')

/** An app's events in the order in which they were committed, to be followed. */
export function addLogRoutes(server: OpenAPIHono<RelayEnv>, relay: Relay, access: Access, clock: Clock): void {
  server.openapi(
    createRoute({
      method: 'get',
      path: '/v1/apps/{appId}/log',
      summary: 'Events of an app in the order in which they were committed, to be followed by a cursor.',
      description:
        '`after` is the `cursor` of the answer before; without it the log is read from its beginning, and `latest` begins with what comes from now on. `waitMs` waits for the first event where there is none. `deliveries=1` adds each as it is delivered, signed, and leaves out what is not: `lifecycle`. `gap`: something before the first entry cannot be read any more.',
      request: { params: z.object({ appId: idText }), query },
      responses: {
        200: { description: 'A page.', content: { 'application/json': { schema: logPage } } },
        401: { description: 'Neither the operator nor the app.' },
        404: { description: 'There is no such app.' },
        422: { description: '`after` is no cursor.' },
        429: { description: 'The app is over its quota of today.' },
      },
    }),
    async context => {
      const opened = await access.openApp(context, context.req.valid('param').appId)
      if (opened instanceof Response) return opened as never
      const { after, limit, waitMs, deliveries } = context.req.valid('query')
      const { appId } = opened.app
      if ((await relay.log.quotaOf(opened.app)).isOver) return overQuota(context) as never
      if (after === 'latest') {
        return context.json({ entries: [], cursor: formatCursor(await relay.log.headOf(appId)), gap: false }, 200)
      }
      const cursor = after === undefined ? logBeginning : parseCursor(after)
      if (cursor === null) return noCursor(context) as never
      const withBodies = deliveries === '1'
      const page = await relay.log.read(appId, cursor, {
        limit: withBodies ? Math.min(limit, mostDeliveries) : limit,
        waitMs,
        withBodies,
        signal: context.req.raw.signal,
      })
      const read = firstOf(page.entries, mostDeliveredBytes)
      // What a merchant's server said is not delivered to it.
      const wanted = withBodies ? read.filter(each => each.event.kind !== 'lifecycle') : read
      const entries = wanted.map(each => ({
        cursor: each.cursor,
        event: viewEvent(each.event),
        ...(each.body !== null && { delivery: deliver(each.event, each.body, opened, clock.now()) }),
      }))
      return context.json({ entries, cursor: read.at(-1)?.cursor ?? page.cursor, gap: page.isGap }, 200)
    },
  )
}

/** The first, and as many more as have no more bytes together. */
function firstOf<Entry extends { readonly body: Uint8Array | null }>(entries: readonly Entry[], mostBytes: number) {
  let bytes = 0
  return entries.filter(({ body }, index) => {
    bytes += body?.length ?? 0
    return index === 0 || bytes <= mostBytes
  })
}

/** As it would be delivered now. */
function deliver(found: RelayEvent, raw: Uint8Array, { app, secrets }: OpenedApp, at: Date) {
  const { headers, body } = prepareDelivery({ ...found, body: raw }, app, secrets, at, found.kind)
  return { headers: { ...headers }, bodyBase64: Buffer.from(body).toString('base64') }
}

const overQuota = (context: Context): Response =>
  problem(
    context,
    429,
    'MPESA_STK_RELAY_OVER_QUOTA',
    'the app took more events today than its quota: they are stored and delivered, and its log is read again tomorrow, or when dailyQuota is raised',
  )

const noCursor = (context: Context): Response =>
  problem(context, 422, 'MPESA_STK_RELAY_REQUEST_INVALID', 'after: is no cursor of an answer before, nor `latest`')
