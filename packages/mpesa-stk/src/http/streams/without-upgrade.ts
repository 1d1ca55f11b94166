import { createServer, type IncomingMessage, type RequestListener } from 'node:http'
import type { Duplex } from 'node:stream'

/** What an answer without an upgrade must not be asked for. */
const ofUpgrade: ReadonlySet<string> = new Set(['upgrade', 'connection', 'http2-settings'])

/** As the relay's own server has it. */
const requestTimeoutMs = 30_000

/**
 * Gives a request whose upgrade nobody here offers back to its server, as if it had not asked. Node takes every upgrade for the
 * listener of WebSockets, and clients ask for others with any request: Java's asks for HTTP/2 (`h2c`) with each first one to a plain
 * `http` address, and a callback would be refused for it.
 */
export function createUpgradeRefusal(
  answer: RequestListener,
): (request: IncomingMessage, raw: Duplex, head: Buffer) => void {
  // A server without listeners for upgrades: to it an upgrade is a header.
  const plain = createServer(answer)
  plain.requestTimeout = requestTimeoutMs
  return (request, raw, head) => {
    raw.unshift(Buffer.concat([writeHead(request), head]))
    plain.emit('connection', raw)
  }
}

/** One request a connection: what comes after it may be for the server that it came to. */
function writeHead({ method = 'GET', url = '/', httpVersion, rawHeaders }: IncomingMessage): Buffer {
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? ''
    if (!ofUpgrade.has(name.toLowerCase())) lines.push(`${name}: ${rawHeaders[index + 1] ?? ''}`)
  }
  return Buffer.from(`${lines.join('\r\n')}\r\nConnection: close\r\n\r\n`, 'latin1')
}
