import { existsSync } from 'node:fs'
import { openPostgresPool } from '../cli/postgres-pool.ts'
import { MpesaStkError } from '../core/errors.ts'
import { openSqliteDatabase, openSqliteForReading, type SqliteDatabase } from '../store/sqlite/database.ts'
import type { Schema } from '../store/sqlite/migrate.ts'
import { migrateSqlite } from '../store/sqlite/migrate.ts'

/** A store that is looked into and not changed. */
export type StoreLook = AsyncDisposable & {
  /** In which dialect its statements are. */
  readonly dialect: 'postgres' | 'sqlite'
  rows<Row>(sql: string): Promise<readonly Row[]>
}

/** Every table's columns, as `table.column`, and the indexes that have a name, of the tables of this package. */
const shapeSql = {
  postgres: `SELECT c.relname || '.' || a.attname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
      WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND pg_table_is_visible(c.oid)
        AND c.relname ~ '^(mpesa|relay)_'
    UNION ALL SELECT relname FROM pg_class
      WHERE relkind = 'i' AND pg_table_is_visible(oid) AND relname ~ '^(mpesa|relay)_'`,
  sqlite: `SELECT m.name || '.' || c.name AS name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
      WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
    UNION ALL SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL`,
} as const

/** Null for a SQLite file that there is not: opening would make it. */
export async function openStoreLook(where: { readonly databaseUrl: string } | { readonly path: string }) {
  if ('databaseUrl' in where) return openPostgresLook(where.databaseUrl)
  return existsSync(where.path) ? openSqliteLook(await openSqliteForReading(where.path)) : null
}

async function openPostgresLook(databaseUrl: string): Promise<StoreLook> {
  const pool = await openPostgresPool(databaseUrl, { max: 1 })
  return {
    dialect: 'postgres',
    rows: async <Row>(sql: string) => (await pool.query(sql)).rows as readonly Row[],
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

function openSqliteLook(database: SqliteDatabase): StoreLook {
  return {
    dialect: 'sqlite',
    rows: async <Row>(sql: string) => database.prepare(sql).all() as readonly Row[],
    async [Symbol.asyncDispose]() {
      database.close()
    },
  }
}

export async function readShape(look: StoreLook): Promise<readonly string[]> {
  return (await look.rows<{ readonly name: string }>(shapeSql[look.dialect])).map(({ name }) => name)
}

/**
 * The shape that migrations make: they are run in memory. Both dialects have the same tables, columns and named indexes, but for
 * what PostgreSQL needs in addition. Null without a SQLite driver.
 */
export async function expectedShape(schema: Schema): Promise<readonly string[] | null> {
  try {
    const database = await openSqliteDatabase(':memory:')
    migrateSqlite(database, schema, new Date(0))
    await using look = openSqliteLook(database)
    return await readShape(look)
  } catch (error) {
    if (error instanceof MpesaStkError && error.code === 'MPESA_STK_SQLITE_DRIVER_MISSING') return null
    throw error
  }
}
