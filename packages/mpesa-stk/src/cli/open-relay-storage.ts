import { join } from 'node:path'
import { PostgresRelayAdapter } from '../adapters/relay-postgres.ts'
import { SqliteRelayAdapter } from '../adapters/relay-sqlite.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { describeError, MpesaStkError } from '../core/errors.ts'
import type { Logger } from '../core/ports.ts'
import { openSqliteDatabase, type SqliteDatabase } from '../store/sqlite/database.ts'
import { openPostgresPool } from './postgres-pool.ts'
import type { RelayConfig } from './relay-config.ts'

const connections = 10

/** The store that the configuration names. Its `close` ends what was opened for it. */
export async function openRelayStorage(
  { databaseUrl, dataFolder }: RelayConfig,
  logger: Logger,
): Promise<{ readonly storage: RelayStorage; readonly name: string; close(): Promise<void> }> {
  if (databaseUrl === null) {
    const storage = new SqliteRelayAdapter(await openRelayFile(dataFolder))
    return { storage, name: 'sqlite', close: () => storage.close() }
  }
  const pool = await openPostgresPool(databaseUrl, {
    max: connections,
    onLost: () => logger.warn({}, 'a connection to the database was lost'),
  })
  return { storage: new PostgresRelayAdapter(pool), name: 'postgres', close: () => pool.end() }
}

/** The relay's file in its data folder. */
export function openRelayFile(dataFolder: string): Promise<SqliteDatabase> {
  return openSqliteFile(join(dataFolder, 'relay.db'), {
    inUse:
      '(a relay, or the demo of npm start); stop it, or set RELAY_DATA_DIR to another folder, or DATABASE_URL to share a database',
    lookAt: 'RELAY_DATA_DIR',
  })
}

/** What is wrong with the folder or the file, and what to do, in the words of this command. */
export async function openSqliteFile(
  path: string,
  words: { readonly inUse: string; readonly lookAt: string },
): Promise<SqliteDatabase> {
  try {
    return await openSqliteDatabase(path)
  } catch (cause) {
    if (cause instanceof MpesaStkError && cause.code === 'MPESA_STK_SQLITE_IN_USE') {
      throw new MpesaStkError(cause.code, `another process has ${path} open ${words.inUse}`, { cause })
    }
    if (cause instanceof MpesaStkError) throw cause
    const why = describeError(cause)['code'] ?? describeError(cause)['message']
    throw new MpesaStkError(
      'MPESA_STK_CONFIG_INVALID',
      `${path} cannot be opened or made (${why}); look at ${words.lookAt}`,
      { cause },
    )
  }
}
