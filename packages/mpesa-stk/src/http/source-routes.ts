import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Relay } from '../relay/relay.ts'
import { sourceAllowListModes } from '../relay/source-settings.ts'
import type { Access } from './access.ts'
import type { RelayEnv } from './auth.ts'
import { unauthorised } from './problem.ts'

const source = z
  .object({
    address: z
      .string()
      .openapi({ description: '`other`: those before the last thousand. `unknown`: nobody can tell.' }),
    isKnown: z.boolean().openapi({ description: 'Whether it is taken for Safaricom’s.' }),
    listing: z
      .enum(['operator', 'documented', 'observed', 'unverified'])
      .nullable()
      .openapi({ description: 'Who says that it is Safaricom’s: you, or a list, and how well that is known.' }),
    callbacks: z.int(),
    firstSeenAt: z.iso.datetime(),
    lastSeenAt: z.iso.datetime(),
  })
  .openapi('Source')
const sourceList = z.object({ mode: z.enum(sourceAllowListModes), sources: z.array(source) }).openapi('SourceList')

/** Where callbacks come from. */
export function addSourceRoutes(server: OpenAPIHono<RelayEnv>, { sources }: Relay, access: Access): void {
  server.openapi(
    createRoute({
      method: 'get',
      path: '/v1/sources',
      summary: 'Where callbacks came from since this process began, the known before the unknown. For the operator.',
      responses: {
        200: { description: 'All of them.', content: { 'application/json': { schema: sourceList } } },
        401: { description: 'Not the operator.' },
      },
    }),
    context => {
      if (!access.isOperator(context)) return unauthorised(context) as never
      const views = sources.list().map(({ firstSeenAt, lastSeenAt, ...rest }) => ({
        ...rest,
        firstSeenAt: firstSeenAt.toISOString(),
        lastSeenAt: lastSeenAt.toISOString(),
      }))
      return context.json({ mode: sources.mode, sources: views }, 200)
    },
  )
}
