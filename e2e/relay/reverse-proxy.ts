import { createServer, type IncomingHttpHeaders, request as open, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How a proxy passes a request on. */
export type ProxyOptions = {
  readonly to: string
  /** The address that it has towards whom it passes on to. */
  readonly from: string
  /** Where it listens. Default 127.0.0.1. */
  readonly host?: string
  /** What it makes of the headers: default, it adds whom it hears from to `X-Forwarded-For`, as they all do. */
  readonly write?: (headers: IncomingHttpHeaders, client: string) => IncomingHttpHeaders
}

export const addXForwardedFor = (headers: IncomingHttpHeaders, client: string): IncomingHttpHeaders => {
  const before = headers['x-forwarded-for']
  return { ...headers, 'x-forwarded-for': before === undefined ? client : `${String(before)}, ${client}` }
}

/** A reverse proxy on this machine. */
export async function openProxy({ to, from, host = '127.0.0.1', write = addXForwardedFor }: ProxyOptions) {
  const server: Server = createServer((incoming, outgoing) => {
    const headers = write(incoming.headers, incoming.socket.remoteAddress ?? '')
    const onward = open(new URL(incoming.url ?? '/', to), { method: incoming.method, headers, localAddress: from })
    onward.on('response', answer => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
    })
    onward.on('error', () => outgoing.writeHead(502).end())
    incoming.pipe(onward)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** Posts from an address of this machine, of which it has all of 127.0.0.0/8. */
export function postFrom(
  localAddress: string,
  url: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const request = open(url, { method: 'POST', localAddress, headers, agent: false }, response => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
    })
    request.on('error', reject)
    request.end(body)
  })
}
