import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import { describeError } from '../../core/errors.ts'
import type { StreamErrorCode } from '../../core/stream/stream-error.ts'
import type { StreamScope } from '../../core/stream/stream-event.ts'
import { allowsStream, type StreamGrant } from '../../core/stream/stream-grant.ts'
import type { EventFrame } from '../../relay/streams/event-frame.ts'
import type { Admission, StreamCredentials, StreamVisit } from '../../relay/streams/stream-door.ts'
import type { StreamConnection, StreamHub } from '../../relay/streams/stream-hub.ts'
import type { Seat } from '../../relay/streams/stream-places.ts'
import type { StreamNotice } from '../../relay/streams/stream-sink.ts'
import { liveEndsAtBytes, readStart, type Subscription } from '../../relay/streams/subscription.ts'
import type { Conversation, Dialect } from './dialect.ts'
import type { StreamTools } from './stream-tools.ts'

/** Who has been silent for so long is asked whether he is there. */
export const heartbeatMs = 25_000
const goneAfterMs = 60_000
const authenticatedWithinMs = 10_000
/** Whoever does not answer a goodbye. */
const goodbyeMs = 10_000
const mostSubscriptions = 50
/** Frames that may wait while one is handled: then no more are read. */
const mostWaiting = 64
const mostUnreadOfStrangers = 16 * 1024

/** One WebSocket. Frames are handled one after the other; all its times are looked at by the hub's one timer. */
export class SocketConnection implements StreamConnection, Conversation {
  readonly transport = 'websocket'
  readonly visit: StreamVisit
  readonly seat: Seat
  readonly #hub: StreamHub
  readonly #tools: StreamTools
  readonly #socket: WebSocket
  readonly #dialect: Dialect
  readonly #subscriptions = new Map<number, Subscription>()
  readonly #waiting: string[] = []
  #admission: Admission | null = null
  /** What it was allowed at first: nothing later allows more. */
  #firstGrant: StreamGrant | null = null
  #isHandling = false
  #heardAtMs: number
  #askedAtMs: number
  readonly #openedAtMs: number
  #endedAtMs: number | null = null

  constructor(
    { hub, tools, dialect }: { readonly hub: StreamHub; readonly tools: StreamTools; readonly dialect: Dialect },
    { socket, raw, visit, seat }: { socket: WebSocket; raw: Duplex; visit: StreamVisit; seat: Seat },
  ) {
    this.#hub = hub
    this.#tools = tools
    this.#dialect = dialect
    this.#socket = socket
    this.visit = visit
    this.seat = seat
    this.#openedAtMs = tools.monotonicMs()
    this.#heardAtMs = this.#openedAtMs
    this.#askedAtMs = this.#openedAtMs
    socket.on('message', (data, isBinary) => this.#hear(data, isBinary))
    socket.on('ping', data => {
      this.#hearSomething()
      if (this.#takesMore()) socket.pong(data)
    })
    socket.on('pong', () => this.#hearSomething())
    socket.on('close', () => this.#leave())
    // Its close follows.
    socket.on('error', () => undefined)
    raw.on('drain', () => this.#goOn())
    const refused = hub.enter(this)
    this.say(dialect.greeting)
    if (refused !== null) this.fail(refused)
  }

  get admission(): Admission | null {
    return this.#admission
  }

  get subscriptions(): Iterable<Subscription> {
    return this.#subscriptions.values()
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  get ttlMs(): number | null {
    const expiresAtMs = this.#admission?.grant.token?.expiresAtMs
    return expiresAtMs === undefined ? null : Math.max(0, Math.round(expiresAtMs - this.#tools.now().getTime()))
  }

  say(text: string): void {
    if (this.#endedAtMs === null) this.#socket.send(text)
  }

  send(id: number, frame: EventFrame, isLive: boolean): void {
    if (this.#endedAtMs === null) this.#socket.send(this.#dialect.write(id, frame, isLive), { binary: false })
  }

  tell(id: number, notice: StreamNotice): void {
    const text = this.#dialect.writeNotice(id, notice)
    if (text !== null) this.say(text)
    if (notice.type !== 'ended' && notice.type !== 'error') return
    this.#subscriptions.delete(id)
    this.#end(this.#dialect.closesWith(notice))
  }

  fail(code: StreamErrorCode): void {
    if (this.#endedAtMs !== null) return
    this.#hub.ended(code)
    this.say(this.#dialect.writeProblem(code, null))
    this.#end(this.#dialect.closeCodeOf(code))
  }

  async authenticate(credentials: StreamCredentials, scope?: StreamScope): Promise<boolean> {
    if (this.#admission !== null) return this.#refuse('bad_frame')
    const judged = await this.#hub.door.admit(credentials, this.visit)
    if (this.#endedAtMs !== null) return false
    if (judged.outcome === 'refused') return this.#refuse(judged.code)
    const isPage = judged.admission.by === 'streamSecret'
    const admission = isPage && scope !== undefined ? { ...judged.admission, scope } : judged.admission
    const code = await this.#hub.join(this, admission)
    if (code !== null) return this.#refuse(code)
    this.#admission = admission
    this.#firstGrant = admission.grant
    this.seat.leave('unauthenticated')
    if (this.#endedAtMs === null) return true
    // It went while we looked.
    this.#hub.leave(this)
    return false
  }

  async subscribe(id: number, stream: string, from: string): Promise<void> {
    this.unsubscribe(id)
    const start = readStart(from)
    if (start === null) return this.tell(id, { type: 'error', code: 'cursor_invalid' })
    if (this.#subscriptions.size >= mostSubscriptions) return this.tell(id, { type: 'error', code: 'too_many' })
    const subscription = await this.#hub.subscribe(this, { id, stream })
    if (this.#endedAtMs !== null) return
    if (typeof subscription === 'string') return this.tell(id, { type: 'error', code: subscription })
    this.#subscriptions.set(id, subscription)
    const text = this.#dialect.writeSubscribed(id, stream)
    if (text !== null) this.say(text)
    // Not waited for: what else the client says comes in between. It tells by itself what it comes to.
    void subscription.begin(start)
  }

  unsubscribe(id: number): void {
    this.#subscriptions.get(id)?.close()
    this.#subscriptions.delete(id)
  }

  acknowledge(id: number, cursor: string): void {
    const isAllowed = this.#admission?.grant.actions.includes('ack') === true
    const subscription = this.#subscriptions.get(id)
    if (isAllowed && subscription?.acknowledge(cursor) === true) return
    this.say(this.#dialect.writeProblem('ack_invalid', id))
  }

  async refresh(token: string): Promise<boolean> {
    if (this.#firstGrant === null) return this.#refuse('bad_frame')
    const fresh = await this.#hub.refresh(this, this.#firstGrant, token)
    if (this.#endedAtMs !== null) return false
    if (typeof fresh === 'string') return this.#refuse(fresh)
    this.#admission = fresh
    for (const subscription of [...this.#subscriptions.values()]) {
      const { actions } = fresh.grant
      if (!allowsStream(fresh.grant, subscription.wish.stream) || !actions.includes('read')) subscription.end('refused')
      else if (!actions.includes('ack')) subscription.forgetAcks()
    }
    return true
  }

  tick(nowMs: number): void {
    if (this.#endedAtMs !== null) {
      if (nowMs - this.#endedAtMs > goodbyeMs) this.#socket.terminate()
    } else if (this.#admission === null && nowMs - this.#openedAtMs >= authenticatedWithinMs) this.fail('auth_timeout')
    else if (nowMs - this.#heardAtMs >= goneAfterMs) this.#end(4408)
    else if (nowMs - Math.max(this.#heardAtMs, this.#askedAtMs) >= heartbeatMs) this.#ask(nowMs)
  }

  destroy(): void {
    this.#socket.terminate()
  }

  #ask(nowMs: number): void {
    this.#askedAtMs = nowMs
    if (this.#dialect.ping === null) this.#socket.ping()
    else this.say(this.#dialect.ping)
  }

  #hearSomething(): void {
    this.#heardAtMs = this.#tools.monotonicMs()
  }

  #hear(data: RawData, isBinary: boolean): void {
    if (this.#endedAtMs !== null) return
    this.#hearSomething()
    if (!this.#takesMore()) return
    if (isBinary || !Buffer.isBuffer(data)) this.fail('bad_frame')
    else this.#take(data.toString())
  }

  #take(text: string): void {
    this.#waiting.push(text)
    if (this.#waiting.length >= mostWaiting) this.#socket.pause()
    if (!this.#isHandling) void this.#handleAll()
  }

  /** Whoever asks on and reads nothing would fill our memory with answers. False where he is cut off for it. */
  #takesMore(): boolean {
    if (this.#socket.bufferedAmount <= (this.#admission === null ? mostUnreadOfStrangers : liveEndsAtBytes)) return true
    this.#socket.terminate()
    return false
  }

  async #handleAll(): Promise<void> {
    this.#isHandling = true
    for (let text = this.#waiting.shift(); text !== undefined; text = this.#waiting.shift()) {
      if (this.#endedAtMs !== null) break
      try {
        await this.#dialect.handle(this, text)
      } catch (cause) {
        this.#tools.logger.warn({ error: describeError(cause) }, 'who streams was not answered: the store fails')
        this.fail('unavailable')
      }
    }
    this.#isHandling = false
    if (this.#socket.isPaused) this.#socket.resume()
  }

  #goOn(): void {
    for (const subscription of this.#subscriptions.values()) subscription.goOn()
  }

  #refuse(code: StreamErrorCode): false {
    this.fail(code)
    return false
  }

  #end(closeCode: number | null): void {
    if (this.#endedAtMs !== null || closeCode === null) return
    this.#endedAtMs = this.#tools.monotonicMs()
    this.#closeSubscriptions()
    this.#socket.close(closeCode)
  }

  #closeSubscriptions(): void {
    for (const subscription of this.#subscriptions.values()) subscription.close()
    this.#subscriptions.clear()
  }

  #leave(): void {
    this.#endedAtMs ??= this.#tools.monotonicMs()
    this.#closeSubscriptions()
    this.#hub.leave(this)
  }
}
