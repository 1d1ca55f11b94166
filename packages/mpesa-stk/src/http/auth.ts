import type { IncomingMessage } from 'node:http'
import type { Context } from 'hono'
import type { AppSecrets } from '../core/deliver/relay-app.ts'
import { isSameSecret } from '../core/same-secret.ts'

/** What a Node server puts beside a request. */
export type NodeBindings = { readonly incoming?: IncomingMessage }

export type RelayEnv = { Bindings: NodeBindings }

const loopback: ReadonlySet<string> = new Set(['127.0.0.1', '::1', '::ffff:127.0.0.1'])
/** Who has one of these came through a proxy: the socket says nothing about him. */
const forwardingHeaders = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-real-ip',
  'x-client-ip',
  'true-client-ip',
  'cf-connecting-ip',
  'via',
]

/**
 * Whether the request may do what only the operator may. Without an admin token: only on this machine, and not from a page. A
 * proxy that leaves no trace cannot be told from this machine: behind one there must be a token. HTTP/1.0 is what nginx speaks
 * to whatever is behind it unless it is told otherwise, and nothing else does.
 */
export function isAdmin(context: Context<RelayEnv>, adminToken: string | null): boolean {
  if (adminToken !== null) return isSameSecret(bearerOf(context), adminToken)
  const address = context.env?.incoming?.socket.remoteAddress ?? ''
  const isForwarded =
    context.env?.incoming?.httpVersion === '1.0' ||
    forwardingHeaders.some(name => context.req.header(name) !== undefined)
  return loopback.has(address) && !isForwarded && isOwnHost(context) && context.req.header('origin') === undefined
}

/** Whether the request brings the app's signing secret. One that was rotated out signs on for a while, and opens nothing. */
export function isMerchant(context: Context<RelayEnv>, { signingSecret }: AppSecrets): boolean {
  return isSameSecret(bearerOf(context), signingSecret)
}

/** Whether it brings any secret at all. */
export function hasBearer(context: Context<RelayEnv>): boolean {
  return bearerOf(context) !== ''
}

/** A page on the web can make a browser send requests here under a name of its own (DNS rebinding). */
function isOwnHost(context: Context<RelayEnv>): boolean {
  const host = (context.req.header('host') ?? '').replace(/:\d+$/, '')
  return ['localhost', '127.0.0.1', '[::1]'].includes(host)
}

function bearerOf(context: Context<RelayEnv>): string {
  return /^Bearer (\S{1,500})$/i.exec(context.req.header('authorization') ?? '')?.[1] ?? ''
}
