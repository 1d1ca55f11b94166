import type { ClientFrame } from './wire.ts'

export type Transport = 'websocket' | 'sse' | 'poll'

/** One connection over one transport. However it is made, frames go and come. */
export type Link = { send(frame: ClientFrame): void; close(): void }

export type LinkHandlers = {
  /** One of the relay's frames, as yet unread. Null for what was none. */
  readonly onFrame: (frame: unknown) => void
  /** Signs of life that are no frame. */
  readonly onHeard: () => void
  /** Once. Nothing comes after it, nor after `close`. */
  readonly onDown: (closeCode?: number) => void
}
