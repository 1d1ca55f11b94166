import { join } from 'node:path'
import { PostgresRelayAdapter } from '../adapters/relay-postgres.ts'
import { SqliteRelayAdapter } from '../adapters/relay-sqlite.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { describeError, MpesaStkError } from '../core/errors.ts'
import type { Logger } from '../core/ports.ts'
import type { PostgresPool } from '../store/postgres/pool.ts'
import type { RelayConfig } from './relay-config.ts'

/** Safaricom waits for a few seconds: a database that hangs longer is one that is away. */
const queryTimeoutMs = 3_000
const connectTimeoutMs = 2_000
const connections = 10

type PoolLike = PostgresPool & { on(event: 'error', listener: (error: Error) => void): unknown; end(): Promise<void> }
type PgModule = { readonly default: { readonly Pool: new (options: object) => PoolLike } }

/** The store that the configuration names. Its `close` ends what was opened for it. */
export async function openRelayStorage(
  { databaseUrl, dataFolder }: RelayConfig,
  logger: Logger,
): Promise<{ readonly storage: RelayStorage; readonly name: string; close(): Promise<void> }> {
  if (databaseUrl === null) {
    const storage = await openSqlite(join(dataFolder, 'relay.db'))
    return { storage, name: 'sqlite', close: () => storage.close() }
  }
  const { Pool } = (await loadPg()).default
  const pool = new Pool({
    connectionString: databaseUrl,
    max: connections,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: queryTimeoutMs,
  })
  pool.on('error', () => logger.warn({}, 'a connection to the database was lost'))
  return { storage: new PostgresRelayAdapter(pool), name: 'postgres', close: () => pool.end() }
}

/** What is wrong with the folder or the file, and what to do, in the words of this command. */
async function openSqlite(path: string): Promise<SqliteRelayAdapter> {
  try {
    return await SqliteRelayAdapter.open(path)
  } catch (cause) {
    if (cause instanceof MpesaStkError && cause.code === 'MPESA_STK_SQLITE_IN_USE') {
      throw new MpesaStkError(
        cause.code,
        `another process has ${path} open (a relay, or the demo of npm start); stop it, or set RELAY_DATA_DIR to another folder, or DATABASE_URL to share a database`,
        { cause },
      )
    }
    if (cause instanceof MpesaStkError) throw cause
    const why = describeError(cause)['code'] ?? describeError(cause)['message']
    throw new MpesaStkError(
      'MPESA_STK_CONFIG_INVALID',
      `${path} cannot be opened or made (${why}); look at RELAY_DATA_DIR`,
      { cause },
    )
  }
}

async function loadPg(): Promise<PgModule> {
  // The name is computed so that bundlers leave it alone: it is there only where somebody installed it.
  const name = 'pg'
  try {
    return (await import(name)) as PgModule
  } catch (cause) {
    throw new MpesaStkError('MPESA_STK_CONFIG_INVALID', 'DATABASE_URL needs the package pg: `npm install pg`', {
      cause,
    })
  }
}
