import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { openPostgresPool } from '../cli/postgres-pool.ts'
import type { Schema as PostgresSchema } from '../store/postgres/migrate.ts'
import { inTransaction, type Queryable } from '../store/postgres/pool.ts'
import { openSqliteDatabase, openSqliteForReading, type SqliteDatabase } from '../store/sqlite/database.ts'
import { migrateSqlite, type Schema as SqliteSchema } from '../store/sqlite/migrate.ts'

/** The same tables in both dialects. */
export type StoreSchema = { readonly postgres: PostgresSchema; readonly sqlite: SqliteSchema }

/** A store that is looked into, and left as it is. */
export type StoreLook = AsyncDisposable & {
  rows<Row>(sql: string): Promise<readonly Row[]>
  /** Columns as `table.column`, indexes and triggers of the tables of this package. */
  shape(): Promise<readonly string[]>
  /** The shape that the migrations of this release make here; null where the store does not let us try. */
  expectedShape(schema: StoreSchema): Promise<readonly string[] | null>
}

type Named = { readonly name: string }

/** Null for a SQLite file that there is not: opening would make it. */
export async function openStoreLook(
  where: { readonly databaseUrl: string } | { readonly path: string },
): Promise<StoreLook | null> {
  if ('databaseUrl' in where) return openPostgresLook(where.databaseUrl)
  return existsSync(where.path) ? openSqliteLook(await openSqliteForReading(where.path)) : null
}

async function openPostgresLook(databaseUrl: string): Promise<StoreLook> {
  const pool = await openPostgresPool(databaseUrl, { max: 1 })
  return {
    rows: async <Row>(sql: string) => (await pool.query(sql)).rows as readonly Row[],
    shape: () => postgresShape(pool, 'pg_table_is_visible(c.oid)'),
    async expectedShape({ postgres }) {
      // In a transaction that is undone: nothing of it is ever seen by others, or stays.
      let shape: readonly string[] | null = null
      const scratch = `mpesa_stk_doctor_${randomBytes(6).toString('hex')}`
      await inTransaction(pool, async client => {
        await client.query(`CREATE SCHEMA ${scratch}; SET LOCAL search_path TO ${scratch}`)
        for (const { sql, finish } of postgres.migrations) {
          await client.query(sql)
          await finish?.(client)
        }
        shape = await postgresShape(client, `c.relnamespace = '${scratch}'::regnamespace`)
        throw undo
      }).catch((error: unknown) => {
        // A role may not be allowed to, and a replica lets nobody.
        if (error !== undo) shape = null
      })
      return shape
    },
    [Symbol.asyncDispose]: () => pool.end(),
  }
}

const undo = new Error('undone')

async function postgresShape(on: Queryable, where: string): Promise<readonly string[]> {
  const { rows } = await on.query(
    `SELECT c.relname || '.' || a.attname AS name FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
       WHERE c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped AND c.relname ~ '^(mpesa|relay)_' AND ${where}
     UNION ALL
     SELECT c.relname FROM pg_class c WHERE c.relkind = 'i' AND c.relname ~ '^(mpesa|relay)_' AND ${where}
     UNION ALL
     SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND ${where}`,
  )
  return (rows as readonly Named[]).map(({ name }) => name)
}

function openSqliteLook(database: SqliteDatabase): StoreLook {
  return {
    rows: async <Row>(sql: string) => database.prepare(sql).all() as readonly Row[],
    shape: async () => sqliteShape(database),
    async expectedShape({ sqlite }) {
      const fresh = await openSqliteDatabase(':memory:')
      migrateSqlite(fresh, sqlite, new Date(0))
      const shape = sqliteShape(fresh)
      fresh.close()
      return shape
    },
    async [Symbol.asyncDispose]() {
      database.close()
    },
  }
}

function sqliteShape(database: SqliteDatabase): readonly string[] {
  const rows = database
    .prepare(
      `SELECT m.name || '.' || c.name AS name FROM sqlite_schema m JOIN pragma_table_info(m.name) c
         WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
       UNION ALL SELECT name FROM sqlite_schema WHERE type IN ('index', 'trigger')`,
    )
    .all()
  return (rows as readonly Named[]).map(({ name }) => name)
}
