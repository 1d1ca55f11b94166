import { createClient } from './client.ts'
import type { PaymentsError } from './client-error.ts'
import type { PaymentEvent } from './payment-event.ts'
import type { ClientOptions, ConnectionStatus, PaymentsClient } from './payments-client.ts'

export type SyncClientOptions = Omit<ClientOptions, 'url' | 'name' | 'onError' | 'transports'> & {
  readonly sourceId: string
  /** The app's read-only stream secret. */
  readonly secret: string | undefined
  /** Default: where the page came from. */
  readonly url?: string | undefined
}

export type SyncClientEvents = {
  authenticated: () => void
  event: (event: PaymentEvent) => void
  state: (status: ConnectionStatus) => void
  error: (error: PaymentsError) => void
  /** Something cannot be replayed. */
  gap: (reason: string) => void
}

type Handlers = { [Name in keyof SyncClientEvents]: Set<SyncClientEvents[Name]> }

/**
 * For an app with `publicStreams`: every payment of it. A page that comes back hears what happened while it was away; one
 * that comes for the first time, what happens from now on.
 */
export class SyncClient {
  readonly #options: SyncClientOptions
  readonly #handlers: Handlers = {
    authenticated: new Set(),
    event: new Set(),
    state: new Set(),
    error: new Set(),
    gap: new Set(),
  }
  #client: PaymentsClient | null = null

  constructor(options: SyncClientOptions) {
    this.#options = options
  }

  /** Returns how to take the handler back. */
  on<Name extends keyof SyncClientEvents>(name: Name, handler: SyncClientEvents[Name]): () => void {
    this.#handlers[name].add(handler)
    return () => this.#handlers[name].delete(handler)
  }

  connect(): void {
    if (this.#client) return
    const { sourceId, secret = '', url = pageOrigin(), ...rest } = this.#options
    const { authenticated, event, state, error, gap } = this.#handlers
    // Only a WebSocket takes the stream secret.
    const options = { ...rest, url, name: sourceId, transports: ['websocket'], onError: tellAll(error) } as const
    const client = createClient(options, async () => ({ sourceId, secret }))
    this.#client = client
    client.onState(status => {
      if (status.state === 'connected') tellAll(authenticated)()
      tellAll(state)(status)
    })
    client.subscribe('source', {
      from: 'now',
      onEvent: tellAll(event),
      onState: status => status.state === 'gap' && tellAll(gap)(status.reason ?? 'gap'),
    })
  }

  disconnect(): void {
    this.#client?.close()
    this.#client = null
  }
}

function tellAll<Args extends unknown[]>(handlers: ReadonlySet<(...args: Args) => void>): (...args: Args) => void {
  return (...args) => {
    for (const handler of [...handlers]) handler(...args)
  }
}

function pageOrigin(): string {
  return (globalThis as { location?: { origin: string } }).location?.origin ?? ''
}
