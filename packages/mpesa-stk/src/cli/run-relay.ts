import type { Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { pino } from 'pino'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { describeError, MpesaStkError } from '../core/errors.ts'
import type { Logger } from '../core/ports.ts'
import { createRelayServer } from '../http/relay-server.ts'
import { attachStreams } from '../http/streams/attach-streams.ts'
import { openRelayStorage } from './open-relay-storage.ts'
import { refuseLostKey } from './refuse-lost-key.ts'
import type { RelayConfig } from './relay-config.ts'

const migrateAgainAfterMs = 1_000
/** How long a stop may take: then whatever is under way is left to the next start. */
const drainDeadlineMs = 10_000
const closeIdleEveryMs = 100
/** Longer than a C2B validation takes. */
const cutOffAfterMs = 7_000

/**
 * Runs the relay until SIGTERM or SIGINT. A database that is away at the start is no reason not to: callbacks wait on the
 * disk, and the tables are made when it is back.
 *
 * @returns the exit code
 */
export async function runRelay(config: RelayConfig): Promise<number> {
  const log = pino({ level: config.logLevel }, pino.destination(2))
  const logger: Logger = {
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
  }
  // From the first moment on: one that comes while the tables are made is heard when they are.
  const signalled = new Promise<NodeJS.Signals>(resolve => {
    for (const each of ['SIGTERM', 'SIGINT'] as const) process.once(each, resolve)
  })
  const { storage, name, close } = await openRelayStorage(config, logger)
  const stopped = new AbortController()
  await migrate(storage, logger, stopped.signal)
  await refuseLostKey(storage, config)
  const app = createRelayServer({
    storage,
    logger,
    workers: 'manual',
    dataFolder: config.dataFolder,
    allowPrivateTargets: config.allowPrivateTargets,
    retention: config.retention,
    sourceAllowList: config.sourceAllowList,
    sourceAddresses: config.sourceAddresses,
    trustedProxies: config.trustedProxies,
    streamHours: config.streamHours,
    ...(config.adminToken !== null && { adminToken: config.adminToken }),
    ...(config.encryptionKey !== null && { encryptionKey: config.encryptionKey }),
  })
  const server = createAdaptorServer({ fetch: app.fetch }) as Server
  attachStreams(server, app)
  server.maxConnections = maxConnections
  server.requestTimeout = requestTimeoutMs
  server.keepAliveTimeout = keptAliveMs
  const connections = new Set<Socket>()
  server.on('connection', connection => connections.add(connection.once('close', () => connections.delete(connection))))
  const { port } = await listen(server, config)
  if (config.adminToken === null) {
    logger.warn(
      {},
      'no RELAY_ADMIN_TOKEN: whoever reaches this machine’s loopback is the operator; set one before there is a proxy',
    )
  }
  await app.start()
  console.log(`ready http://${config.host}:${port} store=${name} data=${config.dataFolder}`)
  const signal = await signalled
  logger.info({ signal }, 'stopping: taking no more callbacks, finishing what is under way')
  stopped.abort()
  const deadline = setTimeout(() => {
    logger.warn({}, 'what is under way took too long; it is taken up by the next start')
    process.exit(0)
  }, drainDeadlineMs)
  app.relay.log.stop()
  // Beside the closing: it waits for them.
  void app.relay.streams.stop()
  await closeServer(server, connections)
  await app.stop()
  await close()
  console.log('stopped')
  clearTimeout(deadline)
  return 0
}

/**
 * A proxy keeps its connections, and goes on sending over them: each ends with the next answer, or when it is idle. To Node one
 * over which nothing was ever sent is not idle.
 */
async function closeServer(server: Server, connections: ReadonlySet<Socket>): Promise<void> {
  server.prependListener('request', (_request, response) => response.setHeader('connection', 'close'))
  const closing = setInterval(() => {
    server.closeIdleConnections()
    for (const connection of connections) if (connection.bytesRead === 0) connection.destroy()
  }, closeIdleEveryMs)
  // Whoever sends half a request and no more: the rest of the time is for what is under way here.
  const cutOff = setTimeout(() => server.closeAllConnections(), cutOffAfterMs)
  await new Promise(resolve => server.close(resolve))
  clearTimeout(cutOff)
  clearInterval(closing)
}

/** Makes the tables; where the database is away, again and again in the background. */
async function migrate(storage: RelayStorage, logger: Logger, signal: AbortSignal): Promise<void> {
  try {
    await storage.migrate()
  } catch (cause) {
    if (cause instanceof MpesaStkError) throw cause
    logger.error(
      { error: describeError(cause) },
      'the database is away; callbacks go to the local disk until it is back',
    )
    setTimeout(() => {
      if (signal.aborted) return
      migrate(storage, logger, signal).catch((error: unknown) => {
        logger.error({ error: describeError(error) }, 'the tables cannot be made; callbacks stay on the local disk')
      })
    }, migrateAgainAfterMs)
  }
}

const cannotListen: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use; choose another PORT',
  EADDRNOTAVAIL: 'is no address of this machine; look at HOST',
  ENOTFOUND: 'is no address of this machine; look at HOST',
  EACCES: 'may not be listened on by this user; choose a PORT of 1024 or more',
}

/** Far above what Safaricom opens, for the pages that stream; and no request of his takes so long. */
const maxConnections = 25_000
const requestTimeoutMs = 30_000
/** Longer than a proxy keeps its own (nginx 60 s): whoever closes first must be the one who sends, or a callback meets a reset. */
const keptAliveMs = 75_000

/** Connections that may wait to be taken: thousands of pages come again together, and callbacks among them. */
const backlog = 4_096

function listen(server: Server, { host, port }: RelayConfig): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const mend = cannotListen[error.code ?? '']
      reject(mend === undefined ? error : new MpesaStkError('MPESA_STK_CONFIG_INVALID', `${host}:${port} ${mend}`))
    })
    server.listen({ port, host, backlog }, () => resolve(server.address() as AddressInfo))
  })
}
