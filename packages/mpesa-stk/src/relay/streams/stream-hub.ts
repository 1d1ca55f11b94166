import { judgeQuota } from '../../core/deliver/event-log.ts'
import { describeError } from '../../core/errors.ts'
import type { Logger } from '../../core/ports.ts'
import type { StreamErrorCode } from '../../core/stream/stream-error.ts'
import {
  allowsStream,
  hasExpired,
  indexRevocations,
  isRevoked,
  type Revoked,
  refreshGrant,
  type StreamGrant,
} from '../../core/stream/stream-grant.ts'
import { aliasPrefix, formatStreamName, parseStreamName } from '../../core/stream/stream-name.ts'
import type { Revocation, StreamStorage, StreamView } from '../../core/stream/stream-storage.ts'
import type { AppBook, OpenedApp } from '../app-book.ts'
import type { StreamObserver } from '../observer.ts'
import { type Admission, refusalOf, StreamDoor, type StreamVisit } from './stream-door.ts'
import { type Seat, StreamPlaces } from './stream-places.ts'
import type { StreamSink } from './stream-sink.ts'
import { StreamTail } from './stream-tail.ts'
import { StreamTokens } from './stream-tokens.ts'
import { Subscription } from './subscription.ts'
import { Turns } from './turns.ts'

export const streamTransports = ['websocket', 'sse', 'poll'] as const

export type StreamTransport = (typeof streamTransports)[number]

/** A connection that streams, or is about to. */
export interface StreamConnection extends StreamSink {
  readonly transport: StreamTransport
  readonly visit: StreamVisit
  readonly seat: Seat
  /** Null until it has said who it is. */
  readonly admission: Admission | null
  readonly subscriptions: Iterable<Subscription>
  /** Once a second. */
  tick(nowMs: number): void
  /** It had its time to go. */
  destroy(): void
}

export type HubPorts = {
  readonly storage: StreamStorage
  readonly apps: AppBook
  readonly logger: Logger
  readonly now: () => Date
  readonly steadyNow: () => Date
  readonly monotonicMs: () => number
  /** From 0 to 1. */
  readonly chance: () => number
  readonly observer: StreamObserver
}

export type HubSettings = { readonly encryptionKey: string; readonly historyMs: number }

const lookEveryMs = 1_000
/** Well below what the relay's server takes: callbacks need connections too. */
const mostConnections = 20_000
/** Pages of the store that are read at once for those who catch up. */
const readsAtOnce = 16
const looksAtOnce = 8
/** A page that is reloaded finds the tail as it left it. */
const tailKeptMs = 5_000
/** Closes on a stop are spread, so that not all come again in the same moment. */
const stopSpreadMs = 2_000
const stopStepMs = 50
const stopMsPerConnection = 20
/** For goodbyes to arrive. */
const farewellMs = 500
const steadilyMs = 1_000

type Audience = {
  readonly tail: StreamTail
  readonly connections: Set<StreamConnection>
  revocations: readonly Revocation[]
  revoked: Revoked
  revokedAsOfMs: number
  idleSinceMs: number
}

/** All who stream from this process: finds what is new for them, once for all, and ends those who may no longer. */
export class StreamHub {
  readonly tokens: StreamTokens
  readonly door: StreamDoor
  readonly places = new StreamPlaces()
  readonly #ports: HubPorts
  readonly #settings: HubSettings
  readonly #turns = new Turns(readsAtOnce)
  readonly #looks = new Turns(looksAtOnce)
  readonly #connections = new Set<StreamConnection>()
  readonly #audiences = new Map<string, Audience>()
  readonly #grown = new Set<string>()
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> | null = null
  #listening: Promise<() => Promise<void>> | null = null
  #stopping: Promise<void> | null = null
  #isAnnouncing = false

  constructor(ports: HubPorts, settings: HubSettings) {
    this.#ports = ports
    this.#settings = settings
    this.tokens = new StreamTokens(settings.encryptionKey, ports.now)
    this.door = new StreamDoor(ports.apps, this.tokens)
  }

  get isStopped(): boolean {
    return this.#stopping !== null
  }

  start(): void {
    this.#stopping = null
  }

  /** How many are connected, by how. */
  count(): Readonly<Record<StreamTransport, number>> {
    const counts = { websocket: 0, sse: 0, poll: 0 }
    for (const { transport } of this.#connections) counts[transport]++
    return counts
  }

  /** Something was added to this app's log, here. Never waited for: what is not told now is found by the next look. */
  grew(appId: string): void {
    this.#grown.add(appId)
    if (this.#isAnnouncing) return
    this.#isAnnouncing = true
    // A batch is told once.
    setImmediate(() => {
      this.#isAnnouncing = false
      const heads = new Map([...this.#grown].map(each => [each, this.#audiences.get(each)?.tail.position ?? 0]))
      this.#grown.clear()
      this.#ports.storage.fanout?.announce(heads)
      for (const each of heads.keys()) this.#wake(each)
    })
  }

  /** Takes a connection in; it must leave when it ends. Else why not. */
  enter(connection: StreamConnection): StreamErrorCode | null {
    if (this.isStopped) return 'restarting'
    if (this.#connections.size >= mostConnections) return 'too_many'
    this.#connections.add(connection)
    this.#timer ??= setInterval(() => this.#tick(), lookEveryMs).unref()
    this.#listening ??= this.#ports.storage.fanout?.listen(appId => this.#wake(appId)) ?? null
    return null
  }

  has(connection: StreamConnection): boolean {
    return this.#connections.has(connection)
  }

  leave(connection: StreamConnection): void {
    connection.seat.leaveAll()
    if (!this.#connections.delete(connection)) return
    const { admission } = connection
    if (admission !== null) this.#audiences.get(admission.app.app.appId)?.connections.delete(connection)
  }

  /** A connection that has entered said who it is. Null when it may stay. Rejects when the store fails. */
  async join(connection: StreamConnection, admission: Admission): Promise<StreamErrorCode | null> {
    const audience = this.#audienceOf(admission.app)
    // Before anything is waited for: an audience of nobody is let go, and nobody would look after who came to it.
    audience.connections.add(connection)
    let code: StreamErrorCode | null = 'unavailable'
    try {
      code = await this.#seat(connection, admission, audience)
      return code
    } finally {
      // Refused, or gone while we looked. One that only wanted a fresh token is still here until it is told.
      const isHere = this.#connections.has(connection) && (code === null || connection.admission !== null)
      if (!isHere) {
        audience.connections.delete(connection)
        connection.seat.leaveAll()
      }
    }
  }

  async #seat(
    { seat }: StreamConnection,
    { app, grant }: Admission,
    audience: Audience,
  ): Promise<StreamErrorCode | null> {
    const { appId } = app.app
    if (grant.token !== null) {
      await this.#loadRevocations(appId, audience)
      if (isRevoked(grant, audience.revoked)) return 'token_revoked'
      if (!seat.take('token', grant.token.tokenId)) return 'too_many'
    }
    return seat.take('app', appId) ? null : 'too_many'
  }

  /** A fresh token on a connection that began with `first`. Rejects when the store fails. */
  async refresh(connection: StreamConnection, first: StreamGrant, token: string): Promise<Admission | StreamErrorCode> {
    const { admission, visit } = connection
    const judged = await this.door.admit({ token }, visit)
    if (judged.outcome === 'refused') return judged.code
    const { app, grant } = judged.admission
    const claims = grant.token
    if (admission === null || claims === null || app.app.appId !== admission.app.app.appId) return 'token_invalid'
    const narrowed = refreshGrant(first, grant)
    if (narrowed === null) return 'token_invalid'
    const fresh = { ...admission, app, grant: narrowed }
    return (await this.join(connection, fresh)) ?? fresh
  }

  /** A subscription that is to be begun, or why there is none. Rejects when the store fails. */
  async subscribe(
    connection: StreamConnection,
    wish: { readonly id: number; readonly stream: string },
  ): Promise<Subscription | StreamErrorCode> {
    const { admission } = connection
    const name = parseStreamName(wish.stream)
    if (name === null) return 'stream_unknown'
    if (admission === null || !allowsStream(admission.grant, wish.stream)) return 'stream_refused'
    if (!admission.grant.actions.includes('read')) return 'stream_refused'
    const view = viewOf(wish.stream, admission)
    if (view === null) return 'stream_refused'
    // It may have been deleted since this connection came.
    if ((await this.#ports.apps.open(admission.app.app.appId)) === null) return 'stream_refused'
    if (await this.#isOverQuota(admission.app)) return 'over_quota'
    const { tail } = this.#audienceOf(admission.app)
    const stream = formatStreamName(name)
    return new Subscription(tail, connection, { id: wish.id, stream, view, scope: admission.scope })
  }

  /** Streams nothing any more of what is there now: here from now on, on other relays from their next look. False where nothing is. */
  async clear(appId: string): Promise<boolean> {
    const isCleared = await this.#ports.storage.clearStream(appId)
    await this.#audiences.get(appId)?.tail.refresh()
    return isCleared
  }

  /** Takes tokens back: on this relay now, on others with their next look. */
  async revoke(appId: string, revocation: Revocation): Promise<void> {
    await this.#ports.storage.revokeTokens(appId, revocation)
    const audience = this.#audiences.get(appId)
    if (audience === undefined) return
    audience.revocations = [...audience.revocations, revocation]
    audience.revoked = indexRevocations(audience.revocations)
    this.#endRevoked(audience)
  }

  /** Ends all, a few at a time, and resolves when they have gone. Nobody new is taken in until it is started again. */
  stop(): Promise<void> {
    this.#stopping ??= this.#endAll()
    return this.#stopping
  }

  ended(code: StreamErrorCode): void {
    this.#ports.observer.ended(code)
  }

  async #endAll(): Promise<void> {
    const all = [...this.#connections].map(connection => ({ connection, place: this.#ports.chance() }))
    all.sort((one, other) => one.place - other.place)
    const steps = Math.ceil(Math.min(stopSpreadMs, all.length * stopMsPerConnection) / stopStepMs)
    const perStep = Math.ceil(all.length / Math.max(1, steps))
    for (let step = 0; step * perStep < all.length; step++) {
      if (step > 0) await pause(stopStepMs * (0.5 + this.#ports.chance()))
      for (const { connection } of all.slice(step * perStep, (step + 1) * perStep)) connection.fail('restarting')
    }
    // Those that came while the first were told.
    for (const connection of this.#connections) connection.fail('restarting')
    const untilMs = this.#ports.monotonicMs() + farewellMs
    while (this.#connections.size > 0 && this.#ports.monotonicMs() < untilMs) await pause(stopStepMs / 5)
    for (const connection of [...this.#connections]) connection.destroy()
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
    const listening = this.#listening
    this.#listening = null
    await (await listening)?.()
    await this.#looking
    this.#audiences.clear()
  }

  #wake(appId: string | null): void {
    if (appId === null) for (const { tail } of this.#audiences.values()) void tail.wake()
    else void this.#audiences.get(appId)?.tail.wake()
  }

  async #isOverQuota({ app }: OpenedApp): Promise<boolean> {
    if (app.dailyQuota === null) return false
    const heads = await this.#ports.storage.listStreamHeads([app.appId], this.#ports.steadyNow())
    return judgeQuota(app.dailyQuota, heads.get(app.appId) ?? null).isOver
  }

  #audienceOf({ app: { appId, sourceId } }: OpenedApp): Audience {
    const known = this.#audiences.get(appId)
    if (known !== undefined) return known
    const { storage, logger, now, observer } = this.#ports
    const { historyMs } = this.#settings
    const ports = { storage, logger, now, historyMs, turns: this.#turns, observer }
    const audience: Audience = {
      tail: new StreamTail(appId, this.tokens.aliasKey(sourceId), ports),
      connections: new Set(),
      revocations: [],
      revoked: indexRevocations([]),
      revokedAsOfMs: Number.NEGATIVE_INFINITY,
      idleSinceMs: this.#ports.monotonicMs(),
    }
    this.#audiences.set(appId, audience)
    return audience
  }

  #tick(): void {
    const nowMs = this.#ports.monotonicMs()
    const wallMs = this.#ports.now().getTime()
    for (const connection of this.#connections) {
      const { admission } = connection
      if (admission !== null && hasExpired(admission.grant, wallMs)) connection.fail('token_expired')
      else connection.tick(nowMs)
    }
    for (const [appId, audience] of this.#audiences) {
      if (audience.connections.size > 0 || !audience.tail.isIdle) audience.idleSinceMs = nowMs
      else if (nowMs - audience.idleSinceMs > tailKeptMs) this.#audiences.delete(appId)
    }
    this.#looking ??= this.#look()
      .catch((cause: unknown) => {
        this.#ports.logger.warn({ error: describeError(cause) }, 'streams wait: the store fails')
      })
      .finally(() => {
        this.#looking = null
      })
  }

  /** For what other relays recorded, took back, changed or deleted, whoever tells us or does not. */
  async #look(): Promise<void> {
    if (this.#audiences.size === 0) return
    const { storage, steadyNow } = this.#ports
    const watched = [...this.#audiences].map(([appId, audience]) => ({
      appId,
      audience,
      before: audience.tail.position,
    }))
    const heads = await storage.listStreamHeads(
      watched.map(({ appId }) => appId),
      steadyNow(),
    )
    await Promise.all(
      watched.map(({ appId, audience, before }) =>
        this.#looks.take(async () => {
          const head = heads.get(appId) ?? null
          await audience.tail.look(head, before)
          const opened = await this.#ports.apps.open(appId)
          await this.#loadRevocations(appId, audience)
          this.#endRevoked(audience)
          this.#judge(audience, opened, judgeQuota(opened?.app.dailyQuota ?? null, head).isOver)
        }),
      ),
    )
  }

  /** The app may be gone, or other than it was. */
  #judge({ connections }: Audience, opened: OpenedApp | null, isOverQuota: boolean): void {
    for (const connection of [...connections]) {
      const { admission, visit } = connection
      if (admission === null) continue
      const code = opened === null ? null : refusalOf(admission, opened, visit.origin)
      if (code !== null) connection.fail(code)
      else if (opened === null) for (const each of [...connection.subscriptions]) each.end('destroyed')
      else if (isOverQuota) for (const each of [...connection.subscriptions]) each.fail('over_quota')
    }
  }

  async #loadRevocations(appId: string, audience: Audience): Promise<void> {
    const nowMs = this.#ports.monotonicMs()
    if (nowMs - audience.revokedAsOfMs < steadilyMs / 2) return
    const revocations = await this.#ports.storage.listRevocations(appId, this.#ports.now())
    audience.revocations = revocations
    audience.revoked = indexRevocations(revocations)
    audience.revokedAsOfMs = nowMs
  }

  #endRevoked({ connections, revocations, revoked }: Audience): void {
    if (revocations.length === 0) return
    for (const connection of [...connections]) {
      const { admission } = connection
      if (admission !== null && isRevoked(admission.grant, revoked)) connection.fail('token_revoked')
    }
  }
}

/** Where the store has a stream; null for a payment that no library reported, of which only a token knows the push. */
function viewOf(stream: string, { grant: { token } }: Admission): StreamView | null {
  const name = parseStreamName(stream)
  if (name === null || name.kind === 'source') return name
  const { paymentId } = name
  if (!paymentId.startsWith(aliasPrefix)) return { kind: 'payment', paymentId }
  const businessKey = token?.pushes[stream]
  return businessKey === undefined ? null : { kind: 'push', businessKey }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
