import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import type { OpenedApp } from '../relay/app-book.ts'
import { type Relay, rotationOverlapMs } from '../relay/relay.ts'
import { isAdmin, isMerchant, type RelayEnv } from './auth.ts'
import { noSuchApp, unauthorised } from './problem.ts'

const appId = z.object({ appId: z.string() })
const schedule = z.array(z.int().min(0)).max(50).nullable()
const fallback = z.enum(['accept', 'reject'])
const changes = z.strictObject({
  targetUrl: z.string().max(2_000).optional(),
  isDisabled: z.boolean().optional(),
  scheduleMs: schedule.optional(),
  c2bFallback: fallback.optional(),
})
const creation = z.strictObject({
  targetUrl: z.string().max(2_000),
  scheduleMs: schedule.optional(),
  c2bFallback: fallback.optional(),
})
const rotation = z.strictObject({
  overlapMs: z
    .int()
    .min(0)
    .max(30 * 24 * 3_600_000)
    .optional(),
})

const view = z
  .object({
    appId: z.string(),
    sourceId: z.string(),
    hookUrl: z.string(),
    targetUrl: z.string(),
    isDisabled: z.boolean(),
    disabledReason: z.string().nullable(),
    scheduleMs: schedule,
    c2bFallback: fallback,
    createdAt: z.iso.datetime(),
  })
  .openapi('App')
const withSecrets = view.extend({ signingSecret: z.string(), streamSecret: z.string() }).openapi('AppWithSecrets')
const withSigningSecret = view.extend({ signingSecret: z.string() }).openapi('AppWithSigningSecret')

const json = <Schema extends z.ZodType>(schema: Schema) => ({ content: { 'application/json': { schema } } })
const answers = <Schema extends z.ZodType>(schema: Schema, status: 200 | 201, description: string) => ({
  [status]: { description, ...json(schema) },
  401: { description: 'Neither the operator nor the app.' },
  404: { description: 'There is no such app.' },
  422: { description: 'A field is unusable.' },
})

function viewApp({ app }: OpenedApp) {
  return {
    appId: app.appId,
    sourceId: app.sourceId,
    hookUrl: `/hooks/${app.appId}`,
    targetUrl: app.targetUrl,
    isDisabled: app.isDisabled,
    disabledReason: app.disabledReason,
    scheduleMs: app.scheduleMs === null ? null : [...app.scheduleMs],
    c2bFallback: app.c2bFallback,
    createdAt: app.createdAt.toISOString(),
  }
}

/** Apps: made by the operator, and read and changed by him or by whoever has the app's signing secret. */
export function addAppRoutes(server: OpenAPIHono<RelayEnv>, relay: Relay, adminToken: string | null): void {
  /** The app, if whoever asks may know it; else the answer. */
  async function openFor(context: Context<RelayEnv>, id: string): Promise<OpenedApp | Response> {
    const opened = await relay.apps.find(id)
    if (opened !== null && isMerchant(context, opened.secrets)) return opened
    if (!isAdmin(context, adminToken)) return unauthorised(context)
    return opened ?? noSuchApp(context)
  }

  server.openapi(
    createRoute({
      method: 'post',
      path: '/apps',
      summary: 'Makes an app. Its secrets are shown this once.',
      request: { body: json(creation) },
      responses: answers(withSecrets, 201, 'The app, with its secrets.'),
    }),
    async context => {
      if (!isAdmin(context, adminToken)) return unauthorised(context) as never
      const opened = await relay.createApp(context.req.valid('json'))
      const { signingSecret, streamSecret } = opened.secrets
      return context.json({ ...viewApp(opened), signingSecret, streamSecret }, 201)
    },
  )

  server.openapi(
    createRoute({
      method: 'get',
      path: '/apps/{appId}',
      summary: 'Shows an app, without its secrets.',
      request: { params: appId },
      responses: answers(view, 200, 'The app.'),
    }),
    async context => {
      const opened = await openFor(context, context.req.valid('param').appId)
      return opened instanceof Response ? (opened as never) : context.json(viewApp(opened), 200)
    },
  )

  server.openapi(
    createRoute({
      method: 'patch',
      path: '/apps/{appId}',
      summary: 'Changes where an app is delivered to, disables or enables it.',
      request: { params: appId, body: json(changes) },
      responses: answers(view, 200, 'The app as it is now.'),
    }),
    async context => {
      const { appId: id } = context.req.valid('param')
      // Never by the loopback socket alone: whoever may change a target sees every payment.
      const opened = await relay.apps.find(id)
      const isOperator = adminToken !== null && isAdmin(context, adminToken)
      if (!(opened !== null && isMerchant(context, opened.secrets)) && !isOperator)
        return unauthorised(context) as never
      const changed = await relay.updateApp(id, context.req.valid('json'))
      return changed === null ? (noSuchApp(context) as never) : context.json(viewApp(changed), 200)
    },
  )

  server.openapi(
    createRoute({
      method: 'post',
      path: '/apps/{appId}/rotate-signing-secret',
      summary: 'Gives an app a new signing secret; for a while deliveries are signed with both.',
      request: { params: appId, body: { ...json(rotation), required: false } },
      responses: answers(withSigningSecret, 200, 'The app, with its new signing secret.'),
    }),
    async context => {
      const opened = await openFor(context, context.req.valid('param').appId)
      if (opened instanceof Response) return opened as never
      const { overlapMs = rotationOverlapMs } = context.req.valid('json')
      const rotated = await relay.rotateSigningSecret(opened.app.appId, overlapMs)
      if (rotated === null) return noSuchApp(context) as never
      return context.json({ ...viewApp(rotated), signingSecret: rotated.secrets.signingSecret }, 200)
    },
  )
}
