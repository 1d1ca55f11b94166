import { MpesaStkError } from '../core/errors.ts'
import type { PostgresPool } from '../store/postgres/pool.ts'

export type OwnPool = PostgresPool & {
  on(event: 'error', listener: (error: Error) => void): unknown
  end(): Promise<void>
}

type PgModule = { readonly default: { readonly Pool: new (options: object) => OwnPool } }

/** Safaricom waits for a few seconds: a database that hangs longer is one that is away. */
const answersWithinMs = 3_000
const connectTimeoutMs = 2_000

export type PoolOptions = {
  readonly max: number
  /** Null: a query may take as long as it does. Default 3,000. */
  readonly queryTimeoutMs?: number | null
  /** A connection was lost while nobody used it. Default: that is nobody's trouble. */
  readonly onLost?: () => void
}

/** A pool of connections, to be ended by whoever opened it. */
export async function openPostgresPool(
  databaseUrl: string,
  { max, queryTimeoutMs = answersWithinMs, onLost = () => {} }: PoolOptions,
): Promise<OwnPool> {
  const { Pool } = (await loadPg()).default
  const pool = new Pool({
    connectionString: databaseUrl,
    max,
    connectionTimeoutMillis: connectTimeoutMs,
    ...(queryTimeoutMs !== null && { query_timeout: queryTimeoutMs }),
  })
  pool.on('error', onLost)
  return pool
}

async function loadPg(): Promise<PgModule> {
  // The name is computed so that bundlers leave it alone: it is there only where somebody installed it.
  const name = 'pg'
  try {
    return (await import(name)) as PgModule
  } catch (cause) {
    throw new MpesaStkError('MPESA_STK_CONFIG_INVALID', 'DATABASE_URL needs the package pg: `npm install pg`', {
      cause,
    })
  }
}
