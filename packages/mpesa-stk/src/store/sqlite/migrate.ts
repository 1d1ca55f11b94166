import { MpesaStkError } from '../../core/errors.ts'
import { sql as payments } from '../migrations/sqlite/0001-payments.ts'
import { sql as accessTokens } from '../migrations/sqlite/0002-access-tokens.ts'
import { sql as dueWork } from '../migrations/sqlite/0003-due-work.ts'
import { sql as auditChain } from '../migrations/sqlite/0004-audit-chain.ts'
import { sql as polling } from '../migrations/sqlite/0005-polling.ts'
import { sql as reconciliations } from '../migrations/sqlite/0006-reconciliations.ts'
import { sql as lookUps } from '../migrations/sqlite/0007-look-ups.ts'
import { sql as firstTries } from '../migrations/sqlite/0008-first-tries.ts'
import { chainOldEntries } from './chain-old-entries.ts'
import type { SqliteDatabase } from './database.ts'
import { inTransaction } from './transaction.ts'

type Migration = {
  readonly version: number
  readonly name: string
  readonly sql: string
  /** What SQL cannot do, in the same transaction. */
  readonly finish?: (database: SqliteDatabase) => void
}

/** In order; a migration that was released is never edited. */
const migrations: readonly Migration[] = [
  { version: 1, name: 'payments', sql: payments },
  { version: 2, name: 'access-tokens', sql: accessTokens },
  { version: 3, name: 'due-work', sql: dueWork },
  { version: 4, name: 'audit-chain', sql: auditChain, finish: chainOldEntries },
  { version: 5, name: 'polling', sql: polling },
  { version: 6, name: 'reconciliations', sql: reconciliations },
  { version: 7, name: 'look-ups', sql: lookUps },
  { version: 8, name: 'first-tries', sql: firstTries },
]

const newest = migrations.length

/**
 * Brings the file to the schema of this release, in one transaction. Safe to repeat.
 *
 * @throws MpesaStkError `MPESA_STK_SCHEMA_NEWER` when a newer release wrote the file.
 */
export function migrateSqlite(database: SqliteDatabase, now: Date): void {
  inTransaction(database, () => {
    database.exec(
      'CREATE TABLE IF NOT EXISTS mpesa_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT',
    )
    const current = schemaVersion(database)
    if (current > newest) {
      throw new MpesaStkError(
        'MPESA_STK_SCHEMA_NEWER',
        `the SQLite file has schema ${current} and this release knows ${newest}; run the release that wrote it, or a later one`,
      )
    }
    for (const { version, name, sql, finish } of migrations.slice(current)) {
      database.exec(sql)
      finish?.(database)
      database.prepare('INSERT INTO mpesa_migrations VALUES (?, ?, ?)').run(version, name, now.getTime())
    }
  })
}

function schemaVersion(database: SqliteDatabase): number {
  const row = database.prepare('SELECT coalesce(max(version), 0) AS version FROM mpesa_migrations').get()
  return (row as { version: number }).version
}
