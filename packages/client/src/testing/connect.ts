import { WebSocket } from 'ws'
import type {
  ConnectionState,
  ConnectionStatus,
  PaymentEvent,
  PaymentsClient,
  PaymentsError,
  StreamStatus,
  SubscribeOptions,
  Subscription,
} from '../index.ts'
import { type ConnectOptions, connectPayments } from '../index.ts'
import { createFakeEnvironment, type FakeEnvironment } from './fake-environment.ts'
import type { FakeRelay } from './fake-relay.ts'

export type Connected = AsyncDisposable & {
  readonly client: PaymentsClient
  readonly environment: FakeEnvironment
  readonly states: ConnectionState[]
  readonly last: () => ConnectionStatus
  readonly errors: PaymentsError[]
  read(stream: string, options?: Partial<SubscribeOptions>): Reading
}

export type Reading = {
  readonly subscription: Subscription
  readonly events: PaymentEvent[]
  readonly ids: () => string[]
  readonly states: StreamStatus[]
}

/** A client of a fake relay, with a clock that the test moves, and all that it is told. */
export function connect(relay: FakeRelay, options: Partial<ConnectOptions> = {}): Connected {
  const environment = (options.environment as FakeEnvironment | undefined) ?? createFakeEnvironment()
  const errors: PaymentsError[] = []
  let count = 0
  const client = connectPayments({
    url: relay.url,
    getToken: async () => `token-${++count}`,
    webSocket: WebSocket,
    storage: null,
    onError: error => errors.push(error),
    ...options,
    environment,
  })
  const states: ConnectionState[] = []
  client.onState(({ state }) => states.push(state))
  return {
    client,
    environment,
    states,
    errors,
    last: () => client.status,
    read(stream, subscribeOptions = {}) {
      const events: PaymentEvent[] = []
      const told: StreamStatus[] = []
      const subscription = client.subscribe(stream, {
        onEvent: event => events.push(event),
        onState: status => told.push(status),
        ...subscribeOptions,
      })
      return { subscription, events, states: told, ids: () => events.map(({ id }) => id) }
    },
    async [Symbol.asyncDispose]() {
      client.close()
    },
  }
}
