import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A real HTTP server on a free port of this machine. */
export type LocalServer = { readonly url: string; close(): Promise<void> }

const acknowledgement = '{"ResultCode":0,"ResultDesc":"Success"}'

/**
 * Hands the path and body of each request to `take`, then acknowledges it as Safaricom expects; 500 when `take` fails.
 *
 * @param port 0 takes a free one
 */
export async function startCallbackServer(
  take: (path: string, body: Buffer) => Promise<void>,
  port = 0,
): Promise<LocalServer> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      take(request.url ?? '', Buffer.concat(chunks)).then(
        () => response.writeHead(200, { 'content-type': 'application/json' }).end(acknowledgement),
        (error: unknown) => response.writeHead(500).end(String(error)),
      )
    })
  })
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
