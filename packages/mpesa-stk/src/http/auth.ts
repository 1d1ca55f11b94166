import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import type { AppSecrets } from '../core/deliver/relay-app.ts'

/** What a Node server puts beside a request. */
export type NodeBindings = { readonly incoming?: IncomingMessage }

export type RelayEnv = { Bindings: NodeBindings }

const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])
/** Who has one of these came through a proxy: the socket says nothing about him. */
const forwardingHeaders = ['forwarded', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip', 'via']

/** Whether the request may do what only the operator may. Without an admin token: only on this machine, and not from a page. */
export function isAdmin(context: Context<RelayEnv>, adminToken: string | null): boolean {
  if (adminToken !== null) return isSecret(bearerOf(context), adminToken)
  const address = context.env?.incoming?.socket.remoteAddress ?? ''
  const isForwarded = forwardingHeaders.some(name => context.req.header(name) !== undefined)
  return loopback.has(address) && !isForwarded && isOwnHost(context) && context.req.header('origin') === undefined
}

/** Whether the request brings the app's signing secret. */
export function isMerchant(context: Context<RelayEnv>, { signingSecret, previous }: AppSecrets): boolean {
  const given = bearerOf(context)
  const isPrevious = previous !== null && previous.untilMs > Date.now() && isSecret(given, previous.signingSecret)
  return isSecret(given, signingSecret) || isPrevious
}

/** A page on the web can make a browser send requests here under a name of its own (DNS rebinding). */
function isOwnHost(context: Context<RelayEnv>): boolean {
  const host = (context.req.header('host') ?? '').replace(/:\d+$/, '')
  return ['localhost', '127.0.0.1', '[::1]'].includes(host)
}

function bearerOf(context: Context<RelayEnv>): string {
  return /^Bearer (\S{1,500})$/i.exec(context.req.header('authorization') ?? '')?.[1] ?? ''
}

/** In constant time, whatever the lengths are. */
function isSecret(given: string, secret: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  return given !== '' && timingSafeEqual(digest(given), digest(secret))
}
