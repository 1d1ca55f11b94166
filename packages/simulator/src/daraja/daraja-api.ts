import type { HttpBindings } from '@hono/node-server'
import type { Context } from 'hono'
import type { Simulation } from '../simulation.ts'
import type { GatewayErrorName } from './gateway-errors.ts'

/** Hono's environment: Node's raw sockets are there on the real door and absent on the in-memory one. */
export interface GatewayEnv {
  Bindings: Partial<HttpBindings>
}

/** A call that passed the gateway. */
export interface DarajaCall {
  readonly simulation: Simulation
  readonly context: Context<GatewayEnv>
  /** The consumer key behind the token; empty for OAuth itself. */
  readonly consumerKey: string
  /** The parsed JSON object; empty for GET. */
  readonly body: Readonly<Record<string, unknown>>
}

/** One Daraja API. To simulate another, write a file that exports one of these and add it to the list in `apis.ts`. */
export interface DarajaApi {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** `token`: the gateway checks the Bearer token first. `none`: the API looks at the header itself. */
  readonly auth: 'token' | 'none'
  /** Traffic rules of the gateway, checked after the token and before the body. */
  readonly refuse?: (simulation: Simulation, consumerKey: string) => Refusal | undefined
  handle(call: DarajaCall): Promise<Response>
}

export interface Refusal {
  readonly error: GatewayErrorName
  readonly faultstring?: string
}
