import { createClient } from './client.ts'
import { createTokenSource, type GetToken } from './credentials.ts'
import { pageEnvironment } from './environment.ts'
import type { ClientOptions, PaymentsClient } from './payments-client.ts'

export { PaymentsError } from './client-error.ts'
export type { ConnectionState } from './connection.ts'
export type { GetToken } from './credentials.ts'
export type { StorageLike } from './cursor-storage.ts'
export type { Environment, Signal } from './environment.ts'
export type { StreamStatus, SubscribeOptions } from './feed.ts'
export type { Transport } from './link.ts'
export type { PaymentEvent, PaymentExplanation, PaymentStatus } from './payment-event.ts'
export { createPaymentView, type PaymentView, reducePayment } from './payment-view.ts'
export type { ClientOptions, ConnectionStatus, PaymentsClient, Subscription } from './payments-client.ts'
export type { StreamState } from './stream-state.ts'
export { SyncClient, type SyncClientEvents, type SyncClientOptions } from './sync-client.ts'
export type { WebSocketConstructor, WebSocketLike } from './websocket-link.ts'

export type ConnectOptions = ClientOptions & {
  /** Asks your server for a token. Called before every connection, and when four fifths of the token's life are over. */
  readonly getToken: GetToken
}

/** Connects when the first subscription is made, and rests when the last has left. */
export function connectPayments(options: ConnectOptions): PaymentsClient {
  return createClient(options, createTokenSource(options.getToken, options.environment ?? pageEnvironment))
}
