import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response'
import type { Context } from 'hono'
import type { GatewayEnv } from './daraja-api.ts'

/** What the in-memory door throws where a real socket would die, as `fetch` throws when the peer hangs up. */
export class ConnectionLost extends TypeError {
  override readonly name = 'ConnectionLost'
  constructor() {
    super('fetch failed: the simulator destroyed the connection')
  }
}

// In memory Hono may have no environment at all, whatever its type says.
const outgoingOf = (context: Context<GatewayEnv>) => (context.env as GatewayEnv['Bindings'] | undefined)?.outgoing

/** Hangs up without an answer. */
export function loseConnection(context: Context<GatewayEnv>): Response {
  const outgoing = outgoingOf(context)
  if (!outgoing) throw new ConnectionLost()
  outgoing.destroy()
  return RESPONSE_ALREADY_SENT
}

/** Runs `task` once the answer has left this process, or its connection is gone; in memory at once. */
export function afterResponse(context: Context<GatewayEnv>, task: () => void): void {
  const outgoing = outgoingOf(context)
  if (!outgoing || outgoing.destroyed) {
    queueMicrotask(task)
    return
  }
  let ran = false
  const once = () => {
    if (ran) return
    ran = true
    task()
  }
  outgoing.once('finish', once)
  outgoing.once('close', once)
}
