import { Pool } from 'pg'

/** As many connections as callers at once. */
export const poolSize = 16

let lastNumber = 0

/**
 * Gives `work` a pool whose connections see nothing but a fresh schema, and drops that afterwards, also when `work` fails
 * or somebody breaks it off with Ctrl-C.
 */
export async function withSchema<T>(url: string, work: (pool: Pool) => Promise<T>): Promise<T> {
  const schema = `bench_${process.pid}_${++lastNumber}`
  const options = `-c search_path=${schema} -c application_name=${schema}`
  const keeper = new Pool({ connectionString: url, max: 1 })
  const pool = new Pool({ connectionString: url, max: poolSize, options })
  pool.on('error', () => {})
  let breakOff = (_signal: string): void => {}
  const brokenOff = new Promise<never>((_resolve, reject) => {
    breakOff = signal => reject(new Error(`broken off by ${signal}; dropping ${schema}`))
  })
  process.once('SIGINT', breakOff).once('SIGTERM', breakOff)
  try {
    await keeper.query(`CREATE SCHEMA ${schema}`)
    return await Promise.race([work(pool), brokenOff])
  } finally {
    process.off('SIGINT', breakOff).off('SIGTERM', breakOff)
    // A statement that still runs would hold its tables.
    await keeper.query('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = $1', [
      schema,
    ])
    await keeper.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
    await Promise.all([pool.end(), keeper.end()])
  }
}
