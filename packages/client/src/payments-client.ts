import type { PaymentsError } from './client-error.ts'
import type { ConnectionState } from './connection.ts'
import type { StorageLike } from './cursor-storage.ts'
import type { Environment } from './environment.ts'
import type { StreamStatus, SubscribeOptions } from './feed.ts'
import type { Transport } from './link.ts'
import type { StreamState } from './stream-state.ts'
import type { WebSocketConstructor } from './websocket-link.ts'

export type ClientOptions = {
  /** Where the relay is: `https://relay.example`. */
  readonly url: string
  /** Default: the browser's own. Node 20 has none: bring the one of `ws`. */
  readonly webSocket?: WebSocketConstructor | undefined
  readonly fetch?: typeof globalThis.fetch | undefined
  /** Where cursors survive a reload. Default: `sessionStorage` where there is one. Null: nowhere. */
  readonly storage?: StorageLike | null | undefined
  /** Of two apps on one relay in one page: keeps their cursors apart. The same after a reload. */
  readonly name?: string | undefined
  /** In the order of trying. */
  readonly transports?: readonly Transport[] | undefined
  /** What went wrong, for logs. */
  readonly onError?: ((error: PaymentsError) => void) | undefined
  readonly environment?: Environment | undefined
}

export type ConnectionStatus = {
  readonly state: ConnectionState
  /** Why it is closed: `closed` by you, `unauthorised`, or the relay's code. */
  readonly reason: string | null
  /** What it is connected over. */
  readonly transport: Transport | null
}

export type Subscription = {
  readonly state: StreamState
  readonly status: StreamStatus
  close(): void
}

export type PaymentsClient = {
  readonly state: ConnectionState
  readonly status: ConnectionStatus
  /** Connects if need be. `stream` is `source` or `payment:<paymentId>`. */
  subscribe(stream: string, options: SubscribeOptions): Subscription
  /** Tells each change. Returns how to stop that. */
  onState(listener: (status: ConnectionStatus) => void): () => void
  /** For good. */
  close(): void
}
