/** `gap`: between what was read and what comes next something is missing for good. */
export type StreamState = 'replaying' | 'live' | 'gap' | 'ended'

export type Flow = {
  readonly state: StreamState
  /** Of a gap or an end. */
  readonly reason: string | null
  /** Since when it is not known what happens now; null while it is. */
  readonly behindSinceMs: number | null
}

export type FlowEvent =
  | { readonly type: 'asked' | 'event' | 'live' | 'lost' }
  | { readonly type: 'gap' | 'ended'; readonly reason: string }

/** Shorter than this nobody needs to be told. */
const staleAfterMs = 5_000

export function createFlow(nowMs: number): Flow {
  return { state: 'replaying', reason: null, behindSinceMs: nowMs }
}

export function stepFlow(flow: Flow, event: FlowEvent, nowMs: number): Flow {
  if (flow.state === 'ended') return flow
  switch (event.type) {
    case 'live':
      return { state: 'live', reason: null, behindSinceMs: null }
    case 'event':
      // A gap that came while it was live: what follows is live again.
      return flow.state === 'gap' && flow.behindSinceMs === null ? { ...flow, state: 'live', reason: null } : flow
    case 'gap':
      return { ...flow, state: 'gap', reason: event.reason }
    case 'ended':
      return { state: 'ended', reason: event.reason, behindSinceMs: null }
    case 'asked':
    case 'lost':
      return { state: 'replaying', reason: null, behindSinceMs: flow.behindSinceMs ?? nowMs }
  }
}

export function staleDueMs({ behindSinceMs }: Flow): number {
  return behindSinceMs === null ? Infinity : behindSinceMs + staleAfterMs
}

export function isStale(flow: Flow, nowMs: number): boolean {
  return nowMs >= staleDueMs(flow)
}
