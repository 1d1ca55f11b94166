import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { deliveredKinds } from '../core/deliver/relay-event.ts'
import { type ReplayRun, replayableStatuses, replayStates } from '../core/deliver/replay-run.ts'
import type { Relay } from '../relay/relay.ts'
import type { Access } from './access.ts'
import type { RelayEnv } from './auth.ts'
import { idText } from './page.ts'
import { problem } from './problem.ts'

const wanted = z.strictObject({
  status: z.enum(replayableStatuses).default('DEAD'),
  kind: z.enum(deliveredKinds).nullable().default(null),
  from: z.iso.datetime().nullable().default(null),
  to: z.iso.datetime().nullable().default(null),
  perSecond: z.int().min(1).max(1_000).default(50),
  dryRun: z.boolean().default(false),
})

const replay = z
  .object({
    replayId: z.string(),
    state: z.enum(replayStates),
    status: z.enum(replayableStatuses),
    kind: z.enum(deliveredKinds).nullable(),
    from: z.iso.datetime().nullable(),
    to: z.iso.datetime().nullable(),
    perSecond: z.int(),
    matched: z.int(),
    replayed: z.int(),
    createdAt: z.iso.datetime(),
    endedAt: z.iso.datetime().nullable(),
  })
  .openapi('Replay')
const dryRun = z.object({ matched: z.int() }).openapi('ReplayDryRun')

const json = <Schema extends z.ZodType>(schema: Schema) => ({ content: { 'application/json': { schema } } })
const refusals = {
  401: { description: 'Neither the operator nor the app.' },
  404: { description: 'There is no such thing.' },
}
const ofApp = z.object({ appId: idText })
const ofReplay = ofApp.extend({ replayId: idText })

function viewReplay({ id, state, filter, perSecond, matched, replayed, createdAt, endedAt }: ReplayRun) {
  return {
    replayId: id,
    state,
    status: filter.status,
    kind: filter.kind,
    from: filter.from?.toISOString() ?? null,
    to: filter.to?.toISOString() ?? null,
    perSecond,
    matched,
    replayed,
    createdAt: createdAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  }
}

/** Replays of many events: first as a dry run, then at a pace, watched and cancelled while they go on. */
export function addReplayRoutes(server: OpenAPIHono<RelayEnv>, relay: Relay, access: Access): void {
  const { storage } = relay

  async function openReplay(context: Context<RelayEnv>, appId: string, id: string): Promise<ReplayRun | Response> {
    const refused = await access.refuse(context, appId)
    if (refused !== null) return refused
    const run = await storage.findReplay(id)
    if (run !== null && run.appId === appId) return run
    return problem(context, 404, 'MPESA_STK_RELAY_NOT_FOUND', 'this app has no such replay')
  }

  server.openapi(
    createRoute({
      method: 'post',
      path: '/v1/apps/{appId}/replay',
      summary: 'Delivers many events again, by default the dead ones, at most `perSecond` a second.',
      request: { params: ofApp, body: { ...json(wanted), required: false } },
      responses: {
        200: { description: 'A dry run: how many there would be.', ...json(dryRun) },
        202: { description: 'It has begun.', ...json(replay) },
        ...refusals,
      },
    }),
    async context => {
      const { appId } = context.req.valid('param')
      const opened = await access.openApp(context, appId)
      if (opened instanceof Response) return opened as never
      // Without a body there was nothing to validate, and nothing has its default.
      const { status, kind, perSecond, dryRun: isDryRun, ...times } = wanted.parse(context.req.valid('json') ?? {})
      const at = (time: string | null): Date | null => (time === null ? null : new Date(time))
      const filter = { status, kind, from: at(times.from), to: at(times.to) }
      if (isDryRun) return context.json({ matched: await storage.countReplayable(appId, filter) }, 200)
      return context.json(viewReplay(await relay.startReplay(appId, filter, perSecond)), 202)
    },
  )

  server.openapi(
    createRoute({
      method: 'get',
      path: '/v1/apps/{appId}/replays',
      summary: 'The newest 50 replays of an app.',
      request: { params: ofApp },
      responses: {
        200: { description: 'Newest first.', ...json(z.object({ replays: z.array(replay) })) },
        ...refusals,
      },
    }),
    async context => {
      const { appId } = context.req.valid('param')
      const refused = await access.refuse(context, appId)
      if (refused !== null) return refused as never
      return context.json({ replays: (await storage.listReplays(appId, 50)).map(viewReplay) }, 200)
    },
  )

  server.openapi(
    createRoute({
      method: 'get',
      path: '/v1/apps/{appId}/replays/{replayId}',
      summary: 'How far a replay has come.',
      request: { params: ofReplay },
      responses: { 200: { description: 'The replay.', ...json(replay) }, ...refusals },
    }),
    async context => {
      const { appId, replayId } = context.req.valid('param')
      const run = await openReplay(context, appId, replayId)
      return run instanceof Response ? (run as never) : context.json(viewReplay(run), 200)
    },
  )

  server.openapi(
    createRoute({
      method: 'post',
      path: '/v1/apps/{appId}/replays/{replayId}/cancel',
      summary: 'Stops a replay. What it has made due already is delivered.',
      request: { params: ofReplay },
      responses: { 200: { description: 'The replay as it is now.', ...json(replay) }, ...refusals },
    }),
    async context => {
      const { appId, replayId } = context.req.valid('param')
      const run = await openReplay(context, appId, replayId)
      if (run instanceof Response) return run as never
      await storage.cancelReplay(replayId, new Date())
      return context.json(viewReplay((await storage.findReplay(replayId)) ?? run), 200)
    },
  )
}
