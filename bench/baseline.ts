import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'libsql'
import { type Measurement, measureRate } from './measurement.ts'

const body = readFileSync(new URL('../fixtures/daraja/stk-callback/result-0.json', import.meta.url), 'utf8')
// As Safaricom sends it: without the spaces of our fixture.
const wireBody = JSON.stringify(JSON.parse(body))

/** What this machine can do at best. Numbers of other benches mean something only beside these, from the same machine. */
export async function baseline(): Promise<Measurement[]> {
  return [...(await commits()), ...(await measureRate('JSON.parse of one callback', () => JSON.parse(wireBody)))]
}

/** One row, one commit, one flush of the disk: what a store without group commit could do. */
async function commits(): Promise<Measurement[]> {
  // In the repository and not in the temp dir, which may be memory and then flushes nothing.
  const data = fileURLToPath(new URL('../.data', import.meta.url))
  mkdirSync(data, { recursive: true })
  const folder = mkdtempSync(join(data, 'bench-'))
  const database = new Database(join(folder, 'baseline.sqlite'))
  try {
    database.exec('PRAGMA journal_mode = WAL')
    database.exec('PRAGMA synchronous = FULL')
    database.exec('CREATE TABLE callbacks (id INTEGER PRIMARY KEY, body TEXT NOT NULL)')
    const insert = database.prepare('INSERT INTO callbacks (body) VALUES (?)')
    return await measureRate('SQLite commit of one row (WAL, FULL)', () => {
      insert.run(wireBody)
    })
  } finally {
    database.close()
    rmSync(folder, { recursive: true, force: true })
  }
}
