import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { MpesaStkError } from '../core/errors.ts'
import type { Logger } from '../core/ports.ts'
import { createRelayServer } from '../http/relay-server.ts'
import { toRelayError } from '../relay-link/relay-problem.ts'
import { openRelayStorage } from './open-relay-storage.ts'
import { refuseLostKey } from './refuse-lost-key.ts'
import { readRelayConfig } from './relay-config.ts'
import { toStoreError } from './store-error.ts'
import type { CommonOptions, Terminal } from './terminal.ts'

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

/** The relay's HTTP interface: a relay that runs, or the same code on the data of one that does not. */
export type RelayClient = AsyncDisposable & {
  /** Where it is, to be named in messages. */
  readonly where: string
  /** False: its store is opened in this process, and nothing is delivered before a relay runs. */
  readonly isRunning: boolean
  /** @throws MpesaStkError with the relay's own code, or `MPESA_STK_RELAY_UNREACHABLE` */
  ask<Answer>(method: Method, path: string, body?: unknown): Promise<Answer>
}

/** The query of a path, of what is there. */
export function queryOf(fields: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined)
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`
}

type Fetch = (path: string, init: RequestInit) => Promise<Response>

const defaultPort = '3000'
const deadlineMs = 30_000

/**
 * Opens the relay that the options and the environment name. Where none was named, none runs on this machine, and there is
 * the data of one here, its store is opened in this process for as long as the command takes: the file has one owner.
 *
 * @throws MpesaStkError `MPESA_STK_RELAY_UNREACHABLE`, `MPESA_STK_CLI_USAGE`
 */
export async function openRelayClient(terminal: Terminal, options: CommonOptions): Promise<RelayClient> {
  const { environment, signal } = terminal
  const named = options.relay ?? (environment['RELAY_URL'] || undefined)
  const url = named ?? `http://127.0.0.1:${environment['PORT'] || defaultPort}`
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new MpesaStkError('MPESA_STK_CLI_USAGE', '--relay and RELAY_URL take an http:// or https:// address')
  }
  const base = url.replace(/\/+$/, '')
  if (named === undefined && !(await answers(base))) return openHere(terminal)
  const token = readToken(terminal, options)
  return createClient(base, token, async (path, init) => {
    try {
      return await fetch(`${base}${path}`, {
        ...init,
        // To another scheme or host it would go without the token; after 301 or 302 a change would become a look.
        redirect: 'manual',
        signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]),
      })
    } catch (cause) {
      throw new MpesaStkError(
        'MPESA_STK_RELAY_UNREACHABLE',
        `no relay answers at ${base}; start it, or say where it is with --relay or RELAY_URL`,
        { cause },
      )
    }
  })
}

/** From a file or the environment, never from the command line, which every user of the machine can read. */
function readToken({ environment }: Terminal, { tokenFile }: CommonOptions): string | null {
  if (tokenFile === undefined) {
    return environment['RELAY_ADMIN_TOKEN'] || environment['RELAY_SIGNING_SECRET'] || null
  }
  try {
    return readFileSync(tokenFile, 'utf8').trim()
  } catch (cause) {
    throw new MpesaStkError('MPESA_STK_CLI_USAGE', `the file of --token-file cannot be read: ${tokenFile}`, { cause })
  }
}

async function answers(base: string): Promise<boolean> {
  try {
    const answer = await fetch(`${base}/livez`, { redirect: 'manual', signal: AbortSignal.timeout(2_000) })
    const said = (await answer.json()) as { status?: unknown } | null
    // Something else may have this port, and must not get the operator's token.
    return answer.ok && said?.status === 'alive'
  } catch {
    return false
  }
}

/** No relay runs: the same routes over the store itself, for a token that nobody else knows. Nothing is delivered. */
async function openHere({ environment }: Terminal): Promise<RelayClient> {
  const config = readRelayConfig(environment)
  const { databaseUrl, dataFolder } = config
  if (databaseUrl === null && !existsSync(join(dataFolder, 'relay.db'))) {
    throw new MpesaStkError(
      'MPESA_STK_RELAY_UNREACHABLE',
      `no relay runs on this machine, and there is no data of one in ${dataFolder}; start it (mpesa-stk relay), or say where it is with --relay or RELAY_URL`,
    )
  }
  const { storage, close } = await openRelayStorage(config, silent)
  try {
    // Not migrated: who only looks must not change what older relays still use (`mpesa-stk migrate` does). But it must be there.
    await storage.countApps()
    await refuseLostKey(storage, config)
  } catch (cause) {
    await close()
    throw toStoreError(cause)
  }
  const adminToken = randomBytes(32).toString('hex')
  const app = createRelayServer({
    storage,
    adminToken,
    dataFolder,
    logger: silent,
    workers: 'manual',
    allowPrivateTargets: config.allowPrivateTargets,
    ...(config.encryptionKey !== null && { encryptionKey: config.encryptionKey }),
  })
  const client = createClient(
    `the store in ${databaseUrl === null ? dataFolder : 'DATABASE_URL'}`,
    adminToken,
    async (path, init) => app.request(path, init),
  )
  return {
    ...client,
    isRunning: false,
    async [Symbol.asyncDispose]() {
      await app.stop()
      await close()
    },
  }
}

const silent: Logger = { info() {}, warn() {}, error() {} }

function createClient(where: string, token: string | null, fetchPath: Fetch): RelayClient {
  return {
    where,
    isRunning: true,
    async ask<Answer>(method: Method, path: string, body?: unknown) {
      const headers = {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      }
      const response = await fetchPath(path, {
        method,
        headers,
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      const answer: unknown = await response.json().catch(() => null)
      if (!response.ok) throw toRelayError(response.status, answer)
      // Whatever a relay answers is JSON: this is the beginning of it, from a relay or a network that has gone.
      if (answer === null) throw new MpesaStkError('MPESA_STK_RELAY_UNREACHABLE', `the answer of ${where} was cut off`)
      return answer as Answer
    },
    async [Symbol.asyncDispose]() {},
  }
}
