import { PostgresRelayAdapter, type RelayStorage, SqliteRelayAdapter } from 'mpesa-stk/server'
import { Pool } from 'pg'
import { findServices } from '../../scripts/services/find.ts'
import { openCutOff } from './cut-off.ts'
import { openRelaySchema } from './relay-schema.ts'
import { createTroubledStorage } from './troubled-storage.ts'

const { postgres } = await findServices()

/** A store that can be taken away from its relay, and is always there for its test. */
export type AlertStore = AsyncDisposable & {
  readonly storage: RelayStorage
  readonly within: RelayStorage
  away(): Promise<void>
  back(): Promise<void>
}

async function openSqlite(): Promise<AlertStore> {
  const within = await SqliteRelayAdapter.open(':memory:')
  await within.migrate()
  const { storage, set } = createTroubledStorage(within)
  return {
    storage,
    within,
    away: async () => set('fails'),
    back: async () => set('none'),
    [Symbol.asyncDispose]: () => within.close(),
  }
}

/** The way to it is cut. */
async function openPostgres(url: string): Promise<AlertStore> {
  const schema = await openRelaySchema(url)
  await schema.storage.migrate()
  const { hostname, port } = new URL(url)
  const way = await openCutOff({ host: hostname, port: Number(port) })
  const pool = new Pool({ connectionString: schema.url(way.port) })
  // Its idle connections break with the way, and that is no news.
  pool.on('error', () => {})
  return {
    storage: new PostgresRelayAdapter(pool),
    within: schema.storage,
    away: way.cut,
    back: way.mend,
    async [Symbol.asyncDispose]() {
      await pool.end()
      await way.cut()
      await schema[Symbol.asyncDispose]()
    },
  }
}

export const alertStores: readonly (readonly [string, () => Promise<AlertStore>])[] = [
  ['SQLite', openSqlite],
  // Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
  ...(postgres === undefined ? [] : [['PostgreSQL', () => openPostgres(postgres.url)] as const]),
]
