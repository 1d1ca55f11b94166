import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Relay } from '../relay/relay.ts'
import type { Access } from './access.ts'
import { answers, ofApp, viewApp, viewedApp } from './app-routes.ts'
import type { RelayEnv } from './auth.ts'
import { noSuchApp } from './problem.ts'

const withStreamSecret = viewedApp.extend({ streamSecret: z.string() }).openapi('AppWithStreamSecret')
const cleared = z.object({ cleared: z.boolean() }).openapi('StreamCleared')

/** What a merchant does with the streams of his app as a whole. */
export function addAppStreamRoutes(server: OpenAPIHono<RelayEnv>, { register, streams }: Relay, access: Access): void {
  server.openapi(
    createRoute({
      method: 'post',
      path: '/apps/{appId}/rotate-stream-secret',
      summary: 'Gives an app a new stream secret; the old one is good no more.',
      request: { params: ofApp },
      responses: answers(withStreamSecret, 200, 'The app, with its new stream secret.'),
    }),
    async context => {
      const opened = await access.openAppBySecret(context, context.req.valid('param').appId)
      if (opened instanceof Response) return opened as never
      const rotated = await register.rotateStreamSecret(opened.app.appId)
      if (rotated === null) return noSuchApp(context) as never
      return context.json({ ...viewApp(rotated.app), streamSecret: rotated.secrets.streamSecret }, 200)
    },
  )

  server.openapi(
    createRoute({
      method: 'post',
      path: '/v1/apps/{appId}/stream/clear',
      summary: 'Nothing that happened until now is streamed any more; events, log and deliveries are as they were.',
      request: { params: ofApp },
      responses: answers(cleared, 200, 'Whether there was anything.'),
    }),
    async context => {
      const opened = await access.openAppBySecret(context, context.req.valid('param').appId)
      if (opened instanceof Response) return opened as never
      return context.json({ cleared: await streams.clear(opened.app.appId) }, 200)
    },
  )
}
