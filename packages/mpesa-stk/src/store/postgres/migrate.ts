import { MpesaStkError } from '../../core/errors.ts'
import { sql as payments } from '../migrations/postgres/0001-payments.ts'
import { sql as accessTokens } from '../migrations/postgres/0002-access-tokens.ts'
import { sql as dueWork } from '../migrations/postgres/0003-due-work.ts'
import { sql as auditChain } from '../migrations/postgres/0004-audit-chain.ts'
import { sql as polling } from '../migrations/postgres/0005-polling.ts'
import { sql as reconciliations } from '../migrations/postgres/0006-reconciliations.ts'
import { sql as lookUps } from '../migrations/postgres/0007-look-ups.ts'
import { sql as firstTries } from '../migrations/postgres/0008-first-tries.ts'
import { chainOldEntries } from './chain-old-entries.ts'
import { all, first, inTransaction, type PostgresPool, type Queryable } from './pool.ts'

type Migration = {
  readonly version: number
  readonly name: string
  readonly sql: string
  /** What SQL cannot do, in the same transaction. */
  readonly finish?: (client: Queryable) => Promise<void>
}

/** In order, with the numbers of SQLite's; a migration that was released is never edited. */
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

/** Any number that no other program locks: "mpesa" in ASCII. */
const lockId = 0x6d70657361

/**
 * Brings the database to the schema of this release, in one transaction. Safe to repeat, and from several processes at
 * once: they queue for an advisory lock.
 *
 * @throws MpesaStkError `MPESA_STK_SCHEMA_NEWER` when a newer release wrote the schema.
 */
export async function migratePostgres(pool: PostgresPool): Promise<void> {
  // Nothing to do needs no right to create, which the role of a running service may not have.
  if ((await schemaVersion(pool)) === newest) return
  await inTransaction(pool, async client => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [lockId])
    await client.query(
      'CREATE TABLE IF NOT EXISTS mpesa_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL)',
    )
    const current = await schemaVersion(client)
    if (current > newest) {
      throw new MpesaStkError(
        'MPESA_STK_SCHEMA_NEWER',
        `the database has schema ${current} and this release knows ${newest}; run the release that wrote it, or a later one`,
      )
    }
    for (const { version, name, sql, finish } of migrations.slice(current)) {
      await client.query(sql)
      await finish?.(client)
      await all(client, 'INSERT INTO mpesa_migrations VALUES ($1, $2, now())', [version, name])
    }
  })
}

async function schemaVersion(on: Queryable): Promise<number> {
  const table = await first<{ name: string | null }>(on, "SELECT to_regclass('mpesa_migrations')::text AS name")
  if (table?.name == null) return 0
  const found = await first<{ version: number }>(
    on,
    'SELECT coalesce(max(version), 0) AS version FROM mpesa_migrations',
  )
  return found?.version ?? 0
}
