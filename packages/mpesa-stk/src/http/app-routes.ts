import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { appMark } from '../core/deliver/app-mark.ts'
import { appReceives, type RelayApp } from '../core/deliver/relay-app.ts'
import { rotationOverlapMs } from '../relay/app-register.ts'
import type { Relay } from '../relay/relay.ts'
import type { Access } from './access.ts'
import type { RelayEnv } from './auth.ts'
import { idText, nextOf, page } from './page.ts'
import { noSuchApp, unauthorised } from './problem.ts'

export const ofApp = z.object({ appId: idText })
const schedule = z.array(z.int().min(0)).max(50).nullable()
const fallback = z.enum(['accept', 'reject'])
const dailyQuota = z.int().min(1).nullable()
const streamSettings = {
  publicStreams: z.boolean().optional(),
  allowedOrigins: z.array(z.string().max(300)).max(20).nullable().optional(),
}
const changes = z.strictObject({
  targetUrl: z.string().max(2_000).optional(),
  isDisabled: z.boolean().optional(),
  scheduleMs: schedule.optional(),
  c2bFallback: fallback.optional(),
  dailyQuota: dailyQuota.optional(),
  ...streamSettings,
})
const creation = z.strictObject({
  targetUrl: z.string().max(2_000),
  scheduleMs: schedule.optional(),
  c2bFallback: fallback.optional(),
  dailyQuota: dailyQuota.optional(),
  receives: z.enum(appReceives).optional(),
  ...streamSettings,
})
const rotation = z.strictObject({
  overlapMs: z
    .int()
    .min(0)
    .max(30 * 24 * 3_600_000)
    .optional(),
})

export const viewedApp = z
  .object({
    appId: z.string(),
    sourceId: z.string(),
    logMark: z.string(),
    hookUrl: z.string(),
    targetUrl: z.string(),
    isDisabled: z.boolean(),
    disabledReason: z.string().nullable(),
    scheduleMs: schedule,
    c2bFallback: fallback,
    dailyQuota,
    receives: z.enum(appReceives),
    publicStreams: z.boolean(),
    allowedOrigins: z.array(z.string()).nullable(),
    createdAt: z.iso.datetime(),
  })
  .openapi('App')
const viewOfDay = viewedApp.extend({ eventsToday: z.int(), isOverQuota: z.boolean() }).openapi('AppOfDay', {
  description: 'Over its quota an app is stored for and delivered to as ever; its log is not read.',
})
const appPage = z.object({ apps: z.array(viewedApp), next: z.string().nullable() }).openapi('AppPage')
const withSecrets = viewedApp.extend({ signingSecret: z.string(), streamSecret: z.string() }).openapi('AppWithSecrets')
const withSigningSecret = viewedApp.extend({ signingSecret: z.string() }).openapi('AppWithSigningSecret')

const json = <Schema extends z.ZodType>(schema: Schema) => ({ content: { 'application/json': { schema } } })
export const answers = <Schema extends z.ZodType>(schema: Schema, status: 200 | 201, description: string) => ({
  [status]: { description, ...json(schema) },
  401: { description: 'Neither the operator nor the app.' },
  404: { description: 'There is no such app.' },
  422: { description: 'A field is unusable.' },
})

export function viewApp(app: RelayApp) {
  return {
    appId: app.appId,
    sourceId: app.sourceId,
    logMark: appMark(app.appId),
    hookUrl: `/hooks/${app.appId}`,
    targetUrl: app.targetUrl,
    isDisabled: app.isDisabled,
    disabledReason: app.disabledReason,
    scheduleMs: app.scheduleMs === null ? null : [...app.scheduleMs],
    c2bFallback: app.c2bFallback,
    dailyQuota: app.dailyQuota,
    receives: app.receives,
    publicStreams: app.publicStreams,
    allowedOrigins: app.allowedOrigins === null ? null : [...app.allowedOrigins],
    createdAt: app.createdAt.toISOString(),
  }
}

/** Apps: made by the operator, and read and changed by him or by whoever has the app's signing secret. */
export function addAppRoutes(server: OpenAPIHono<RelayEnv>, { register, storage, log }: Relay, access: Access): void {
  server.openapi(
    createRoute({
      method: 'post',
      path: '/apps',
      summary: 'Makes an app. Its secrets are shown this once.',
      request: { body: json(creation) },
      responses: answers(withSecrets, 201, 'The app, with its secrets.'),
    }),
    async context => {
      if (!access.isOperator(context)) return unauthorised(context) as never
      const opened = await register.create(context.req.valid('json'))
      const { signingSecret, streamSecret } = opened.secrets
      return context.json({ ...viewApp(opened.app), signingSecret, streamSecret }, 201)
    },
  )

  server.openapi(
    createRoute({
      method: 'get',
      path: '/apps',
      summary: 'Apps, newest first, without their secrets. For the operator.',
      request: { query: page },
      responses: answers(appPage, 200, 'A page; `next` is the `before` of the following one.'),
    }),
    async context => {
      if (!access.isOperator(context)) return unauthorised(context) as never
      const { before = null, limit } = context.req.valid('query')
      const apps = await storage.listApps(before, limit)
      return context.json({ apps: apps.map(viewApp), next: nextOf(apps, limit, ({ appId: id }) => id) }, 200)
    },
  )

  server.openapi(
    createRoute({
      method: 'delete',
      path: '/apps/{appId}',
      summary:
        'Deletes an app and its secrets. Its events stay; those that were not delivered are dead when they are next due.',
      request: { params: ofApp },
      responses: answers(viewedApp, 200, 'The app as it was.'),
    }),
    async context => {
      const opened = await access.openAppBySecret(context, context.req.valid('param').appId)
      if (opened instanceof Response) return opened as never
      await register.delete(opened.app.appId)
      return context.json(viewApp(opened.app), 200)
    },
  )

  server.openapi(
    createRoute({
      method: 'get',
      path: '/apps/{appId}',
      summary: 'Shows an app, without its secrets.',
      request: { params: ofApp },
      responses: answers(viewOfDay, 200, 'The app.'),
    }),
    async context => {
      const opened = await access.openApp(context, context.req.valid('param').appId)
      if (opened instanceof Response) return opened as never
      const { usedToday, isOver } = await log.quotaOf(opened.app)
      return context.json({ ...viewApp(opened.app), eventsToday: usedToday, isOverQuota: isOver }, 200)
    },
  )

  server.openapi(
    createRoute({
      method: 'patch',
      path: '/apps/{appId}',
      summary: 'Changes where an app is delivered to, disables or enables it.',
      request: { params: ofApp, body: json(changes) },
      responses: answers(viewedApp, 200, 'The app as it is now.'),
    }),
    async context => {
      const opened = await access.openAppBySecret(context, context.req.valid('param').appId)
      if (opened instanceof Response) return opened as never
      const wanted = context.req.valid('json')
      // It protects the operator from the merchant.
      if (wanted.dailyQuota !== undefined && !access.isOperator(context)) return unauthorised(context) as never
      const changed = await register.update(opened.app.appId, wanted)
      return changed === null ? (noSuchApp(context) as never) : context.json(viewApp(changed.app), 200)
    },
  )

  server.openapi(
    createRoute({
      method: 'post',
      path: '/apps/{appId}/rotate-signing-secret',
      summary: 'Gives an app a new signing secret; for a while deliveries are signed with both.',
      request: { params: ofApp, body: { ...json(rotation), required: false } },
      responses: answers(withSigningSecret, 200, 'The app, with its new signing secret.'),
    }),
    async context => {
      const opened = await access.openAppBySecret(context, context.req.valid('param').appId)
      if (opened instanceof Response) return opened as never
      const { overlapMs = rotationOverlapMs } = context.req.valid('json')
      const rotated = await register.rotateSigningSecret(opened.app.appId, overlapMs)
      if (rotated === null) return noSuchApp(context) as never
      return context.json({ ...viewApp(rotated.app), signingSecret: rotated.secrets.signingSecret }, 200)
    },
  )
}
