import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { openSqliteDatabase } from '../store/sqlite/database.ts'
import { storeConformance } from '../testing.ts'
import { SqliteAdapter } from './sqlite.ts'

const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-sqlite-'))
afterAll(() => rmSync(folder, { recursive: true }))

let lastFile = 0
const newFile = (): string => join(folder, `store-${++lastFile}.db`)

async function openMigrated(path: string): Promise<SqliteAdapter> {
  const store = await SqliteAdapter.open(path)
  await store.migrate()
  return store
}

describe('SqliteAdapter is a Store', () => {
  const paths = new WeakMap<object, string>()
  const remember = (store: SqliteAdapter, path: string): SqliteAdapter => {
    paths.set(store, path)
    return store
  }
  const cases = storeConformance({
    async open() {
      const path = newFile()
      return remember(await openMigrated(path), path)
    },
    async reopen(store) {
      const path = paths.get(store) ?? ''
      await store.close()
      return remember(await openMigrated(path), path)
    },
  })
  for (const { name, run } of cases) test(name, run)
})

describe('the SQLite file', () => {
  test('commits with synchronous=FULL in WAL, on every connection', async () => {
    const database = await openSqliteDatabase(newFile())
    expect(database.prepare('PRAGMA synchronous').get()).toMatchObject({ synchronous: 2 })
    expect(database.prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'wal' })
    database.close()
  })

  test('is for its owner only', async () => {
    const path = newFile()
    const store = await openMigrated(path)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    await store.close()
  })

  test('refuses a second process with a clear error, and opens once the first has ended', async () => {
    const path = newFile()
    const store = await openMigrated(path)
    await expect(openInAnotherProcess(path)).resolves.toBe('MPESA_STK_SQLITE_IN_USE')
    await store.close()
    await expect(openInAnotherProcess(path)).resolves.toBe('opened')
  })

  test('keeps its lock when the same process opens it again, and by another name', async () => {
    const path = newFile()
    const store = await openMigrated(path)
    symlinkSync(path, `${path}.link`)
    for (const name of [path, `${path}.link`]) {
      await expect(SqliteAdapter.open(name)).rejects.toMatchObject({ code: 'MPESA_STK_SQLITE_IN_USE' })
      await expect(openInAnotherProcess(name)).resolves.toBe('MPESA_STK_SQLITE_IN_USE')
    }
    await store.close()
  })

  test('refuses a schema of a newer release', async () => {
    const path = newFile()
    await (await openMigrated(path)).close()
    const database = await openSqliteDatabase(path)
    database.prepare('INSERT INTO mpesa_migrations VALUES (?, ?, ?)').run(99, 'from the future', 0)
    const store = new SqliteAdapter(database)
    await expect(store.migrate()).rejects.toMatchObject({ code: 'MPESA_STK_SCHEMA_NEWER' })
    await store.close()
  })

  test('says that it was not migrated', async () => {
    const store = await SqliteAdapter.open(newFile())
    await expect(store.findPayment({ paymentId: 'x' })).rejects.toMatchObject({ code: 'MPESA_STK_STORE_NOT_MIGRATED' })
    await store.close()
  })

  test('lets nobody change or delete a line of the audit trail', async () => {
    const database = await openSqliteDatabase(newFile())
    const store = new SqliteAdapter(database)
    await store.migrate()
    database
      .prepare(
        "INSERT INTO mpesa_audit VALUES (1, 'p', 1, 'e', 0, 'initiation.reserved', 'initiate', NULL, 'reserved', '{}', 'h')",
      )
      .run()
    expect(() => database.exec("UPDATE mpesa_audit SET event = 'payment.settled'")).toThrow(/append-only/)
    expect(() => database.exec('DELETE FROM mpesa_audit')).toThrow(/append-only/)
    expect(() => database.exec('INSERT OR REPLACE INTO mpesa_audit SELECT * FROM mpesa_audit')).toThrow(/append-only/)
    await store.close()
  })
})

async function openInAnotherProcess(path: string): Promise<string> {
  const adapter = new URL('./sqlite.ts', import.meta.url).href
  const script = `
    const { SqliteAdapter } = await import(${JSON.stringify(adapter)})
    try { await (await SqliteAdapter.open(${JSON.stringify(path)})).close(); console.log('opened') }
    catch (error) { console.log(error.code) }`
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--import',
    'tsx',
    '--input-type=module',
    '-e',
    script,
  ])
  return stdout.trim()
}
