import http from 'node:http'
import https from 'node:https'
import { syncBuiltinESMExports } from 'node:module'
import net from 'node:net'

// A preload for clients that know only Safaricom's hosts: their https calls go to the simulator, and a connection to
// anything else is refused, so that no test can ever reach the real Daraja or the internet.

const simulator = new URL(process.env['SIMULATOR_URL'] ?? '')
const safaricom = new Set(['sandbox.safaricom.co.ke', 'api.safaricom.co.ke'])

function redirect(target: unknown, ...rest: unknown[]): http.ClientRequest {
  const options = typeof target === 'string' || target instanceof URL ? urlToOptions(target) : Object(target)
  const host = String(options.hostname ?? options.host).split(':')[0] ?? ''
  if (!safaricom.has(host)) throw new Error(`refused to connect to ${host}`)
  const { agent: _agent, agents: _agents, ...plain } = options
  const callback = rest.find(argument => typeof argument === 'function') as
    | ((response: http.IncomingMessage) => void)
    | undefined
  return http.request(
    { ...plain, protocol: 'http:', host: simulator.hostname, hostname: simulator.hostname, port: simulator.port },
    callback,
  )
}

function urlToOptions(target: string | URL): http.RequestOptions {
  const { hostname, pathname, search } = new URL(target)
  return { hostname, path: pathname + search }
}

https.request = redirect as typeof https.request
https.get = ((...input: Parameters<typeof redirect>) => {
  const request = redirect(...input)
  request.end()
  return request
}) as typeof https.get

const connect = net.Socket.prototype.connect
net.Socket.prototype.connect = function (this: net.Socket, ...input: unknown[]) {
  const [options] = (Array.isArray(input[0]) ? input[0] : input) as [{ host?: string; port?: number | string }]
  if (options.host !== simulator.hostname || String(options.port) !== simulator.port) {
    throw new Error(`refused to connect to ${options.host}:${options.port}`)
  }
  return Reflect.apply(connect, this, input)
} as typeof connect

syncBuiltinESMExports()
