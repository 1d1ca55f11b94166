import { MpesaStkError } from '../../core/errors.ts'
import { all, first, inTransaction, type PostgresPool, type Queryable } from './pool.ts'

export type Migration = {
  readonly version: number
  readonly name: string
  readonly sql: string
  /** What SQL cannot do, in the same transaction. */
  readonly finish?: (client: Queryable) => Promise<void>
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

/** Any number that no other program locks: "mpesa" in ASCII. */
const lockId = 0x6d70657361

/**
 * Brings the database to the schema of this release, in one transaction. Safe to repeat, and from several processes at
 * once: they queue for an advisory lock.
 *
 * @throws MpesaStkError `MPESA_STK_SCHEMA_NEWER` when a newer release wrote the schema.
 */
export async function migratePostgres(pool: PostgresPool, { table, migrations }: Schema): Promise<SchemaStep> {
  const newest = migrations.length
  // Nothing to do needs no right to create, which the role of a running service may not have.
  if ((await schemaVersion(pool, table)) === newest) return { from: newest, to: newest }
  return inTransaction(pool, async client => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [lockId])
    await client.query(
      `CREATE TABLE IF NOT EXISTS ${table} (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TIMESTAMPTZ NOT NULL)`,
    )
    const current = await schemaVersion(client, table)
    if (current > newest) {
      throw new MpesaStkError(
        'MPESA_STK_SCHEMA_NEWER',
        `the database has schema ${current} and this release knows ${newest}; run the release that wrote it, or a later one`,
      )
    }
    for (const { version, name, sql, finish } of migrations.slice(current)) {
      await client.query(sql)
      await finish?.(client)
      await all(client, `INSERT INTO ${table} VALUES ($1, $2, now())`, [version, name])
    }
    return { from: current, to: newest }
  })
}

async function schemaVersion(on: Queryable, name: string): Promise<number> {
  const table = await first<{ name: string | null }>(on, 'SELECT to_regclass($1)::text AS name', [name])
  if (table?.name == null) return 0
  const found = await first<{ version: number }>(on, `SELECT coalesce(max(version), 0) AS version FROM ${name}`)
  return found?.version ?? 0
}
