import type { Command } from 'commander'
import { MpesaStkError } from '../../core/errors.ts'
import { migratePostgres } from '../../store/postgres/migrate.ts'
import { paymentSchema as paymentsInPostgres } from '../../store/postgres/payment-schema.ts'
import { relaySchema as relayInPostgres } from '../../store/postgres/relay-schema.ts'
import type { SqliteDatabase } from '../../store/sqlite/database.ts'
import { migrateSqlite, type SchemaStep } from '../../store/sqlite/migrate.ts'
import { paymentSchema as paymentsInSqlite } from '../../store/sqlite/payment-schema.ts'
import { relaySchema as relayInSqlite } from '../../store/sqlite/relay-schema.ts'
import { openRelayFile, openSqliteFile } from '../open-relay-storage.ts'
import { openPostgresPool } from '../postgres-pool.ts'
import { readRelayConfig } from '../relay-config.ts'
import { toStoreError } from '../store-error.ts'
import { type CommonOptions, print, type Terminal } from '../terminal.ts'

type Options = CommonOptions & { readonly library?: true; readonly storeFile?: string }
type Migrated = SchemaStep & { readonly tables: 'relay' | 'library'; readonly where: string }

const help = `
The relay's tables are in DATABASE_URL, or in relay.db of RELAY_DATA_DIR; the library's in DATABASE_URL, or in the file of
--store-file or MPESA_STORE_FILE. A relay does this itself when it starts; run it before, where the relay's own user
may not make tables. Safe to repeat. A SQLite file has one owner: stop whoever has it open.`

export function addMigrateCommand(program: Command, terminal: Terminal): void {
  program
    .command('migrate')
    .description('make or upgrade the tables of the relay’s store, and with --library of the library’s')
    .option('--library', 'the tables of payments as well')
    .option('--store-file <path>', 'the library’s SQLite file, where that is not in DATABASE_URL')
    .addHelpText('after', help)
    .action(async (_options, command: Command) => {
      const options = command.optsWithGlobals<Options>()
      const { databaseUrl, dataFolder } = readRelayConfig(terminal.environment)
      // Before anything is changed: half of what was asked for is worse than nothing.
      const storeFile = options.library === true ? findStoreFile(options, terminal, databaseUrl) : null
      const migrated: Migrated[] = []
      if (databaseUrl === null)
        migrated.push(await inFile('relay', `${dataFolder}/relay.db`, openRelayFile(dataFolder)))
      else migrated.push(await inPostgres('relay', databaseUrl))
      if (storeFile !== null) migrated.push(await inFile('library', storeFile, openLibraryFile(storeFile)))
      else if (options.library === true && databaseUrl !== null) migrated.push(await inPostgres('library', databaseUrl))
      print(terminal, options, migrated, () => migrated.map(describe).join('\n'))
    })
}

/** Null: the library's tables are in the database. */
function findStoreFile({ storeFile }: Options, { environment }: Terminal, databaseUrl: string | null): string | null {
  const file = storeFile ?? (databaseUrl === null ? environment['MPESA_STORE_FILE']?.trim() || undefined : undefined)
  if (file === undefined && databaseUrl === null) {
    throw new MpesaStkError(
      'MPESA_STK_CLI_USAGE',
      '--library needs to know its store: DATABASE_URL, or a SQLite file by --store-file or MPESA_STORE_FILE',
    )
  }
  return file ?? null
}

const inSqlite = { relay: relayInSqlite, library: paymentsInSqlite }
const inDatabase = { relay: relayInPostgres, library: paymentsInPostgres }

async function inFile(tables: Migrated['tables'], where: string, opening: Promise<SqliteDatabase>): Promise<Migrated> {
  const database = await opening
  try {
    return { tables, where, ...migrateSqlite(database, inSqlite[tables], new Date()) }
  } catch (cause) {
    throw toStoreError(cause)
  } finally {
    database.close()
  }
}

async function inPostgres(tables: Migrated['tables'], databaseUrl: string): Promise<Migrated> {
  const pool = await openPostgresPool(databaseUrl, { max: 1, queryTimeoutMs: null })
  try {
    return { tables, where: 'DATABASE_URL', ...(await migratePostgres(pool, inDatabase[tables])) }
  } catch (cause) {
    throw toStoreError(cause)
  } finally {
    await pool.end()
  }
}

function openLibraryFile(path: string): Promise<SqliteDatabase> {
  return openSqliteFile(path, { inUse: '; stop it first', lookAt: '--store-file or MPESA_STORE_FILE' })
}

function describe({ tables, where, from, to }: Migrated): string {
  if (from === to) return `${tables}: schema ${to} in ${where}, nothing to do`
  return `${tables}: schema ${from === 0 ? 'none' : from} → ${to} in ${where}`
}
