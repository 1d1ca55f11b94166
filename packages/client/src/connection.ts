import { backoffMs } from './backoff.ts'
import type { RetryAdvice } from './wire.ts'

export type ConnectionState =
  | 'idle'
  | 'connecting'
  | 'authenticating'
  | 'connected'
  | 'reconnecting'
  | 'offline'
  | 'closed'

/** How the line to the relay stands. Everything that it will do by itself follows from this and the time. */
export type Line = {
  /** `token`: one is being fetched. `waiting`: for the next attempt. */
  readonly phase: 'idle' | 'token' | 'opening' | 'authenticating' | 'connected' | 'waiting' | 'closed'
  /** Why it is closed. */
  readonly reason: string | null
  /** When a `tick` has something to do. */
  readonly dueMs: number
  /** No attempt before: the relay asked for it. */
  readonly notBeforeMs: number
  /** Which transport of the ladder, of how many. */
  readonly rung: number
  readonly rungs: number
  /** Attempts in a row that did not last. */
  readonly failures: number
  /** Attempts in a row in which this transport did not get as far as `ready`, and nobody said why. */
  readonly blocked: number
  /** Transports that have worked, a bit for each: these are given up less easily. */
  readonly proven: number
  readonly hasBeenLost: boolean
  readonly connectedAtMs: number
  readonly heartbeatMs: number
  /** A ping is out, and `dueMs` is when its answer must be there. */
  readonly isProbing: boolean
  readonly isOffline: boolean
  /** How often a better transport was tried out beside this one, and when it is tried next. */
  readonly climbs: number
  readonly climbMs: number
}

export type LineEvent =
  | { readonly type: 'wanted' | 'unwanted' | 'token' | 'hello' | 'heard' | 'wake' | 'online' | 'offline' | 'climb' }
  | { readonly type: 'tick'; readonly random: number }
  | { readonly type: 'ready'; readonly heartbeatMs: number }
  | {
      readonly type: 'lost'
      readonly random: number
      /** Absent: nobody said why. */
      readonly retry?: RetryAdvice
      readonly retryAfterMs?: number | undefined
      readonly reason?: string
    }
  | { readonly type: 'close'; readonly reason: string }

const openWithinMs = 8_000
const readyWithinMs = 10_000
const probeWithinMs = 3_000
const heartbeatMarginMs = 5_000
/** After this long a connection was a good one, and the next wait begins small. */
const stableAfterMs = 10_000
const laterMs = 5_000
const climbAfterMs = 30_000
const climbAtMostMs = 600_000

export function createLine(rungs: number): Line {
  return {
    phase: 'idle',
    reason: null,
    dueMs: Infinity,
    notBeforeMs: 0,
    rung: 0,
    rungs,
    failures: 0,
    blocked: 0,
    proven: 0,
    hasBeenLost: false,
    connectedAtMs: Infinity,
    heartbeatMs: 0,
    isProbing: false,
    isOffline: false,
    climbs: 0,
    climbMs: Infinity,
  }
}

export function stepLine(line: Line, event: LineEvent, nowMs: number): Line {
  const { phase } = line
  if (phase === 'closed') return line
  switch (event.type) {
    case 'wanted':
      return phase === 'idle' ? attemptAt(line, line.notBeforeMs, nowMs) : line
    case 'unwanted':
      return { ...leave(line), phase: 'idle', dueMs: Infinity, hasBeenLost: false }
    case 'token':
      return phase === 'token' ? { ...line, phase: 'opening', dueMs: nowMs + openWithinMs } : line
    case 'hello':
      return phase === 'opening'
        ? { ...line, phase: 'authenticating', dueMs: nowMs + readyWithinMs, isOffline: false }
        : line
    case 'ready':
      return phase === 'authenticating' || phase === 'connected' ? ready(line, event.heartbeatMs, nowMs) : line
    case 'heard':
      return phase === 'connected' ? heard(line, nowMs) : line
    case 'tick':
      return tick(line, event.random, nowMs)
    case 'wake':
      return wake(line, nowMs)
    case 'online':
      return wake({ ...line, isOffline: false, climbs: 0 }, nowMs)
    case 'offline':
      // Browsers say so wrongly at times: a connection that answers has the last word, and attempts go on.
      return { ...(phase === 'connected' ? probe(line, nowMs) : line), isOffline: phase !== 'idle' }
    case 'climb':
      return phase === 'connected' && line.rung > 0 ? attemptAt({ ...leave(line), rung: 0 }, 0, nowMs) : line
    case 'lost':
      return phase === 'idle' || phase === 'waiting' ? line : lost(line, event, nowMs)
    case 'close':
      return { ...leave(line), phase: 'closed', reason: event.reason, dueMs: Infinity }
  }
}

/** What people are told. */
export function connectionState({ phase, isOffline, hasBeenLost }: Line): ConnectionState {
  if (phase === 'idle' || phase === 'closed') return phase
  if (isOffline) return 'offline'
  if (phase === 'connected' || phase === 'authenticating') return phase
  return phase === 'waiting' || hasBeenLost ? 'reconnecting' : 'connecting'
}

export function isLinked({ phase }: Line): boolean {
  return phase === 'opening' || phase === 'authenticating' || phase === 'connected'
}

/** When the next `tick` has something to do. */
export function lineDueMs(line: Line): number {
  return Math.min(line.dueMs, line.climbMs)
}

function leave(line: Line): Line {
  return { ...line, isProbing: false, isOffline: false, connectedAtMs: Infinity, climbMs: Infinity }
}

function attemptAt(line: Line, atMs: number, nowMs: number): Line {
  return atMs > nowMs ? { ...line, phase: 'waiting', dueMs: atMs } : { ...line, phase: 'token', dueMs: Infinity }
}

function ready(line: Line, heartbeatMs: number, nowMs: number): Line {
  if (line.phase === 'connected') return heard({ ...line, heartbeatMs }, nowMs)
  const climbMs = line.rung > 0 ? nowMs + Math.min(climbAtMostMs, climbAfterMs * 2 ** line.climbs) : Infinity
  const connected = { ...line, phase: 'connected', heartbeatMs, connectedAtMs: nowMs, blocked: 0, climbMs } as const
  return heard({ ...connected, proven: line.proven | (1 << line.rung) }, nowMs)
}

function heard(line: Line, nowMs: number): Line {
  return { ...line, dueMs: nowMs + line.heartbeatMs + heartbeatMarginMs, isProbing: false, isOffline: false }
}

function probe(line: Line, nowMs: number): Line {
  return line.isProbing ? line : { ...line, isProbing: true, dueMs: nowMs + probeWithinMs }
}

function wake(line: Line, nowMs: number): Line {
  if (line.phase === 'connected') return probe(line, nowMs)
  return line.phase === 'waiting' ? attemptAt(line, line.notBeforeMs, nowMs) : line
}

function tick(line: Line, random: number, nowMs: number): Line {
  if (nowMs >= line.climbMs) {
    const climbs = line.climbs + 1
    line = { ...line, climbs, climbMs: nowMs + Math.min(climbAtMostMs, climbAfterMs * 2 ** climbs) }
  }
  if (nowMs < line.dueMs) return line
  if (line.phase === 'waiting') return attemptAt(line, 0, nowMs)
  // What came while the machine slept may not have been read yet: it is asked once more before it is given up.
  if (line.phase === 'connected' && !line.isProbing) return probe(line, nowMs)
  return lost(line, { type: 'lost', random }, nowMs)
}

function lost(line: Line, event: LineEvent & { type: 'lost' }, nowMs: number): Line {
  const { retry, retryAfterMs, random } = event
  const isOffline = line.isOffline
  if (retry === 'never') return stepLine(line, { type: 'close', reason: event.reason ?? 'refused' }, nowMs)
  const failures = nowMs - line.connectedAtMs >= stableAfterMs ? 0 : line.failures
  const isBlocked = (line.phase === 'opening' || line.phase === 'authenticating') && !retry && !isOffline
  const blocked = isBlocked ? line.blocked + 1 : line.blocked
  const stepsDown = blocked >= (line.proven & (1 << line.rung) ? 4 : 2)
  const notBeforeMs = nowMs + (retryAfterMs ?? (retry === 'later' ? laterMs : 0))
  return {
    ...leave(line),
    phase: 'waiting',
    notBeforeMs,
    dueMs: notBeforeMs + backoffMs(failures, random),
    failures: failures + 1,
    // From the last transport up to the first again: when the relay itself was away, all have failed.
    rung: stepsDown ? (line.rung + 1) % line.rungs : line.rung,
    blocked: stepsDown ? 0 : blocked,
    hasBeenLost: true,
    isOffline,
  }
}
