import { realpathSync } from 'node:fs'
import { MpesaStkError } from '../../core/errors.ts'
import { createPrivately } from './create-privately.ts'

/** The few calls that we need of a SQLite driver: `node:sqlite` and `libsql` both fit. */
export type SqliteDatabase = {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): void
}

export type SqliteValue = string | number | null | Uint8Array

export type SqliteStatement = {
  run(...values: SqliteValue[]): unknown
  get(...values: SqliteValue[]): unknown
  all(...values: SqliteValue[]): unknown[]
}

/**
 * Set on every connection. WAL with `synchronous=FULL` makes a commit survive power loss on a disk that honours flush.
 * The wait is for people who look into the file with a tool of their own while we run.
 */
const pragmas = [
  'PRAGMA journal_mode = WAL',
  'PRAGMA synchronous = FULL',
  'PRAGMA foreign_keys = ON',
  'PRAGMA busy_timeout = 1000',
]

/**
 * Opens a SQLite file with the driver that this Node has, creating it (and folders that are missing) for its owner's
 * eyes only: it holds phone numbers. `:memory:` opens a database that lives as long as this process.
 *
 * @throws MpesaStkError `MPESA_STK_SQLITE_DRIVER_MISSING` or `MPESA_STK_SQLITE_IN_USE`.
 */
export async function openSqliteDatabase(file: string): Promise<SqliteDatabase> {
  const open = await loadDriver()
  if (file === ':memory:') return open(file)
  createPrivately(file)
  // One file has one lock, by whatever name it is opened.
  const path = realpathSync(file)
  const unlock = lock(open, `${path}.lock`)
  try {
    const database = open(path)
    for (const pragma of pragmas) database.prepare(pragma).all()
    return {
      exec: sql => database.exec(sql),
      prepare: sql => database.prepare(sql),
      close() {
        database.close()
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}

/**
 * Opens a SQLite file that is there, to look into it while its owner goes on: without the owner's lock, and nothing can be
 * written.
 *
 * @throws MpesaStkError `MPESA_STK_SQLITE_DRIVER_MISSING`
 */
export async function openSqliteForReading(file: string): Promise<SqliteDatabase> {
  const open = await loadDriver()
  const database = open(realpathSync(file))
  for (const pragma of ['PRAGMA busy_timeout = 1000', 'PRAGMA query_only = ON']) database.prepare(pragma).all()
  return database
}

/**
 * A lock of this name for one process: until it is given back, or the process ends.
 *
 * @throws MpesaStkError `MPESA_STK_SQLITE_DRIVER_MISSING` or `MPESA_STK_SQLITE_IN_USE`.
 */
export async function lockFile(path: string): Promise<() => void> {
  return lock(await loadDriver(), path)
}

/**
 * One process owns the store: a transaction that is never committed, on a file beside it, which the system ends with the
 * process, kill -9 included. SQLite's own exclusive mode on the store was tried: libsql keeps a closed connection, and
 * so its lock, until the garbage collector has taken its statements, and a store could not be opened again.
 */
function lock(open: OpenDatabase, path: string): () => void {
  createPrivately(path)
  const holder = open(path)
  try {
    holder.exec('PRAGMA busy_timeout = 1000')
    holder.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    holder.close()
    if (!isBusy(cause)) throw cause
    throw new MpesaStkError(
      'MPESA_STK_SQLITE_IN_USE',
      'another process has this SQLite file open; stop it, or use PostgresAdapter to share a store between processes',
      { cause },
    )
  }
  return () => {
    holder.exec('ROLLBACK')
    holder.close()
  }
}

type OpenDatabase = (path: string) => SqliteDatabase

/** `node:sqlite` is stable from Node 24 on; before that, libsql's binary comes inside its npm package. */
async function loadDriver(): Promise<OpenDatabase> {
  try {
    if (Number(process.versions.node.split('.')[0]) >= 24) {
      // The name is computed so that bundlers and the types of Node 20 leave it alone.
      const name = 'node:sqlite'
      const { DatabaseSync } = (await import(name)) as { DatabaseSync: new (path: string) => SqliteDatabase }
      return path => new DatabaseSync(path)
    }
    const { default: Database } = await import('libsql')
    return path => new Database(path) as SqliteDatabase
  } catch (cause) {
    throw new MpesaStkError(
      'MPESA_STK_SQLITE_DRIVER_MISSING',
      'no SQLite driver: run on Node 24 or later, or `npm install libsql`',
      { cause },
    )
  }
}

function isBusy(error: unknown): boolean {
  return (
    error instanceof Error && /database is locked|SQLITE_BUSY/i.test(`${error.message} ${Reflect.get(error, 'code')}`)
  )
}
