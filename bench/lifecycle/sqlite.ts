import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SqliteAdapter } from 'mpesa-stk'
import { openSqliteDatabase } from '../../packages/mpesa-stk/src/store/sqlite/database.ts'
import type { Measurement } from '../measurement.ts'
import { measureSettling } from './settling.ts'

const count = 500

/** On the embedded store, one by one: it has one writer. */
export async function measureSqlite(): Promise<Measurement[]> {
  // In the repository and not in the temp dir, which may be memory and then flushes nothing.
  const data = fileURLToPath(new URL('../../.data', import.meta.url))
  mkdirSync(data, { recursive: true })
  const folder = mkdtempSync(join(data, 'bench-'))
  const database = await openSqliteDatabase(join(folder, 'limit.db'))
  const store = await SqliteAdapter.open(join(folder, 'payments.db'))
  try {
    await store.migrate()
    database.exec('CREATE TABLE counters (id INTEGER PRIMARY KEY, value INTEGER NOT NULL)')
    database.exec('INSERT INTO counters VALUES (1, 0)')
    const update = database.prepare('UPDATE counters SET value = value + 1 WHERE id = 1')
    const limit = { name: 'SQLite: one row updated, committed', update: async () => update.run() }
    return await measureSettling(store, 'SQLite', limit, { count, callers: 1 })
  } finally {
    await store.close()
    database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
