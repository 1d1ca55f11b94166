import { Hono } from 'hono'
import { controlError, createControlApi } from './control/control-api.ts'
import { createEventStreams } from './control/event-stream.ts'
import { ConnectionLost } from './daraja/connection.ts'
import type { GatewayEnv } from './daraja/daraja-api.ts'
import { createGateway } from './daraja/gateway.ts'
import { createHandset } from './handset/handset.ts'
import { refuseForeigners } from './host-guard.ts'
import type { Simulation } from './simulation.ts'
import { SimulatorError } from './simulator-error.ts'

/** All doors of one simulation in one Hono app: Daraja's paths, `/__sim`, and the handset page at `/`. */
export interface SimulatorApp {
  readonly app: Hono<GatewayEnv>
  /** Ends open event streams, which would otherwise hold the server open. */
  closeStreams(): void
}

export function createApp(simulation: Simulation): SimulatorApp {
  const streams = createEventStreams(simulation.signals)
  const app = new Hono<GatewayEnv>()
  app.onError(error => {
    // In memory there is no socket to destroy: the caller's promise rejects instead, as that of `fetch` does.
    if (error instanceof ConnectionLost) throw error
    if (error instanceof SimulatorError) return controlError(error)
    console.error('daraja-simulator: internal error', error)
    return Response.json({ error: { code: 'SIMULATOR_INTERNAL', message: 'internal error' } }, { status: 500 })
  })
  app.use(refuseForeigners(simulation.settings.host))
  app.route('/__sim', createControlApi(simulation, streams))
  app.route('/', createHandset())
  app.route('/', createGateway(simulation))
  return { app, closeStreams: streams.closeAll }
}
