import { appendFileSync, closeSync, fsyncSync, openSync, writeSync } from 'node:fs'
import {
  type Clock,
  type Logger,
  type MpesaConfig,
  MpesaStk,
  PostgresAdapter,
  SqliteAdapter,
  type Store,
  type Transition,
} from 'mpesa-stk'
import { Pool } from 'pg'
import { interceptStore } from '../intercept-store.ts'
import { startCallbackServer } from '../local-server.ts'

/** Where a life is lived: the same for the one that is killed and the one that comes after. */
export type World = {
  /** A SQLite file, or a PostgreSQL schema. */
  readonly store: { readonly path: string } | { readonly url: string; readonly schema: string }
  readonly darajaUrl: string
  readonly callbackPort: number
  /** A line for each call of the handler, on the disk before the handler returns. */
  readonly handled: string
}

export const order = {
  phoneNumber: '0712345678',
  amount: 500,
  accountReference: 'ORDER-123',
  idempotencyKey: 'ORDER-123',
} as const

const silent: Logger = { info() {}, warn() {}, error() {} }

/** Opens the store, the library and the callback route of a world. `atStep` is told before and after each step that could be the last. */
export async function openLife(
  world: World,
  {
    atStep = async () => {},
    clock,
  }: { readonly atStep?: (label: string) => Promise<void>; readonly clock?: Clock } = {},
) {
  const opened = await openStore(world)
  const store = interceptStore(opened.store, async (name, pass, args) => {
    const label = `store.${name}${detailOf(name, args)}`
    await atStep(`before ${label}`)
    const result = await pass()
    await atStep(`after ${label}`)
    return result
  })
  await opened.store.migrate()
  const config: MpesaConfig = {
    consumerKey: 'key',
    consumerSecret: 'secret',
    passKey: 'passkey',
    shortCode: '174379',
    environment: 'sandbox',
    callbackUrl: `http://127.0.0.1:${world.callbackPort}/payments/callback`,
    callbackToken: 'path',
    baseUrl: world.darajaUrl,
    timeoutMs: 5_000,
    pollIntervalMs: 100,
    queriesPerMinute: 6_000,
  }
  const mpesa = new MpesaStk(config, store, { logger: silent, ...(clock && { clock }) })
  let isHandled = () => {}
  const handled = new Promise<void>(resolve => {
    isHandled = resolve
  })
  mpesa.onPaymentSettled((payment, { id, cause }) => {
    writeDurably(world.handled, JSON.stringify({ id, cause, status: payment.status }))
    isHandled()
  })
  const server = await startCallbackServer(async (path, body) => {
    await mpesa.processCallback(body, { token: /\/t\/([^/?]+)/.exec(path)?.[1] })
  }, world.callbackPort)
  return {
    mpesa,
    handled,
    async close() {
      await server.close()
      await mpesa.stop()
      await opened.close()
    },
  }
}

async function openStore({ store: where }: World): Promise<{ readonly store: Store; close(): Promise<void> }> {
  if ('path' in where) {
    const store = await SqliteAdapter.open(where.path)
    return { store, close: () => store.close() }
  }
  const pool = new Pool({ connectionString: where.url, max: 5, options: `-c search_path=${where.schema}` })
  pool.on('error', () => {})
  return { store: new PostgresAdapter(pool), close: () => pool.end() }
}

/** The one step that has many meanings says which it is. */
function detailOf(name: keyof Store, [first]: readonly unknown[]): string {
  return name === 'commitTransition' ? `(${(first as Transition).entry.event})` : ''
}

function writeDurably(path: string, line: string): void {
  const file = openSync(path, 'a')
  writeSync(file, `${line}\n`)
  fsyncSync(file)
  closeSync(file)
}

/** What a process had done, for whoever finds it dead. */
export function leaveNote(path: string, note: string): void {
  appendFileSync(path, note)
}
