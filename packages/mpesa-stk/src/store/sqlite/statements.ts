import { MpesaStkError } from '../../core/errors.ts'
import type { SqliteDatabase, SqliteStatement, SqliteValue } from './database.ts'

/** A database's statements, each prepared once. */
export class SqliteStatements {
  readonly #database: SqliteDatabase
  readonly #prepared = new Map<string, SqliteStatement>()

  constructor(database: SqliteDatabase) {
    this.#database = database
  }

  run(sql: string, values: SqliteValue[]): void {
    this.#prepare(sql).run(...values)
  }

  get<Row>(sql: string, values: SqliteValue[]): Row | undefined {
    // Not the driver's get(): it leaves the statement in the middle of its rows, and libsql adds a property of its own.
    return this.all<Row>(sql, values)[0]
  }

  all<Row>(sql: string, values: SqliteValue[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[]
  }

  clear(): void {
    this.#prepared.clear()
  }

  #prepare(sql: string): SqliteStatement {
    const known = this.#prepared.get(sql)
    if (known !== undefined) return known
    try {
      const statement = this.#database.prepare(sql)
      this.#prepared.set(sql, statement)
      return statement
    } catch (cause) {
      if (!(cause instanceof Error) || !/no such table: (mpesa|relay)_/.test(cause.message)) throw cause
      throw new MpesaStkError(
        'MPESA_STK_STORE_NOT_MIGRATED',
        'the SQLite file has no tables yet; call `await store.migrate()` once at every start',
        { cause },
      )
    }
  }
}
