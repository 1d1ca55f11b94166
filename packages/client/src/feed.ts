import { backoffMs } from './backoff.ts'
import { PaymentsError } from './client-error.ts'
import type { CursorSlot } from './cursor-storage.ts'
import type { Environment } from './environment.ts'
import type { PaymentEvent } from './payment-event.ts'
import { createSeenEvents } from './seen-events.ts'
import { createFlow, type FlowEvent, isStale, type StreamState, staleDueMs, stepFlow } from './stream-state.ts'
import type { ClientFrame, ErrorFrame, FeedFrame } from './wire.ts'

export type StreamStatus = {
  readonly state: StreamState
  /** Of a gap or an end. */
  readonly reason: string | null
  /** For some seconds it has not been known what happens now. It says nothing about any payment. */
  readonly isStale: boolean
}

export type SubscribeOptions = {
  /** Where a first visit begins: a cursor, `start` (the default: all that can be replayed) or `now`. */
  readonly from?: string
  /** A reload of the page goes on where `onEvent` got to. Default true; false begins at `from` each time. */
  readonly resume?: boolean
  /** Tells the relay what was handled. The token must allow it. */
  readonly ack?: boolean
  readonly onEvent: (event: PaymentEvent, cursor: string) => void
  readonly onState?: (status: StreamStatus) => void
}

/** One subscription: what was read of its stream, and what is asked for next. */
export type Feed = {
  readonly status: StreamStatus
  /** Asks on a connection that is ready. Once on each. */
  ask(): void
  take(frame: FeedFrame | ErrorFrame): void
  /** The connection is gone. */
  lose(): void
  tick(): void
  dueMs(): number
  end(reason: string): void
}

export type FeedPorts = {
  readonly environment: Environment
  readonly slot: CursorSlot
  readonly send: (frame: ClientFrame) => void
  readonly onError: (error: PaymentsError) => void
  readonly onEnded: () => void
}

const ackEvery = 100
const ackAfterMs = 250

export function createFeed(id: number, stream: string, options: SubscribeOptions, ports: FeedPorts): Feed {
  const { environment, slot, send, onError } = ports
  const { from = 'start', resume = true } = options
  const seen = createSeenEvents()
  let cursor = resume ? slot.read() : null
  let flow = createFlow(environment.nowMs())
  let status: StreamStatus = { state: flow.state, reason: null, isStale: false }
  let isAsked = false
  let askDueMs = Infinity
  let refusals = 0
  let unacked = 0
  let ackDueMs = Infinity

  const step = (event: FlowEvent): void => {
    flow = stepFlow(flow, event, environment.nowMs())
    tell()
  }

  const tell = (): void => {
    const { state, reason } = flow
    const stale = isStale(flow, environment.nowMs())
    if (state === status.state && reason === status.reason && stale === status.isStale) return
    status = { state, reason, isStale: stale }
    const { onState } = options
    if (onState) guard(() => onState(status))
  }

  const guard = (run: () => void): void => {
    try {
      run()
    } catch (error) {
      onError(new PaymentsError('handler_failed', `a handler of ${stream} threw`, error))
    }
  }

  const keep = (next: string | null): void => {
    cursor = next
    if (resume) slot.write(next)
  }

  const ask = (): void => {
    if (isAsked || flow.state === 'ended') return
    isAsked = true
    askDueMs = Infinity
    step({ type: 'asked' })
    send({ type: 'subscribe', id, stream, from: cursor ?? from })
  }

  const ack = (): void => {
    if (unacked > 0 && isAsked && cursor !== null) send({ type: 'ack', id, cursor })
    unacked = 0
    ackDueMs = Infinity
  }

  const end = (reason: string): void => {
    if (flow.state === 'ended') return
    if (isAsked) send({ type: 'unsubscribe', id })
    isAsked = false
    step({ type: 'ended', reason })
    ports.onEnded()
  }

  const refuse = ({ code, error, retry, retryAfterMs = 0 }: ErrorFrame): void => {
    onError(new PaymentsError(code, error ?? code))
    // The next one says as much, and more.
    if (code === 'ack_invalid') return
    isAsked = false
    if (code === 'cursor_invalid' && cursor !== null) {
      // Ours went bad: the stream is read from where a first visit would begin.
      keep(null)
      step({ type: 'gap', reason: code })
      askDueMs = environment.nowMs()
    } else if (retry === 'never') end(code)
    else {
      askDueMs = environment.nowMs() + retryAfterMs + backoffMs(refusals++, environment.random())
      step({ type: 'lost' })
    }
  }

  return {
    get status() {
      return status
    },
    ask,
    end,
    take(frame) {
      if (flow.state === 'ended' || !isAsked) return
      switch (frame.type) {
        case 'event':
          step({ type: 'event' })
          if (seen.add(frame.event.id)) guard(() => options.onEvent(frame.event, frame.cursor))
          // After the handler: who dies in it sees the event again.
          keep(frame.cursor)
          if (!options.ack) return
          if (++unacked >= ackEvery) ack()
          else if (ackDueMs === Infinity) ackDueMs = environment.nowMs() + ackAfterMs
          return
        case 'live':
          refusals = 0
          keep(frame.cursor)
          step({ type: 'live' })
          return
        case 'gap':
          step({ type: 'gap', reason: frame.reason })
          return
        case 'ended':
          isAsked = false
          keep(null)
          end(frame.reason)
          return
        case 'error':
          refuse(frame)
      }
    },
    lose() {
      isAsked = false
      unacked = 0
      ackDueMs = askDueMs = Infinity
      step({ type: 'lost' })
    },
    tick() {
      const nowMs = environment.nowMs()
      if (nowMs >= ackDueMs) ack()
      if (nowMs >= askDueMs) ask()
      tell()
    },
    dueMs: () => Math.min(ackDueMs, askDueMs, status.isStale ? Infinity : staleDueMs(flow)),
  }
}
