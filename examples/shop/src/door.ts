import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'

/** Who answers a request. `env` has Node's own request, with the socket that it came by. */
type Answer = (request: Request, env: HttpBindings) => Response | Promise<Response>

/** A listening server, which knows its address before it knows what to answer. */
export type Door = {
  /** As this machine reaches it. */
  readonly url: string
  /** For who takes WebSockets. */
  readonly server: Server
  /** Who answers from now on. */
  open(answer: Answer): void
  /** Takes no new caller, waits for the answers under way, then cuts every connection. */
  close(): Promise<void>
}

/** Longest wait for answers under way when the door closes. */
const farewellMs = 5_000

/** Starts to listen. Rejects with the system's error (`EADDRINUSE`, `EACCES`). */
export async function openDoor(host: string, port: number): Promise<Door> {
  let answer: Answer = () => new Response(null, { status: 503 })
  const underWay = new Set<Promise<unknown>>()
  const server = createAdaptorServer({
    overrideGlobalObjects: false,
    fetch: (request: Request, env: unknown) => {
      const answered = Promise.resolve(answer(request, env as HttpBindings))
      underWay.add(answered)
      const leave = () => void underWay.delete(answered)
      answered.then(leave, leave)
      return answered
    },
  }) as Server
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  const closed = new Promise(resolve => server.once('close', resolve))
  return {
    url: callableUrl(server.address() as AddressInfo),
    server,
    open: next => {
      answer = next
    },
    async close() {
      server.close()
      let timer: NodeJS.Timeout | undefined
      const tooLong = new Promise(resolve => {
        timer = setTimeout(resolve, farewellMs)
      })
      await Promise.race([Promise.allSettled(underWay), tooLong])
      clearTimeout(timer)
      server.closeAllConnections()
      await closed
    },
  }
}

/** A wildcard is where it listens, not where anybody can call. */
function callableUrl({ address, port, family }: AddressInfo): string {
  if (address === '0.0.0.0') return `http://127.0.0.1:${port}`
  if (address === '::') return `http://[::1]:${port}`
  return family === 'IPv6' ? `http://[${address}]:${port}` : `http://${address}:${port}`
}
