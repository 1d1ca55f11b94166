import { PaymentsError } from './client-error.ts'
import type { Environment } from './environment.ts'
import type { Link, LinkHandlers, Transport } from './link.ts'
import type { ClientOptions } from './payments-client.ts'
import { openWebSocketLink, type WebSocketConstructor } from './websocket-link.ts'
import { readFrame } from './wire.ts'

/** The transports that can be had here, the best first, and how they are opened. */
export type Ladder = {
  readonly rungs: readonly Transport[]
  /** Rejects where it cannot even be tried. */
  open(transport: Transport, handlers: LinkHandlers): Promise<Link>
  /** Is the best one blocked? Tells when it is not. Returns how to end the trial. */
  tryBest(onOpen: () => void): () => void
}

export function createLadder(url: string, options: ClientOptions, environment: Environment): Ladder {
  const webSocket = options.webSocket ?? (globalThis as { WebSocket?: WebSocketConstructor }).WebSocket
  const wanted = options.transports ?? ['websocket', 'sse', 'poll']
  const rungs = wanted.filter(transport => transport !== 'websocket' || webSocket)
  if (rungs.length === 0) throw new PaymentsError('no_transport', 'there is no WebSocket here: bring one')
  return {
    rungs,
    async open(kind, handlers) {
      if (kind === 'websocket' && webSocket) return openWebSocketLink(url, webSocket, handlers)
      const { openFetchLink } = await import('./fetch-link.ts')
      const fetch = options.fetch ?? globalThis.fetch.bind(globalThis)
      return openFetchLink({ kind: kind === 'sse' ? kind : 'poll', url, fetch, environment }, handlers)
    },
    tryBest(onOpen) {
      let trial: Link | null = null
      const end = (): void => {
        trial?.close()
        trial = null
      }
      if (!webSocket || rungs[0] !== 'websocket') return end
      const onFrame = (frame: unknown): void => {
        if (readFrame(frame)?.type !== 'hello') return
        end()
        onOpen()
      }
      try {
        trial = openWebSocketLink(url, webSocket, { onFrame, onDown: end })
      } catch {
        // As blocked as before.
      }
      return end
    },
  }
}
