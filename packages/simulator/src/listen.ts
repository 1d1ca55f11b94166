import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import type { SimulatorApp } from './app.ts'
import { SimulatorError } from './simulator-error.ts'

/** A listening server. */
export interface Listener {
  readonly url: string
  /** Stops listening and cuts every connection; resolves when the port is free. */
  close(): Promise<void>
}

/** Starts to listen. Rejects with SIMULATOR_PORT_IN_USE if somebody else has the port. */
export function listen(app: SimulatorApp['app'], host: string, port: number): Promise<Listener> {
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new SimulatorError(
              'SIMULATOR_PORT_IN_USE',
              `Port ${port} on ${host} is in use. Another simulator may be running: stop it, or choose another port.`,
            )
          : error,
      )
    })
    server.listen(port, host, () => {
      const { address, port: actualPort, family } = server.address() as AddressInfo
      // A wildcard is where it listens, not where anybody can call.
      const callable = address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '[::1]' : address
      const hostname = family === 'IPv6' && !callable.startsWith('[') ? `[${callable}]` : callable
      resolve({
        url: `http://${hostname}:${actualPort}`,
        close: () =>
          new Promise(closed => {
            server.close(() => closed())
            server.closeAllConnections()
          }),
      })
    })
  })
}
