import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { QuarantinedBody } from '../core/deliver/relay-event.ts'
import type { Relay } from '../relay/relay.ts'
import type { Access } from './access.ts'
import type { RelayEnv } from './auth.ts'
import { idText, nextOf, page } from './page.ts'
import { problem, unauthorised } from './problem.ts'

const about = z.object({
  id: z.string(),
  appId: z.string(),
  reason: z.string(),
  detail: z.string(),
  length: z.int(),
  receivedAt: z.iso.datetime(),
})
const listed = about.extend({ head: z.string() }).openapi('QuarantinedHead')
const whole = about.extend({ bodyBase64: z.string() }).openapi('QuarantinedBody')
const quarantinePage = z.object({ bodies: z.array(listed), next: z.string().nullable() }).openapi('QuarantinePage')
const released = z
  .object({ outcome: z.enum(['recorded', 'repeat']), appId: z.string(), eventId: z.string().nullable() })
  .openapi('Release')
const wanted = z.strictObject({ appId: idText.optional() })

const json = <Schema extends z.ZodType>(schema: Schema) => ({ content: { 'application/json': { schema } } })
const ofBody = z.object({ id: idText })
const refusals = { 401: { description: 'Not the operator.' }, 404: { description: 'There is no such thing.' } }

function viewAbout({ id, appId, reason, detail, length, receivedAt }: Omit<QuarantinedBody, 'body'>) {
  return { id, appId, reason, detail, length, receivedAt: receivedAt.toISOString() }
}

/** Its beginning on one line: what would move a cursor or turn a line around is left out. */
function printable(head: Uint8Array): string {
  return new TextDecoder()
    .decode(head)
    .replace(/[\p{C}\p{Z}]+/gu, ' ')
    .trim()
}

/** What came in and is nobody’s event. */
export function addQuarantineRoutes(server: OpenAPIHono<RelayEnv>, relay: Relay, access: Access): void {
  const { storage } = relay

  server.openapi(
    createRoute({
      method: 'get',
      path: '/v1/quarantine',
      summary: 'Bodies that are nobody’s event, newest first, by their beginnings. For the operator.',
      request: { query: page },
      responses: { 200: { description: 'A page.', ...json(quarantinePage) }, 401: refusals[401] },
    }),
    async context => {
      if (!access.isOperator(context)) return unauthorised(context) as never
      const { before = null, limit: count } = context.req.valid('query')
      const bodies = await storage.listQuarantine(before, count)
      const views = bodies.map(body => ({ ...viewAbout(body), head: printable(body.head) }))
      return context.json({ bodies: views, next: nextOf(bodies, count, ({ id }) => id) }, 200)
    },
  )

  server.openapi(
    createRoute({
      method: 'get',
      path: '/v1/quarantine/{id}',
      summary: 'One of them with its bytes, at most the first 256 KiB. For the operator.',
      request: { params: ofBody },
      responses: { 200: { description: 'The body.', ...json(whole) }, ...refusals },
    }),
    async context => {
      if (!access.isOperator(context)) return unauthorised(context) as never
      const found = await storage.findQuarantined(context.req.valid('param').id)
      if (found === null) return noSuchBody(context) as never
      return context.json({ ...viewAbout(found), bodyBase64: Buffer.from(found.body).toString('base64') }, 200)
    },
  )

  server.openapi(
    createRoute({
      method: 'post',
      path: '/v1/quarantine/{id}/release',
      summary: 'Makes it the event that it would be if it came in now, for the app that it came for or another.',
      request: { params: ofBody, body: { ...json(wanted), required: false } },
      responses: {
        200: { description: 'It is an event; `repeat`: the same had come before.', ...json(released) },
        422: { description: 'It is still nobody’s event, and stays.' },
        ...refusals,
      },
    }),
    async context => {
      if (!access.isOperator(context)) return unauthorised(context) as never
      const { appId = null } = wanted.parse(context.req.valid('json') ?? {})
      const found = await relay.release(context.req.valid('param').id, appId)
      if (found.outcome === 'absent') return noSuchBody(context) as never
      if (found.outcome !== 'stays') return context.json(found, 200)
      if (found.reason === 'unknown-app') {
        const message = `${found.detail}; name one that takes callbacks as appId`
        return problem(context, 404, 'MPESA_STK_RELAY_NOT_FOUND', message) as never
      }
      const why = found.reason === 'oversize' ? `of ${found.detail} only the beginning was kept` : found.detail
      return problem(
        context,
        422,
        'MPESA_STK_RELAY_NOT_RELEASED',
        `it is still nobody’s event, and stays in the quarantine: ${why}`,
      ) as never
    },
  )
}

const noSuchBody = (context: Context): Response =>
  problem(context, 404, 'MPESA_STK_RELAY_NOT_FOUND', 'there is no such body in the quarantine')
