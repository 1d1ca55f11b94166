import { openRelaySchema } from '../../e2e/relay/relay-schema.ts'
import { findServices } from '../../scripts/services/find.ts'

export type BenchStore = {
  readonly store: string
  /** An empty one, for a relay that is told of it by its environment. */
  readonly open: () => Promise<AsyncDisposable & { readonly environment: Readonly<Record<string, string>> }>
}

export async function findStores(): Promise<readonly BenchStore[]> {
  const sqlite = { store: 'SQLite', open: async () => ({ environment: {}, async [Symbol.asyncDispose]() {} }) }
  const { postgres } = await findServices()
  if (postgres === undefined) {
    console.error('PostgreSQL is not there and was left out: npm run services -- start')
    return [sqlite]
  }
  const open = async () => {
    const schema = await openRelaySchema(postgres.url)
    return { environment: { DATABASE_URL: schema.url() }, [Symbol.asyncDispose]: schema[Symbol.asyncDispose] }
  }
  return [sqlite, { store: 'PostgreSQL', open }]
}
