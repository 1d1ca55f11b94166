import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi'
import { paymentStatuses } from '../../core/payment/payment.ts'
import { resultCodePattern } from '../../core/payment/result-code.ts'
import { aliasPrefix, parseStreamName } from '../../core/stream/stream-name.ts'
import type { Relay } from '../../relay/relay.ts'
import type { Access } from '../access.ts'
import type { RelayEnv } from '../auth.ts'
import { idText } from '../page.ts'

const common = {
  paymentId: z
    .string()
    .refine(
      id => parseStreamName(`payment:${id}`) !== null && !id.startsWith(aliasPrefix),
      `must be 1 to 64 letters, digits, - or _, and not begin with ${aliasPrefix}`,
    ),
  checkoutRequestId: idText.max(128).nullish(),
  amount: z.int().min(0).max(1_000_000_000).nullish(),
}
const pending = z.strictObject({ ...common, type: z.literal('payment.pending') })
const settled = z.strictObject({
  ...common,
  type: z.literal('payment.settled'),
  status: z.enum(paymentStatuses).exclude(['PENDING']),
  receipt: z
    .string()
    .regex(/^[A-Z0-9]{1,20}$/, 'is no receipt')
    .nullish(),
  resultCode: z.string().regex(resultCodePattern, 'is no code').nullish(),
})
const body = z.strictObject({
  appId: idText,
  events: z
    .array(z.discriminatedUnion('type', [pending, settled]))
    .min(1)
    .max(100),
})
const counts = z.object({ accepted: z.int(), repeats: z.int() }).openapi('ReportedEvents')

/** What a merchant's server says of its payments, for those who stream them. */
export function addReportRoutes(server: OpenAPIHono<RelayEnv>, relay: Relay, access: Access): void {
  server.openapi(
    createRoute({
      method: 'post',
      path: '/v1/events',
      summary: 'Reports payments to those who stream them; tells which payment the callbacks of a push belong to.',
      request: { body: { content: { 'application/json': { schema: body } }, required: true } },
      responses: {
        200: { description: 'How many were new.', content: { 'application/json': { schema: counts } } },
        401: { description: 'Neither the operator nor the app.' },
        404: { description: 'There is no such app.' },
        422: { description: 'A field is unusable.' },
      },
    }),
    async context => {
      const { appId, events } = context.req.valid('json')
      const opened = await access.openAppBySecret(context, appId)
      if (opened instanceof Response) return opened as never
      const accepted = await relay.report(
        opened.app.appId,
        events.map(event => ({
          type: event.type,
          paymentId: event.paymentId,
          checkoutRequestId: event.checkoutRequestId ?? null,
          amount: event.amount ?? null,
          status: event.type === 'payment.settled' ? event.status : 'PENDING',
          receipt: event.type === 'payment.settled' ? (event.receipt ?? null) : null,
          resultCode: event.type === 'payment.settled' ? (event.resultCode ?? null) : null,
        })),
      )
      return context.json({ accepted, repeats: events.length - accepted }, 200)
    },
  )
}
