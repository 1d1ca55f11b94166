import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import type { Context } from 'hono'
import { type DeliveryAttempt, deliveryStatuses, eventKinds, type RelayEvent } from '../core/deliver/relay-event.ts'
import type { Relay } from '../relay/relay.ts'
import type { Access } from './access.ts'
import type { RelayEnv } from './auth.ts'
import { idText, nextOf, page } from './page.ts'
import { bodyRemoved, noSuchApp, noSuchEvent, toldByMerchant } from './problem.ts'

/** Six are the schedule's; replays may add any number. */
const shownAttempts = 200

const status = z
  .object({
    eventId: z.string(),
    checkoutRequestId: z.string(),
    status: z.enum(deliveryStatuses),
    attemptCount: z.int(),
    deliveredAt: z.iso.datetime().nullable(),
    lastError: z.string().nullable(),
  })
  .openapi('Status')

export const event = z
  .object({
    eventId: z.string(),
    kind: z.enum(eventKinds),
    businessKey: z.string(),
    checkoutRequestId: z.string().nullable(),
    status: z.enum(deliveryStatuses),
    attemptCount: z.int(),
    copies: z.int(),
    contradicts: z.string().nullable(),
    receivedAt: z.iso.datetime(),
    dueAt: z.iso.datetime().nullable(),
    deliveredAt: z.iso.datetime().nullable(),
    lastError: z.string().nullable(),
  })
  .openapi('Event')

const attempt = z
  .object({
    number: z.int(),
    at: z.iso.datetime(),
    durationMs: z.int(),
    httpStatus: z.int().nullable(),
    errorClass: z.string().nullable(),
    responseHead: z.string(),
  })
  .openapi('Attempt')

const eventWithAttempts = event
  .extend({ body: z.unknown(), isBodyRemoved: z.boolean(), attempts: z.array(attempt) })
  .openapi('EventWithAttempts')
const eventPage = z.object({ events: z.array(event), next: z.string().nullable() }).openapi('EventPage')
const ok = <Schema extends z.ZodType>(schema: Schema, description: string) => ({
  200: { description, content: { 'application/json': { schema } } },
  401: { description: 'Neither the operator nor the app.' },
  404: { description: 'There is no such thing.' },
})

export function viewEvent(found: RelayEvent) {
  const { id, kind, businessKey, checkoutRequestId, attemptCount, copies, contradicts, lastError } = found
  return {
    eventId: id,
    kind,
    businessKey,
    checkoutRequestId,
    status: found.status,
    attemptCount,
    copies,
    contradicts,
    receivedAt: found.receivedAt.toISOString(),
    dueAt: found.dueAt?.toISOString() ?? null,
    deliveredAt: found.deliveredAt?.toISOString() ?? null,
    lastError,
  }
}

function viewAttempt({ number, at, durationMs, httpStatus, errorClass, responseHead }: DeliveryAttempt) {
  return { number, at: at.toISOString(), durationMs, httpStatus, errorClass, responseHead }
}

type StoredEvent = NonNullable<Awaited<ReturnType<Relay['storage']['findEvent']>>>

/** What happened to callbacks, for the operator and for whoever has the app's signing secret. */
export function addEventRoutes(server: OpenAPIHono<RelayEnv>, relay: Relay, access: Access): void {
  const { storage } = relay

  /** The event, if whoever asks may know it; else the answer. Who may not does not learn whether it is there. */
  async function openEvent(context: Context<RelayEnv>, eventId: string): Promise<StoredEvent | Response> {
    const found = await storage.findEvent(eventId)
    return (await access.refuse(context, found?.event.appId ?? '')) ?? found ?? noSuchEvent(context)
  }

  server.openapi(
    createRoute({
      method: 'get',
      path: '/status/{checkoutRequestId}',
      summary: 'How the delivery of a push’s newest callback stands. Whoever knows the app id may ask.',
      request: { params: z.object({ checkoutRequestId: idText }), query: z.object({ app_id: idText }) },
      responses: ok(status, 'How it stands.'),
    }),
    async context => {
      const { checkoutRequestId } = context.req.valid('param')
      const found = await storage.findEventOfPush(context.req.valid('query').app_id, checkoutRequestId)
      if (found === null) return noSuchEvent(context) as never
      const { id: eventId, attemptCount, deliveredAt, lastError } = found
      return context.json(
        {
          eventId,
          checkoutRequestId,
          status: found.status,
          attemptCount,
          deliveredAt: deliveredAt?.toISOString() ?? null,
          lastError,
        },
        200,
      )
    },
  )

  server.openapi(
    createRoute({
      method: 'get',
      path: '/v1/apps/{appId}/events',
      summary: 'Events of an app, newest first.',
      request: {
        params: z.object({ appId: idText }),
        query: page.extend({
          status: z.enum(deliveryStatuses).optional(),
          kind: z.enum(eventKinds).optional(),
          from: z.iso.datetime().optional(),
          to: z.iso.datetime().optional(),
        }),
      },
      responses: ok(eventPage, 'A page; `next` is the `before` of the following one.'),
    }),
    async context => {
      const { appId } = context.req.valid('param')
      const refused = await access.refuse(context, appId)
      if (refused !== null) return refused as never
      const { from, to, limit: count, ...filter } = context.req.valid('query')
      const times = { ...(from && { from: new Date(from) }), ...(to && { to: new Date(to) }) }
      const wanted = Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
      const events = await storage.listEvents(appId, { ...wanted, ...times }, count)
      // Of a deleted app the events stay; an id of which there is neither was mistyped.
      if (events.length === 0 && (await relay.apps.find(appId)) === null) return noSuchApp(context) as never
      return context.json({ events: events.map(viewEvent), next: nextOf(events, count, ({ id }) => id) }, 200)
    },
  )

  server.openapi(
    createRoute({
      method: 'get',
      path: '/v1/events/{eventId}',
      summary: 'An event with its body and its newest 200 attempts.',
      request: { params: z.object({ eventId: idText }) },
      responses: ok(eventWithAttempts, 'The event.'),
    }),
    async context => {
      const { eventId } = context.req.valid('param')
      const found = await openEvent(context, eventId)
      if (found instanceof Response) return found as never
      const attempts = await storage.listAttempts(eventId, shownAttempts)
      const isBodyRemoved = found.body === null
      const body: unknown = found.body === null ? null : JSON.parse(new TextDecoder().decode(found.body))
      return context.json({ ...viewEvent(found.event), body, isBodyRemoved, attempts: attempts.map(viewAttempt) }, 200)
    },
  )

  server.openapi(
    createRoute({
      method: 'post',
      path: '/v1/events/{eventId}/replay',
      summary: 'Delivers an event again: the same event id, a new attempt, the whole schedule.',
      request: { params: z.object({ eventId: idText }) },
      responses: {
        ...ok(z.object({ replayed: z.int() }), 'It is due now.'),
        409: { description: 'Its body has been removed.' },
        422: { description: 'The merchant’s server itself said it: it is delivered to nobody.' },
      },
    }),
    async context => {
      const { eventId } = context.req.valid('param')
      const found = await openEvent(context, eventId)
      if (found instanceof Response) return found as never
      if (found.event.kind === 'lifecycle') return toldByMerchant(context) as never
      const replayed = await relay.replayEvent(eventId)
      if (replayed === 0) {
        // With its body it would have been replayed.
        return ((await storage.findEvent(eventId)) === null ? noSuchEvent(context) : bodyRemoved(context)) as never
      }
      return context.json({ replayed }, 200)
    },
  )
}
