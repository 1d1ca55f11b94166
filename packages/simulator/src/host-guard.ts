import { isIP } from 'node:net'
import type { MiddlewareHandler } from 'hono'
import { SimulatorError } from './simulator-error.ts'

function isLoopbackHost(hostname: string): boolean {
  const bare = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  return (
    bare === 'localhost' ||
    bare.endsWith('.localhost') ||
    bare === '::1' ||
    (isIP(bare) === 4 && bare.startsWith('127.'))
  )
}

const hostnameOf = (address: string): string => (URL.canParse(address) ? new URL(address).hostname : '')

/**
 * Keeps strange web pages away: from the control API, and from the pushes that would make us post a callback anywhere on
 * this machine. A page elsewhere could post here (its `Origin` gives it away) or
 * point its own name at 127.0.0.1 (DNS rebinding: its `Host` gives it away). Somebody who listens on another address
 * has chosen to be reached by other names: then only the Origin must agree with the Host.
 */
export function refuseForeigners(listenHost: string): MiddlewareHandler {
  const hostsAreOpen = !isLoopbackHost(listenHost)
  return async (context, next) => {
    const host = context.req.header('host') ?? new URL(context.req.url).host
    const origin = context.req.header('origin')
    const hostname = hostnameOf(`http://${host}`)
    if (!hostsAreOpen && !isLoopbackHost(hostname))
      throw new SimulatorError(
        'SIMULATOR_FOREIGN_ORIGIN',
        'The simulator answers only to localhost. To reach it by another name, start with --host.',
      )
    const sameOrigin = origin === undefined || isLoopbackHost(hostnameOf(origin)) || hostnameOf(origin) === hostname
    const crossSite = context.req.header('sec-fetch-site') === 'cross-site'
    if (!sameOrigin || crossSite)
      throw new SimulatorError('SIMULATOR_FOREIGN_ORIGIN', 'The simulator refuses calls from other web sites.')
    await next()
  }
}
