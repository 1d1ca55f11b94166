import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { longestFrameBytes } from '../../core/stream/client-frame.ts'
import { Seat } from '../../relay/streams/stream-places.ts'
import type { RelayServer } from '../relay-server.ts'
import type { Dialect } from './dialect.ts'
import { oldProtocol } from './old-protocol.ts'
import { SocketConnection } from './socket-connection.ts'
import { versionOne, versionOneName } from './version-one.ts'
import { visitOf } from './visit.ts'
import { createUpgradeRefusal } from './without-upgrade.ts'

type OnUpgrade = (request: IncomingMessage, raw: Duplex, head: Buffer) => void

/** A server of Node, with or without TLS. */
export type UpgradeServer = {
  on(event: 'upgrade', listener: OnUpgrade): unknown
  listenerCount(event: 'upgrade'): number
  emit(event: 'request', request: IncomingMessage, response: ServerResponse): boolean
}

export type AttachOptions = {
  /** Where WebSockets come in. Default `/ws`; where the relay is mounted under a prefix, with the prefix. */
  readonly path?: string
}

/**
 * Lets pages connect to the relay by WebSocket, through the server that serves it. Upgrades on other paths are left to whoever
 * else listens for them.
 *
 * ```ts
 * const server = serve({ fetch: relay.fetch, port: 3000 })
 * attachStreams(server, relay)
 * ```
 */
export function attachStreams(server: UpgradeServer, relay: RelayServer, { path = '/ws' }: AttachOptions = {}): void {
  const { streams: hub, sources } = relay.relay
  const tools = relay.streamTools
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    // Answered by the connection, which looks at how much is unread.
    autoPong: false,
    maxPayload: longestFrameBytes,
    handleProtocols: names => (names.has(versionOneName) ? versionOneName : false),
  })
  const answerWithoutUpgrade = createUpgradeRefusal((request, response) => server.emit('request', request, response))
  server.on('upgrade', (request, raw, head) => {
    const isNobodyElses = server.listenerCount('upgrade') === 1
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') {
      if (isNobodyElses) answerWithoutUpgrade(request, raw, head)
      return
    }
    const url = readUrl(request.url)
    if (url?.pathname !== path) {
      // Nobody else would ever answer.
      if (isNobodyElses) refuse(raw, '404 Not Found')
      return
    }
    if (hub.isStopped) return refuse(raw, '503 Service Unavailable')
    const dialect = dialectOf(request, url)
    if (dialect === null) return refuse(raw, '400 Bad Request')
    const socketAddress = request.socket.remoteAddress ?? null
    const visit = visitOf(socketAddress, request.headers, url.searchParams.get('phone') === '1', sources)
    const seat = new Seat(hub.places)
    if (!seat.take('address', visit.address) || !seat.take('unauthenticated', visit.address)) {
      seat.leaveAll()
      return refuse(raw, '429 Too Many Requests')
    }
    const giveUp = (): void => seat.leaveAll()
    raw.once('close', giveUp)
    sockets.handleUpgrade(request, raw, head, socket => {
      raw.off('close', giveUp)
      new SocketConnection({ hub, tools, dialect }, { socket, raw, visit, seat })
    })
  })
}

function dialectOf(request: IncomingMessage, url: URL): Dialect | null {
  const asked = (request.headers['sec-websocket-protocol'] ?? '').split(',').map(name => name.trim())
  if (asked.includes(versionOneName)) return versionOne
  const sourceId = url.searchParams.get('source_id') ?? ''
  return /^[\w-]{1,64}$/.test(sourceId) ? oldProtocol(sourceId) : null
}

function readUrl(target = '/'): URL | null {
  return URL.canParse(target, 'http://relay') ? new URL(target, 'http://relay') : null
}

/** Before there is a WebSocket it is HTTP that is answered. */
function refuse(raw: Duplex, status: string): void {
  raw.on('error', () => undefined)
  raw.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\nRetry-After: 10\r\n\r\n`, () =>
    raw.destroy(),
  )
}
