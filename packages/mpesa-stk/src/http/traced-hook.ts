import type { Span } from '@opentelemetry/api'
import type { Context } from 'hono'
import type { Relay } from '../relay/relay.ts'
import { endReceive, startReceive } from '../telemetry/relay-spans.ts'
import { isTracing, withinSpan } from '../telemetry/trace.ts'
import type { RelayEnv } from './auth.ts'
import { traceParentFrom } from './request-source.ts'

type Hook = (context: Context<RelayEnv>, span: Span | null) => Promise<Response>

/** A hook whose requests are spans. What they name as their trace is continued only where a trusted proxy sent it. */
export function traced(route: string, relay: Relay, hook: Hook): (context: Context<RelayEnv>) => Promise<Response> {
  async function trace(span: Span, context: Context<RelayEnv>): Promise<Response> {
    const appId = context.req.param('appId') ?? ''
    try {
      const response = await withinSpan(span, () => hook(context, span))
      endReceive(span, route, appId, response.status)
      return response
    } catch (cause) {
      endReceive(span, route, appId, 500)
      throw cause
    }
  }

  return context => {
    const span = isTracing() ? startReceive(traceParentFrom(context, relay.sources)) : null
    return span === null ? hook(context, null) : trace(span, context)
  }
}
