import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Relay } from '../relay/relay.ts'
import type { Access } from './access.ts'
import type { RelayEnv } from './auth.ts'
import { nextOf, page } from './page.ts'
import { unauthorised } from './problem.ts'

const quarantined = z
  .object({
    id: z.string(),
    appId: z.string(),
    reason: z.string(),
    detail: z.string(),
    bodyBase64: z.string(),
    length: z.int(),
    receivedAt: z.iso.datetime(),
  })
  .openapi('QuarantinedBody')
const quarantinePage = z.object({ bodies: z.array(quarantined), next: z.string().nullable() }).openapi('QuarantinePage')

/** What came in and is nobody’s event. */
export function addQuarantineRoutes(server: OpenAPIHono<RelayEnv>, { storage }: Relay, access: Access): void {
  server.openapi(
    createRoute({
      method: 'get',
      path: '/v1/quarantine',
      summary: 'Bodies that are nobody’s event, newest first. For the operator.',
      request: { query: page },
      responses: {
        200: { description: 'A page.', content: { 'application/json': { schema: quarantinePage } } },
        401: { description: 'Not the operator.' },
      },
    }),
    async context => {
      if (!access.isOperator(context)) return unauthorised(context) as never
      const { before = null, limit: count } = context.req.valid('query')
      const bodies = await storage.listQuarantine(before, count)
      const views = bodies.map(({ body, receivedAt, ...rest }) => ({
        ...rest,
        bodyBase64: Buffer.from(body).toString('base64'),
        receivedAt: receivedAt.toISOString(),
      }))
      return context.json({ bodies: views, next: nextOf(bodies, count, ({ id }) => id) }, 200)
    },
  )
}
