import { MpesaStkError } from '../../core/errors.ts'
import type { SqliteDatabase } from './database.ts'
import { inTransaction } from './transaction.ts'

export type Migration = {
  readonly version: number
  readonly name: string
  readonly sql: string
  /** What SQL cannot do, in the same transaction. */
  readonly finish?: (database: SqliteDatabase) => void
}

/** The schema versions before and after; 0 is no tables at all. */
export type SchemaStep = { readonly from: number; readonly to: number }

/** Tables that are upgraded together. */
export type Schema = {
  /** The table that says which migrations were done. */
  readonly table: string
  /** In order, with the numbers of the other dialect; a migration that was released is never edited. */
  readonly migrations: readonly Migration[]
}

/**
 * Brings the file to the schema of this release, in one transaction. Safe to repeat.
 *
 * @throws MpesaStkError `MPESA_STK_SCHEMA_NEWER` when a newer release wrote the file.
 */
export function migrateSqlite(database: SqliteDatabase, { table, migrations }: Schema, now: Date): SchemaStep {
  const newest = migrations.length
  return inTransaction(database, () => {
    database.exec(
      `CREATE TABLE IF NOT EXISTS ${table} (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT`,
    )
    const current = schemaVersion(database, table)
    if (current > newest) {
      throw new MpesaStkError(
        'MPESA_STK_SCHEMA_NEWER',
        `the SQLite file has schema ${current} and this release knows ${newest}; run the release that wrote it, or a later one`,
      )
    }
    for (const { version, name, sql, finish } of migrations.slice(current)) {
      database.exec(sql)
      finish?.(database)
      database.prepare(`INSERT INTO ${table} VALUES (?, ?, ?)`).run(version, name, now.getTime())
    }
    return { from: current, to: newest }
  })
}

function schemaVersion(database: SqliteDatabase, table: string): number {
  const row = database.prepare(`SELECT coalesce(max(version), 0) AS version FROM ${table}`).get()
  return (row as { version: number }).version
}
