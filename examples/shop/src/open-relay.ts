import { join } from 'node:path'
import type { Logger } from 'mpesa-stk'
import { attachStreams, createRelayServer, type RelayServer, SqliteRelayAdapter } from 'mpesa-stk/server'
import type { Door } from './door.ts'

/** A running relay: what Safaricom posts to it is stored, and delivered to the shop until that has it. */
export type ShopRelay = {
  readonly url: string
  readonly server: RelayServer
  /** Begins nothing more, and resolves when what is under way has ended and is stored. */
  stop(): Promise<void>
  /** Closes its store; stop it first. */
  close(): Promise<void>
}

const greeting = `This is the relay. Safaricom posts its callbacks here; each is stored before it is acknowledged, and
delivered, signed, to the shop until that has it. There is nothing to click: /openapi.json lists what it answers.
`

/**
 * Opens a relay behind a door, in this process: `npx mpesa-stk-relay` is the same in a process of its own. It takes
 * callbacks at once, and delivers them from `server.start()` on.
 */
export async function openRelay(door: Door, dataFolder: string, logger: Logger): Promise<ShopRelay> {
  const storage = await SqliteRelayAdapter.open(join(dataFolder, 'relay.db'))
  try {
    await storage.migrate()
    // Private targets: the shop is on this machine. A relay that serves others must not reach into its own network.
    const server = createRelayServer({ storage, dataFolder, allowPrivateTargets: true, workers: 'manual', logger })
    server.get('/', context => context.text(greeting))
    door.open((request, env) => server.fetch(request, env))
    attachStreams(door.server, server)
    return { url: door.url, server, stop: () => server.stop(), close: () => storage.close() }
  } catch (error) {
    await storage.close()
    throw error
  }
}
