/** The little that we need of a `pg` Pool, so that nothing here imports `pg`: bring the version that you have. */
export type PostgresPool = {
  connect(): Promise<PostgresClient>
  query(text: string, values?: unknown[]): Promise<PostgresResult>
  readonly options?: { readonly max?: number | undefined } | undefined
}

export type PostgresClient = {
  query(text: string, values?: unknown[]): Promise<PostgresResult>
  /** With an error, the pool throws the connection away instead of using it again. */
  release(error?: Error): void
  /** `pg` tells a lost connection by an event as well, which ends the process when nobody listens. */
  on?(event: 'error', listener: (error: Error) => void): unknown
  on?(event: 'notification', listener: (notification: PostgresNotification) => void): unknown
  /** Lets the process end while it is idle. */
  unref?(): void
  removeListener?(event: 'error', listener: (error: Error) => void): unknown
}

export type PostgresNotification = { readonly channel: string; readonly payload?: string | undefined }

export type PostgresResult = { readonly rows: readonly unknown[] }

/** What runs a statement: the pool for one on its own, a client inside a transaction. */
export type Queryable = Pick<PostgresPool, 'query'>

export async function all<Row>(on: Queryable, text: string, values: unknown[] = []): Promise<readonly Row[]> {
  return (await on.query(text, values)).rows as readonly Row[]
}

export async function first<Row>(on: Queryable, text: string, values: unknown[] = []): Promise<Row | undefined> {
  return (await all<Row>(on, text, values))[0]
}

/** A deadlock or a serialization failure: the server undid the transaction, and doing it again is right. */
const transient: ReadonlySet<unknown> = new Set(['40001', '40P01'])
const maxAttempts = 5

/** Runs `work` in one transaction on a connection of its own, again when the server asks for that. */
export async function inTransaction<T>(pool: PostgresPool, work: (client: PostgresClient) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const client = await pool.connect()
    client.on?.('error', ignoreEvent)
    try {
      // Said, because the server's default may be stricter, and a snapshot that is older than our locks shows the past.
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
      const result = await work(client)
      await client.query('COMMIT')
      client.removeListener?.('error', ignoreEvent)
      client.release()
      return result
    } catch (error) {
      // A connection that cannot even roll back is broken, and must not go back to the pool.
      const broken = await client.query('ROLLBACK').then(
        () => undefined,
        (failure: unknown) => (failure instanceof Error ? failure : new Error('ROLLBACK failed')),
      )
      // A broken client keeps the listener: a second event follows when its socket ends.
      if (broken === undefined) client.removeListener?.('error', ignoreEvent)
      client.release(broken)
      if (attempt >= maxAttempts || broken !== undefined || !transient.has(sqlState(error))) throw error
    }
  }
}

/** The query that is under way rejects as well, and that is how we hear of it. */
function ignoreEvent(): void {}

/** The SQLSTATE of a server's error: `23505` is a unique violation, `42P01` an unknown table. */
export function sqlState(error: unknown): unknown {
  return error instanceof Error ? Reflect.get(error, 'code') : undefined
}
