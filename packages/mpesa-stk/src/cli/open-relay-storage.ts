import { join } from 'node:path'
import { PostgresRelayAdapter } from '../adapters/relay-postgres.ts'
import { SqliteRelayAdapter } from '../adapters/relay-sqlite.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { describeError, MpesaStkError } from '../core/errors.ts'
import type { Logger } from '../core/ports.ts'
import { openPostgresPool } from './postgres-pool.ts'
import type { RelayConfig } from './relay-config.ts'

const connections = 10

/** The store that the configuration names. Its `close` ends what was opened for it. */
export async function openRelayStorage(
  { databaseUrl, dataFolder }: RelayConfig,
  logger: Logger,
): Promise<{ readonly storage: RelayStorage; readonly name: string; close(): Promise<void> }> {
  if (databaseUrl === null) {
    const storage = await openSqlite(join(dataFolder, 'relay.db'))
    return { storage, name: 'sqlite', close: () => storage.close() }
  }
  const pool = await openPostgresPool(databaseUrl, {
    max: connections,
    onLost: () => logger.warn({}, 'a connection to the database was lost'),
  })
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
