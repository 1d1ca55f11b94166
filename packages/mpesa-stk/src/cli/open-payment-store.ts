import { existsSync } from 'node:fs'
import { PostgresAdapter } from '../adapters/postgres.ts'
import { SqliteAdapter } from '../adapters/sqlite.ts'
import { describeError, MpesaStkError } from '../core/errors.ts'
import type { Store } from '../core/ports.ts'
import { openSqliteForReading } from '../store/sqlite/database.ts'
import { openPostgresPool } from './postgres-pool.ts'
import type { Terminal } from './terminal.ts'

/** What a command may ask of the store of payments: it changes nothing. */
export type ReadableStore = Pick<Store, 'findPayment' | 'readTrail' | 'listCallbacks'>

/**
 * Runs `work` on the store of payments that the options or the environment name. A SQLite file is looked into beside its owner.
 *
 * @throws MpesaStkError `MPESA_STK_CLI_USAGE`, `MPESA_STK_STORE_UNREACHABLE`
 */
export async function withPaymentStore<Result>(
  { environment }: Terminal,
  file: string | undefined,
  work: (store: ReadableStore) => Promise<Result>,
): Promise<Result> {
  const databaseUrl = environment['DATABASE_URL']?.trim() || null
  const path = file ?? (databaseUrl === null ? environment['MPESA_STORE_FILE']?.trim() : undefined)
  if (path) return withSqlite(path, work)
  if (databaseUrl !== null) return withPostgres(databaseUrl, work)
  throw new MpesaStkError(
    'MPESA_STK_CLI_USAGE',
    'where are the payments? Set DATABASE_URL, or name the SQLite file with --file or MPESA_STORE_FILE',
  )
}

async function withSqlite<Result>(path: string, work: (store: ReadableStore) => Promise<Result>): Promise<Result> {
  if (!existsSync(path)) throw new MpesaStkError('MPESA_STK_CLI_USAGE', `there is no file ${path}`)
  try {
    const store = new SqliteAdapter(await openSqliteForReading(path))
    try {
      return await work(store)
    } finally {
      await store.close()
    }
  } catch (cause) {
    throw toUnreachable(cause, path)
  }
}

async function withPostgres<Result>(url: string, work: (store: ReadableStore) => Promise<Result>): Promise<Result> {
  if (!(/^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url))) {
    throw new MpesaStkError('MPESA_STK_CONFIG_INVALID', 'DATABASE_URL must be a postgres:// URL')
  }
  const pool = await openPostgresPool(url, { max: 2 })
  try {
    return await work(new PostgresAdapter(pool))
  } catch (cause) {
    throw toUnreachable(cause, 'the database of DATABASE_URL')
  } finally {
    await pool.end()
  }
}

/** A driver's words may quote a phone number: its code is enough. */
function toUnreachable(cause: unknown, where: string): MpesaStkError {
  if (cause instanceof MpesaStkError) return cause
  const { name, code = name } = describeError(cause)
  return new MpesaStkError(
    'MPESA_STK_STORE_UNREACHABLE',
    `${where} cannot be read (${code}); \`mpesa-stk doctor\` looks`,
    {
      cause,
    },
  )
}
