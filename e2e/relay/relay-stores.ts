import type { PostgresRelayAdapter } from 'mpesa-stk/server'
import { findServices } from '../../scripts/services/find.ts'
import { openRelaySchema } from './relay-schema.ts'

const { postgres } = await findServices()

type Opened = AsyncDisposable & { readonly options: { readonly storage?: PostgresRelayAdapter } }

async function openPostgres(url: string): Promise<Opened> {
  const schema = await openRelaySchema(url)
  await schema.storage.migrate()
  return { options: { storage: schema.storage }, [Symbol.asyncDispose]: schema[Symbol.asyncDispose] }
}

/** Every store of a relay: what `openRelay` needs for it. */
export const relayStores: readonly (readonly [string, () => Promise<Opened>])[] = [
  ['SQLite', async () => ({ options: {}, async [Symbol.asyncDispose]() {} })],
  // Left out only where there is no PostgreSQL: npm run services -- start. REQUIRE_ALL=1 fails the run then.
  ...(postgres === undefined ? [] : [['PostgreSQL', () => openPostgres(postgres.url)] as const]),
]
