import { randomUUID } from 'node:crypto'
import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Clock } from '../../core/ports.ts'
import { streamActions } from '../../core/stream/stream-grant.ts'
import { aliasPrefix, parseStreamName } from '../../core/stream/stream-name.ts'
import type { Relay } from '../../relay/relay.ts'
import { longestToken } from '../../relay/streams/stream-tokens.ts'
import type { Access } from '../access.ts'
import type { RelayEnv } from '../auth.ts'
import { idText } from '../page.ts'
import { problem } from '../problem.ts'

const mostStreams = 20
const longestTtlS = 900
/** An opaque name is Safaricom's id of a push to us alone: only with that id a token can have it. */
const streamName = z
  .string()
  .refine(
    name => parseStreamName(name) !== null && !name.startsWith(`payment:${aliasPrefix}`),
    'is no name of a stream: `source`, or `payment:<paymentId>`; of a payment that was not reported give the checkoutRequestId',
  )
const subject = z.string().min(1).max(128)
const wish = z
  .strictObject({
    appId: idText,
    streams: z.array(streamName).max(mostStreams).default([]),
    checkoutRequestIds: z.array(idText.max(128)).max(mostStreams).default([]),
    actions: z.array(z.enum(streamActions)).max(streamActions.length).default(['read']),
    subject: subject.nullable().default(null),
    ttlSeconds: z.int().min(300).max(longestTtlS).default(600),
  })
  .refine(
    ({ streams, checkoutRequestIds }) => {
      const count = streams.length + checkoutRequestIds.length
      return count > 0 && count <= mostStreams
    },
    { path: ['streams'], message: `name 1 to ${mostStreams} streams` },
  )
const minted = z
  .object({
    token: z.string(),
    ttlMs: z.int(),
    tokenId: z.string(),
    streams: z.array(z.string()),
    sourceId: z.string(),
  })
  .openapi('PageToken')
const revocation = z
  .strictObject({ appId: idText, tokenId: idText.optional(), subject: subject.optional() })
  .refine(({ tokenId, subject: whose }) => (tokenId === undefined) !== (whose === undefined), {
    path: ['tokenId'],
    message: 'give a tokenId or a subject',
  })

const json = <Schema extends z.ZodType>(schema: Schema) => ({ content: { 'application/json': { schema } } })
const problems = {
  401: { description: 'Neither the operator nor the app.' },
  404: { description: 'There is no such app.' },
  422: { description: 'A field is unusable.' },
}

/** Tokens for pages: made and taken back by the merchant's server. */
export function addTokenRoutes(
  server: OpenAPIHono<RelayEnv>,
  { streams: hub }: Relay,
  access: Access,
  clock: Clock,
): void {
  server.openapi(
    createRoute({
      method: 'post',
      path: '/v1/tokens',
      summary: 'Makes a token with which a page may read streams.',
      request: { body: { ...json(wish), required: true } },
      responses: { 201: { description: 'The token.', ...json(minted) }, ...problems },
    }),
    async context => {
      const { appId, ...wanted } = context.req.valid('json')
      const opened = await access.openAppBySecret(context, appId)
      if (opened instanceof Response) return opened as never
      const { sourceId } = opened.app
      const tokenId = randomUUID()
      const made = await hub.tokens.mint({ ...wanted, sourceId }, tokenId)
      if (made.outcome === 'too-long') {
        const message = `streams: the token would be over ${longestToken} characters, and nobody could send it. Name fewer streams, or shorter ones, or mint a second token`
        return problem(context, 422, 'MPESA_STK_RELAY_REQUEST_INVALID', message) as never
      }
      const { token, streams } = made
      return context.json({ token, ttlMs: wanted.ttlSeconds * 1_000, tokenId, streams: [...streams], sourceId }, 201)
    },
  )

  server.openapi(
    createRoute({
      method: 'post',
      path: '/v1/tokens/revoke',
      summary: 'Takes back a token, or all of a subject: connections that hold them end within two seconds.',
      request: { body: { ...json(revocation), required: true } },
      responses: { 200: { description: 'Taken back.', ...json(z.object({ revoked: z.literal(true) })) }, ...problems },
    }),
    async context => {
      const { appId, tokenId = null, subject: whose = null } = context.req.valid('json')
      const opened = await access.openAppBySecret(context, appId)
      if (opened instanceof Response) return opened as never
      const at = clock.now()
      const keepUntil = new Date(at.getTime() + longestTtlS * 1_000)
      await hub.revoke(opened.app.appId, { tokenId, subject: whose, at, keepUntil })
      return context.json({ revoked: true as const }, 200)
    },
  )
}
