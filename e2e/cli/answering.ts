import { createServer, type IncomingHttpHeaders } from 'node:http'
import { listen } from '../relay/relay-floor.ts'

/** A server that answers everything alike, and keeps who asked. */
export async function openAnswering(status: number, body: string) {
  const requests: { readonly url: string | undefined; readonly headers: IncomingHttpHeaders }[] = []
  const server = createServer((request, response) => {
    requests.push({ url: request.url, headers: request.headers })
    response.writeHead(status).end(body)
  })
  const port = String(await listen(server))
  return {
    port,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
