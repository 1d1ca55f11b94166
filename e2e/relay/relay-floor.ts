import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import {
  attachStreams,
  createRelayServer,
  type RelayServerOptions,
  type RelayStorage,
  SqliteRelayAdapter,
} from 'mpesa-stk/server'

/** What reached a merchant. */
export type Delivered = {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly at: number
}

type Answer = (request: IncomingMessage, response: ServerResponse, delivered: Delivered) => void

/** A merchant's endpoint on this machine. */
export type Sink = AsyncDisposable & {
  readonly url: string
  readonly delivered: Delivered[]
  /** Resolves when so many deliveries have come. */
  have(count: number): Promise<void>
  answer(how: Answer): void
  /** Keeps nothing of what comes, for whoever sends more than memory has room for. */
  forget(): void
}

export function listen(server: Server, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

export async function openSink(ownPort = 0): Promise<Sink> {
  const delivered: Delivered[] = []
  let waiting: { count: number; resolve: () => void }[] = []
  let isForgetful = false
  let how: Answer = (_request, response) => void response.writeHead(200).end('thanks')
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      const one = {
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks).toString(),
        at: Date.now(),
      }
      if (!isForgetful) delivered.push(one)
      how(request, response, one)
      for (const { count, resolve } of waiting) if (delivered.length >= count) resolve()
      waiting = waiting.filter(({ count }) => delivered.length < count)
    })
  })
  const port = await listen(server, ownPort)
  return {
    url: `http://127.0.0.1:${port}/hook`,
    delivered,
    have: count =>
      delivered.length >= count ? Promise.resolve() : new Promise(resolve => waiting.push({ count, resolve })),
    answer(answer) {
      how = answer
    },
    forget() {
      isForgetful = true
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

type CreatedApp = {
  readonly appId: string
  readonly signingSecret: string
  readonly streamSecret: string
  readonly sourceId: string
  readonly hookUrl: string
  readonly createdAt: string
}

/** A page of `/v1/quarantine`. */
export type QuarantinePage = {
  readonly bodies: readonly {
    readonly id: string
    readonly appId: string
    readonly reason: string
    readonly length: number
  }[]
}

/** A relay that listens on this machine, and a folder of its own. A storage that it is given stays its owner's to close. */
export async function openRelay(options: Partial<RelayServerOptions> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'mpesa-stk-relay-'))
  let { storage } = options
  if (storage === undefined) {
    storage = await SqliteRelayAdapter.open(join(folder, 'relay.db'))
    await storage.migrate()
  }
  const lines: string[] = []
  const write = (fields: object, message: string): void => void lines.push(`${message} ${JSON.stringify(fields)}`)
  const app = createRelayServer({
    storage,
    dataFolder: folder,
    allowPrivateTargets: true,
    logger: { info: write, warn: write, error: write },
    ...options,
  })
  const server = createAdaptorServer({ fetch: app.fetch, overrideGlobalObjects: false }) as Server
  attachStreams(server, app)
  const url = `http://127.0.0.1:${await listen(server)}`
  const opened: RelayStorage = storage
  return {
    app,
    url,
    folder,
    storage: opened,
    log: (): string => lines.join('\n'),
    async createApp(targetUrl: string, more: object = {}): Promise<CreatedApp> {
      const response = await fetch(`${url}/apps`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ targetUrl, ...more }),
      })
      if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`)
      return (await response.json()) as CreatedApp
    },
    post: (path: string, body: string | Uint8Array, headers: Record<string, string> = {}): Promise<Response> =>
      fetch(`${url}${path}`, { method: 'POST', body: typeof body === 'string' ? body : Buffer.from(body), headers }),
    get: (path: string, headers: Record<string, string> = {}): Promise<Response> => fetch(`${url}${path}`, { headers }),
    /** What a GET answers, as JSON. */
    read: async <Answer>(path: string): Promise<Answer> => (await (await fetch(`${url}${path}`)).json()) as Answer,
    async [Symbol.asyncDispose]() {
      await app.relay.streams.stop()
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
      await app.stop()
      if (options.storage === undefined) await opened.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
