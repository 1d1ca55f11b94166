import { PaymentsError } from './client-error.ts'
import { connectionState, createLine, isLinked, type LineEvent, lineDueMs, stepLine } from './connection.ts'
import type { Credentials } from './credentials.ts'
import { createCursorSlot, findSessionStorage } from './cursor-storage.ts'
import { pageEnvironment } from './environment.ts'
import { createFeed, type Feed } from './feed.ts'
import { createLadder } from './ladder.ts'
import type { Link, LinkHandlers, Transport } from './link.ts'
import type { ClientOptions, ConnectionStatus, PaymentsClient } from './payments-client.ts'
import { type ClientFrame, type ErrorFrame, type RetryAdvice, readFrame } from './wire.ts'

/** Timers stand still while a machine sleeps, so none is longer. */
const lookEveryMs = 5_000
/** A page that leaves one stream often asks for another. */
const lingerMs = 1_000
const refreshAt = 0.8
const refreshAgainMs = 1_000

/** Makes decisions (`connection.ts`, `stream-state.ts`) happen: opens, sends, sets timers, tells. */
export function createClient(options: ClientOptions, getCredentials: () => Promise<Credentials>): PaymentsClient {
  const { environment = pageEnvironment } = options
  const url = options.url.replace(/\/+$/, '')
  const place = options.name === undefined ? url : `${url}:${options.name}`
  const storage = options.storage === undefined ? findSessionStorage() : options.storage
  const ladder = createLadder(url, options, environment)
  const feeds = new Map<number, Feed>()
  const listeners = new Set<(status: ConnectionStatus) => void>()
  let line = createLine(ladder.rungs.length)
  let status: ConnectionStatus = { state: 'idle', reason: null, transport: null }
  let link: Link | null = null
  let attempts = 0
  let endTrial = (): void => {}
  let credentials: Credentials | null = null
  let refusedToken: string | null = null
  let refreshDueMs = Infinity
  let lastId = 0
  let cancelTimer = (): void => {}
  let timerMs = Infinity
  let stopSignals: (() => void) | null = null

  const transport = (): Transport => ladder.rungs[line.rung] ?? 'poll'

  const onError = (error: PaymentsError): void => {
    try {
      options.onError?.(error)
    } catch {
      // Who is told of errors has one: there is nobody left to tell.
    }
  }

  const send = (frame: ClientFrame): void => {
    try {
      link?.send(frame)
    } catch {
      // Closing already: its end is told by itself.
    }
  }

  const dispatch = (event: LineEvent): void => {
    const before = line
    line = stepLine(before, event, environment.nowMs())
    if (event.type === 'heard' && before.isProbing === line.isProbing && before.isOffline === line.isOffline) return
    if (link && !isLinked(line)) {
      link.close()
      link = null
      refreshDueMs = Infinity
      for (const feed of [...feeds.values()]) feed.lose()
    }
    if (line.phase !== before.phase) {
      if (line.phase === 'token') void fetchToken()
      if (line.phase === 'opening') void open()
      if (line.phase === 'connected') askAll()
      if (line.phase === 'idle' || line.phase === 'closed') stop()
    }
    if (line.isProbing && !before.isProbing) send({ type: 'ping' })
    if (line.climbs > before.climbs) tryBest()
    tell()
    arm()
  }

  const lose = (retry?: RetryAdvice, frame?: ErrorFrame): void => {
    const why = retry && { retry, retryAfterMs: frame?.retryAfterMs, reason: frame?.code ?? 'refused' }
    dispatch({ type: 'lost', random: environment.random(), ...why })
  }

  const stop = (): void => {
    stopSignals?.()
    stopSignals = null
    endTrial()
    if (line.phase !== 'closed') return
    cancelTimer()
    for (const feed of [...feeds.values()]) feed.end(line.reason ?? 'closed')
  }

  const tell = (): void => {
    const state = connectionState(line)
    const next = { state, reason: line.reason, transport: line.phase === 'connected' ? transport() : null }
    if (next.state === status.state && next.transport === status.transport) return
    status = next
    for (const listener of [...listeners]) {
      try {
        listener(status)
      } catch (error) {
        onError(new PaymentsError('handler_failed', 'a handler of states threw', error))
      }
    }
  }

  /** A timer that comes too early does nothing, so only an earlier one replaces it. */
  const arm = (): void => {
    let dueMs = Math.min(lineDueMs(line), refreshDueMs)
    for (const feed of feeds.values()) dueMs = Math.min(dueMs, feed.dueMs())
    if (dueMs >= timerMs) return
    const nowMs = environment.nowMs()
    timerMs = Math.min(nowMs + lookEveryMs, Math.max(nowMs, dueMs))
    cancelTimer()
    cancelTimer = environment.setTimer(tick, timerMs - nowMs)
  }

  const tick = (): void => {
    timerMs = Infinity
    for (const feed of [...feeds.values()]) feed.tick()
    if (environment.nowMs() >= refreshDueMs) void refresh()
    dispatch({ type: 'tick', random: environment.random() })
  }

  const fetchToken = async (): Promise<void> => {
    try {
      const fresh = await getCredentials()
      if (line.phase !== 'token') return
      credentials = fresh
      dispatch({ type: 'token' })
    } catch (error) {
      onError(error as PaymentsError)
      if (line.phase === 'token') lose()
    }
  }

  const refresh = async (): Promise<void> => {
    refreshDueMs = Infinity
    const on = link
    try {
      const fresh = await getCredentials()
      if (link !== on || !('token' in fresh)) return
      credentials = fresh
      send({ type: 'refresh', token: fresh.token })
      plan(fresh.ttlMs)
    } catch (error) {
      onError(error as PaymentsError)
      // The connection is good until its token ends; then it is made anew, with a fresh one.
      if (link === on) refreshDueMs = environment.nowMs() + lookEveryMs * (1 + environment.random())
    }
    arm()
  }

  const plan = (ttlMs: number | null | undefined): void => {
    if (ttlMs && ttlMs > 0) refreshDueMs = environment.nowMs() + Math.max(refreshAgainMs, ttlMs * refreshAt)
  }

  const open = async (): Promise<void> => {
    const attempt = ++attempts
    const kind = transport()
    // Whatever is no longer the link of this client is not heard.
    const isCurrent = (): boolean => link !== null && attempt === attempts
    const handlers: LinkHandlers = {
      onFrame: frame => isCurrent() && take(frame),
      onHeard: () => isCurrent() && dispatch({ type: 'heard' }),
      onDown: code => isCurrent() && lose(adviceOf(code)),
    }
    const isAwaited = (): boolean => line.phase === 'opening' && attempt === attempts
    try {
      const opened = await ladder.open(kind, handlers)
      if (isAwaited()) link = opened
      else opened.close()
    } catch (error) {
      onError(new PaymentsError('transport_failed', `${kind} cannot be used here`, error))
      if (isAwaited()) lose()
    }
  }

  const askAll = (): void => {
    for (const feed of [...feeds.values()]) feed.ask()
  }

  const take = (raw: unknown): void => {
    const frame = readFrame(raw)
    if (frame === null) {
      onError(new PaymentsError('bad_frame', 'the relay sent what is no frame'))
      // It may have been an event: from the cursor it is sent again.
      lose('now')
      return
    }
    dispatch({ type: 'heard' })
    switch (frame.type) {
      case 'hello':
        dispatch({ type: 'hello' })
        if (credentials) send(authFrame(credentials))
        // Over these the first answer to a subscription is what tells that the token is good.
        if (transport() !== 'websocket') askAll()
        return
      case 'ready':
        refusedToken = null
        plan(frame.ttlMs ?? (credentials && 'token' in credentials ? credentials.ttlMs : null))
        dispatch({ type: 'ready', heartbeatMs: frame.heartbeatMs })
        return
      case 'ping':
        send({ type: 'pong' })
        return
      case 'event':
      case 'gap':
      case 'live':
      case 'ended':
        feeds.get(frame.id)?.take(frame)
        arm()
        return
      case 'error':
        if (frame.id === undefined) refuse(frame)
        else feeds.get(frame.id)?.take(frame)
        arm()
        return
      case 'subscribed':
      case 'pong':
      case 'unknown':
    }
  }

  const refuse = (frame: ErrorFrame): void => {
    onError(new PaymentsError(frame.code, frame.error ?? frame.code))
    const token = credentials && 'token' in credentials ? credentials.token : null
    if (frame.retry === 'token' && token !== null) {
      if (token === refusedToken) {
        dispatch({ type: 'close', reason: 'unauthorised' })
        return
      }
      refusedToken = token
    }
    lose(frame.retry, frame)
  }

  /** Beside a connection that works: only when the better transport is heard is the connection moved. */
  const tryBest = (): void => {
    endTrial()
    endTrial = ladder.tryBest(() => dispatch({ type: 'climb' }))
  }

  const leave = (id: number): void => {
    if (!feeds.delete(id) || feeds.size > 0) return
    environment.setTimer(() => {
      if (feeds.size === 0) dispatch({ type: 'unwanted' })
    }, lingerMs)
  }

  return {
    get state() {
      return status.state
    },
    get status() {
      return status
    },
    subscribe(stream, subscribeOptions) {
      const id = ++lastId
      const onStorageError = (error: unknown): void =>
        onError(new PaymentsError('storage_failed', 'cursors cannot be kept: a reload will not resume', error))
      const slot = createCursorSlot(storage, `mpesa-stk:${place}:${stream}`, onStorageError)
      const feed = createFeed(id, stream, subscribeOptions, {
        environment,
        slot,
        send,
        onError,
        onEnded: () => leave(id),
      })
      if (line.phase === 'closed') feed.end(line.reason ?? 'closed')
      else {
        feeds.set(id, feed)
        stopSignals ??= environment.onSignal(type => dispatch({ type }))
        if (line.phase === 'connected') feed.ask()
        dispatch({ type: 'wanted' })
      }
      return {
        get state() {
          return feed.status.state
        },
        get status() {
          return feed.status
        },
        close: () => feed.end('closed'),
      }
    },
    onState(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: () => dispatch({ type: 'close', reason: 'closed' }),
  }
}

function authFrame(credentials: Credentials): ClientFrame {
  if (!('token' in credentials)) return { type: 'auth', ...credentials }
  return { type: 'auth', token: credentials.token }
}

/** Of a close without a word before it. */
function adviceOf(closeCode: number | undefined): RetryAdvice | undefined {
  if (closeCode === 4401) return 'token'
  return closeCode === 4400 || closeCode === 4403 ? 'never' : undefined
}
