import { OpenAPIHono } from '@hono/zod-openapi'
import { type AlertThresholds, defaultThresholds } from '../core/deliver/alerts.ts'
import type { RelayStorage } from '../core/deliver/relay-storage.ts'
import { completeRetention, type RetentionPolicy } from '../core/deliver/retention.ts'
import { describeError, MpesaStkError } from '../core/errors.ts'
import type { Clock, Logger } from '../core/ports.ts'
import { stderrLogger, systemClock, systemRandom } from '../platform.ts'
import { checkedKey, findEncryptionKey } from '../relay/encryption-key.ts'
import { chanceOf, Relay } from '../relay/relay.ts'
import {
  readRanges,
  type SourceAllowListMode,
  type SourceSettings,
  sourceAllowListModes,
} from '../relay/source-settings.ts'
import { createAccess } from './access.ts'
import { addAppRoutes } from './app-routes.ts'
import { addAppStreamRoutes } from './app-stream-routes.ts'
import type { RelayEnv } from './auth.ts'
import { addEventRoutes } from './event-routes.ts'
import { frontDoor } from './front-door.ts'
import { addHealthRoutes } from './health-routes.ts'
import { addHookRoutes } from './hook-routes.ts'
import { addLogRoutes } from './log-routes.ts'
import { createMetrics } from './metrics.ts'
import { answerError, problem } from './problem.ts'
import { addQuarantineRoutes } from './quarantine-routes.ts'
import { addReplayRoutes } from './replay-routes.ts'
import { addSourceRoutes } from './source-routes.ts'
import { addReportRoutes } from './streams/report-routes.ts'
import { addStreamRoutes } from './streams/stream-routes.ts'
import type { StreamTools } from './streams/stream-tools.ts'
import { addTokenRoutes } from './streams/token-routes.ts'

export type RelayServerOptions = {
  /** Where the relay keeps what it takes; call its `migrate()` first. */
  readonly storage: RelayStorage
  /** Who sends it as `Authorization: Bearer …` is the operator. Without one, the operator's routes answer only on this machine. */
  readonly adminToken?: string
  /** Encrypts the secrets of apps in the store. Default: one that is made once, in `dataFolder`. */
  readonly encryptionKey?: string
  /** For the spool (callbacks that wait for the store) and a key that was made. Default `.data/relay`. */
  readonly dataFolder?: string
  /** Also deliver to private addresses and by http: for development. Default false. */
  readonly allowPrivateTargets?: boolean
  /** How many bytes of unrecognised bodies are kept of an app within a day. Default 64 MiB. */
  readonly quarantineBudgetBytes?: number
  /** When the alerts that are looked for are raised (docs/relay.md, “Alerts”). */
  readonly alertThresholds?: Partial<AlertThresholds>
  /**
   * For how many days what is kept is kept, at least 1; null: for ever. Default: `deliveredDays` 365, `bodiesDays` 90, `attemptsDays`
   * 90, `quarantineDays` 30. What was not delivered is kept for ever.
   */
  readonly retention?: Partial<RetentionPolicy>
  /**
   * Whether callbacks are told apart by the address that they come from. `observe` counts them, and `enforce` sends to the
   * quarantine what comes from no address that is known as Safaricom's. Default `observe`.
   */
  readonly sourceAllowList?: SourceAllowListMode
  /** Addresses or CIDR blocks that callbacks may also come from, beside those that are published as Safaricom's. */
  readonly sourceAddresses?: readonly string[]
  /**
   * Addresses or CIDR blocks of proxies in front of the relay that write `X-Forwarded-For` or `Forwarded` themselves: their word
   * for where a callback came from counts, and the trace that they name is continued. Default none.
   */
  readonly trustedProxies?: readonly string[]
  /** For how many hours events can be streamed again, 1 to 168, and no longer than `retention` keeps them. Default 24. */
  readonly streamHours?: number
  /** `auto`: deliveries begin with the first request. `manual`: with `start()`. Default `auto`. */
  readonly workers?: 'auto' | 'manual'
  readonly logger?: Logger
  readonly clock?: Clock
}

/** The relay as a Hono app, to be served alone or mounted anywhere. */
export type RelayServer = OpenAPIHono<RelayEnv> & {
  /** Begins to deliver, and to bring to the store what waits on the disk. Throws `MPESA_STK_RELAY_KEY_WRONG`. */
  start(): Promise<void>
  /** Stops beginning, and resolves when what is under way has ended and is stored. */
  stop(): Promise<void>
  readonly relay: Relay
  /** For `attachStreams`. */
  readonly streamTools: StreamTools
}

/**
 * The relay: takes Safaricom's callbacks at `/hooks/:appId`, keeps each before it acknowledges it, and delivers it signed to
 * the app's `targetUrl` until that has it.
 *
 * ```ts
 * const storage = new PostgresRelayAdapter(pool)
 * await storage.migrate()
 * const relay = createRelayServer({ storage })
 * serve({ fetch: relay.fetch, port: 3000 })
 * ```
 */
export function createRelayServer(options: RelayServerOptions): RelayServer {
  const { storage, adminToken = null, dataFolder = '.data/relay', workers = 'auto' } = options
  const { logger = stderrLogger, clock = systemClock } = options
  const metrics = createMetrics()
  const monotonicMs = (): number => performance.now()
  const streamTools = { now: () => clock.now(), monotonicMs, chance: () => chanceOf(systemRandom), logger }
  const retention = completeRetention(options.retention ?? {})
  const relay = new Relay(
    { storage, clock, logger, random: systemRandom, monotonicMs, observer: metrics.observer },
    {
      encryptionKey: checkedKey(options.encryptionKey ?? findEncryptionKey(dataFolder)),
      spoolFolder: `${dataFolder}/spool`,
      allowPrivateTargets: options.allowPrivateTargets ?? false,
      quarantineBudgetBytes: options.quarantineBudgetBytes ?? 64 * 1024 * 1024,
      alertThresholds: { ...defaultThresholds, ...options.alertThresholds },
      retention,
      sources: readSources(options),
      streamHours: checkedStreamHours(options.streamHours, retention),
    },
  )
  const app = new OpenAPIHono<RelayEnv>({
    defaultHook: (result, context) => {
      if (result.success) return
      const [issue] = result.error.issues
      const where = issue?.path.join('.') || 'the request'
      return problem(
        context,
        422,
        'MPESA_STK_RELAY_REQUEST_INVALID',
        `${where}: ${issue?.message ?? 'is not as it should be'}`,
      )
    },
  })
  app.onError((error, context) => {
    const answer = answerError(error, context)
    if (answer.status >= 500)
      logger.error({ error: describeError(error), path: context.req.routePath }, 'a request failed')
    return answer
  })
  /** Never waited for: a callback is kept whether or not deliveries can begin. */
  function begin(): void {
    // What still comes after `stop` is kept; a worker that began again would deliver for a relay that somebody has stopped.
    if (workers === 'manual' || relay.isStopped) return
    relay.start().catch((error: unknown) => logger.error({ error: describeError(error) }, 'deliveries could not begin'))
  }
  addHookRoutes(app, relay, metrics, begin)
  addStreamRoutes(app, relay, streamTools)
  const access = createAccess(relay, adminToken)
  // The first is also /apps itself. Each once: what it has read of a body is gone.
  for (const path of ['/apps/*', '/v1/*']) app.use(path, frontDoor(access))
  addAppRoutes(app, relay, access)
  addAppStreamRoutes(app, relay, access)
  addHealthRoutes(app, relay, metrics)
  addEventRoutes(app, relay, access)
  addLogRoutes(app, relay, access, clock)
  addTokenRoutes(app, relay, access, clock)
  addReportRoutes(app, relay, access)
  addReplayRoutes(app, relay, access)
  addQuarantineRoutes(app, relay, access)
  addSourceRoutes(app, relay, access)
  app.notFound(context =>
    problem(
      context,
      404,
      'MPESA_STK_RELAY_NOT_FOUND',
      'there is no such route: hooks take POST, /openapi.json lists what apps and events have, and docs/relay.md the rest',
    ),
  )
  app.doc31('/openapi.json', { openapi: '3.1.0', info: { title: 'mpesa-stk relay', version: '0.1.0' } })
  return Object.assign(app, { relay, streamTools, start: () => relay.start(), stop: () => relay.stop() })
}

/** The most is a week: what is older is read from the log, or by `GET /v1/apps/:appId/events`. */
const mostStreamHours = 168

/** What retention had removed would be missing from a stream, and no gap would tell. */
const streamedKinds = ['bodiesDays', 'deliveredDays'] as const

function checkedStreamHours(hours = 24, retention: RetentionPolicy): number {
  if (!Number.isInteger(hours) || hours < 1 || hours > mostStreamHours) {
    throw new MpesaStkError('MPESA_STK_CONFIG_INVALID', `streamHours must be a whole number, 1 to ${mostStreamHours}`)
  }
  for (const kind of streamedKinds) {
    const days = retention[kind]
    if (days === null || days * 24 >= hours) continue
    const message = `streamHours is ${hours}, and retention.${kind} keeps what is streamed for ${days * 24} hours: set streamHours to ${Math.floor(days * 24)} at most, or ${kind} to ${Math.ceil(hours / 24)} at least`
    throw new MpesaStkError('MPESA_STK_CONFIG_INVALID', message)
  }
  return hours
}

function readSources(options: RelayServerOptions): SourceSettings {
  const { sourceAllowList: mode = 'observe', sourceAddresses = [], trustedProxies = [] } = options
  if (!sourceAllowListModes.includes(mode)) {
    const modes = sourceAllowListModes.join(', ')
    throw new MpesaStkError('MPESA_STK_CONFIG_INVALID', `sourceAllowList must be one of ${modes}`)
  }
  return {
    mode,
    addresses: readRanges('sourceAddresses', sourceAddresses),
    trustedProxies: readRanges('trustedProxies', trustedProxies),
  }
}
