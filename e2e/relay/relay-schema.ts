import { randomBytes } from 'node:crypto'
import { PostgresRelayAdapter } from 'mpesa-stk/server'
import { Pool } from 'pg'

/** A schema of one's own for relays that are processes of their own. */
export async function openRelaySchema(connectionString: string) {
  const schema = `relay_${process.pid}_${randomBytes(4).toString('hex')}`
  const options = `-c search_path=${schema}`
  const pool = new Pool({ connectionString, options })
  await pool.query(`CREATE SCHEMA ${schema}`)
  return {
    pool,
    storage: new PostgresRelayAdapter(pool),
    /** For a relay, by another way than ours if there is one. */
    url(port?: number): string {
      const url = new URL(connectionString)
      if (port !== undefined) url.port = String(port)
      url.searchParams.set('options', options)
      return url.href
    },
    async [Symbol.asyncDispose]() {
      await pool.query(`DROP SCHEMA ${schema} CASCADE`)
      await pool.end()
    },
  }
}
