import { join } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import { createRelayServer, PostgresRelayAdapter, SqliteRelayAdapter } from 'mpesa-stk/server'
import { Pool } from 'pg'
import { listen } from './relay-floor.ts'

// A relay whose clock goes ahead by more than a year at SIGUSR2, and that sweeps then: all that it has delivered is old. SIGHUP ends
// the sweep, and another goes on.

let aheadMs = 0
const { DATABASE_URL: url, RELAY_DATA_DIR: dataFolder = '.' } = process.env
const storage =
  url === undefined
    ? await SqliteRelayAdapter.open(join(dataFolder, 'relay.db'))
    : new PostgresRelayAdapter(new Pool({ connectionString: url }))
await storage.migrate()
const app = createRelayServer({
  storage,
  dataFolder,
  allowPrivateTargets: true,
  workers: 'manual',
  clock: {
    now: () => new Date(Date.now() + aheadMs),
    sleep: durationMs => new Promise(resolve => setTimeout(resolve, durationMs)),
  },
})
const port = await listen(createAdaptorServer({ fetch: app.fetch }) as Parameters<typeof listen>[0])
await app.start()
process.on('SIGUSR2', () => {
  aheadMs = 400 * 24 * 3_600_000
  void app.relay.retention.sweep()
})
process.on('SIGHUP', () => void app.relay.retention.stop())
console.log(`ready http://127.0.0.1:${port}`)
