import type { Link, LinkHandlers } from './link.ts'
import { parseJson } from './wire.ts'

/** As browsers and the package `ws` have it. */
export type WebSocketLike = {
  onmessage: unknown
  onclose: unknown
  onerror: unknown
  send(data: string): void
  close(): void
}

export type WebSocketConstructor = new (url: string, protocol: string) => WebSocketLike

export function openWebSocketLink(
  url: string,
  webSocket: WebSocketConstructor,
  { onFrame, onDown }: Pick<LinkHandlers, 'onFrame' | 'onDown'>,
): Link {
  const socket = new webSocket(`${url.replace(/^http/, 'ws')}/ws`, 'mpesa-stk.v1')
  socket.onmessage = ({ data }: { data: unknown }) => onFrame(parseJson(data))
  socket.onclose = ({ code }: { code: number }) => onDown(code)
  // A close follows.
  socket.onerror = () => {}
  return {
    send: frame => socket.send(JSON.stringify(frame)),
    close() {
      socket.onmessage = socket.onclose = null
      socket.close()
    },
  }
}
