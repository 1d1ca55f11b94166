import type { Span } from '@opentelemetry/api'
import type { Context, Hono } from 'hono'
import type { IntakeOutcome } from '../relay/intake.ts'
import type { ReceivedBody } from '../relay/received-body.ts'
import type { Relay } from '../relay/relay.ts'
import { traceParentOf } from '../telemetry/trace.ts'
import type { NodeBindings, RelayEnv } from './auth.ts'
import type { RelayMetrics } from './metrics.ts'
import { problem } from './problem.ts'
import { readRawBody } from './raw-body.ts'
import { judgeSource } from './request-source.ts'
import { traced } from './traced-hook.ts'

/** What Safaricom wants to hear. */
const acknowledgement = { ResultCode: 0, ResultDesc: 'Success' }

/**
 * Where Safaricom posts. Whatever it is, it is answered 200 once it is kept, and only then: what is acknowledged survives
 * `kill -9`.
 */
export function addHookRoutes(app: Hono<RelayEnv>, relay: Relay, metrics: RelayMetrics, begin: () => void): void {
  /** What came in, or the answer where nothing did. */
  async function read(context: Context<RelayEnv>, span: Span | null): Promise<ReceivedBody | Response> {
    begin()
    const { appId = '', token = null } = context.req.param() as { appId?: string; token?: string }
    const incoming = (context.env as NodeBindings | undefined)?.incoming
    const raw = await readRawBody(context.req.raw, incoming)
    if (raw.outcome === 'consumed') {
      return problem(
        context,
        500,
        'MPESA_STK_RELAY_BODY_CONSUMED',
        'a body parser left nothing to read: mount the relay before it, or keep the bytes as req.rawBody',
      )
    }
    const { body, length } = raw
    return {
      appId: plainId(appId),
      token: token === null ? null : plainId(token),
      body,
      length,
      receivedAt: new Date(),
      unknownSource: judgeSource(context, relay.sources),
      traceParent: span === null ? null : traceParentOf(span),
    }
  }

  const take = async (context: Context<RelayEnv>, span: Span | null): Promise<Response> => {
    const began = performance.now()
    const received = await read(context, span)
    if (received instanceof Response) return received
    const outcome = await relay.receive(received)
    metrics.received(outcome, performance.now() - began)
    span?.setAttribute('mpesa_stk.outcome', outcome.outcome)
    return acknowledge(context, outcome)
  }

  /** The one hook whose answer decides something: whether a customer may pay. */
  const validate = async (context: Context<RelayEnv>, span: Span | null): Promise<Response> => {
    const received = await read(context, span)
    return received instanceof Response ? received : context.json(await relay.validate(received))
  }

  const hooks = {
    '/hooks/:appId': take,
    '/hooks/:appId/t/:token': take,
    '/hooks/:appId/c2b/confirmation': take,
    '/hooks/:appId/c2b/validation': validate,
  }
  for (const [route, hook] of Object.entries(hooks)) app.post(route, traced(route, relay, hook))
}

/** A path may decode to anything, and a database refuses some of it: what is no id of ours is nobody's. */
function plainId(text: string): string {
  return /^[\x21-\x7e]{1,200}$/.test(text) ? text : '?'
}

function acknowledge(context: Context<RelayEnv>, outcome: IntakeOutcome): Response {
  if (outcome.outcome === 'refused') {
    return problem(context, 503, 'MPESA_STK_RELAY_FULL', 'neither the store nor the local disk took the callback')
  }
  return context.json(acknowledgement)
}
