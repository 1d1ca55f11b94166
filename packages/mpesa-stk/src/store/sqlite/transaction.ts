import type { SqliteDatabase } from './database.ts'

/**
 * Runs `work` in one transaction. Both drivers are synchronous, so nothing else of this process can come between, and
 * no other process can hold the file.
 */
export function inTransaction<T>(database: SqliteDatabase, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // A full disk rolls back by itself, and then ROLLBACK fails too; the first error is the one to tell.
    try {
      database.exec('ROLLBACK')
    } catch {}
    throw error
  }
}
