import type { Context } from 'hono'
import { forwardedByNobody } from '../core/receive/source-of.ts'
import type { SourceBook } from '../relay/source-book.ts'
import type { RelayEnv } from './auth.ts'

/** Judges and counts where a callback came from. The address, where it must not be taken for Safaricom's; else null. */
export function judgeSource(context: Context<RelayEnv>, sources: SourceBook): string | null {
  const socketAddress = socketAddressOf(context)
  // Headers are an object of their own for each request, and not read where nobody would be believed.
  if (!sources.isTrustedProxy(socketAddress)) return sources.judge(socketAddress, forwardedByNobody)
  return sources.judge(socketAddress, {
    xForwardedFor: context.req.header('x-forwarded-for') ?? null,
    forwarded: context.req.header('forwarded') ?? null,
  })
}

/** The trace that a trusted proxy says a request belongs to; null for what anybody else says. */
export function traceParentFrom(context: Context<RelayEnv>, sources: SourceBook): string | null {
  return sources.isTrustedProxy(socketAddressOf(context)) ? (context.req.header('traceparent') ?? null) : null
}

/** Null where the relay is not served by Node. */
function socketAddressOf(context: Context<RelayEnv>): string | null {
  return context.env?.incoming?.socket.remoteAddress ?? null
}
