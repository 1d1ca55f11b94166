import {
  type ConnectionState,
  createPaymentView,
  type PaymentEvent,
  type PaymentsClient,
  type PaymentView,
  reducePayment,
  type StreamState,
} from './index.ts'

/** What components show of a stream. Another object after each change, and only then. */
export type StreamSnapshot = {
  readonly payment: PaymentView
  /** The newest first, at most 100. */
  readonly events: readonly PaymentEvent[]
  readonly streamState: StreamState
  readonly connection: ConnectionState
  /** What is shown may be behind. It says nothing about any payment. */
  readonly isStale: boolean
}

type Shared = { snapshot: StreamSnapshot; readonly listeners: Set<() => void>; leave: () => void }

const keptEvents = 100
/** React takes components down and puts them up again, and so does a page that moves on. */
const lingerMs = 1_000
/** A replay is shown in pictures, not event by event. */
const frameMs = 16

const streamsOf = new WeakMap<PaymentsClient, Map<string, Shared>>()

export function unreadStream(stream: string | null): StreamSnapshot {
  const payment = createPaymentView(stream?.replace(/^payment:/, '') ?? '')
  return { payment, events: [], streamState: 'replaying', connection: 'idle', isStale: false }
}

export function peekStream(client: PaymentsClient, stream: string): StreamSnapshot | undefined {
  return streamsOf.get(client)?.get(stream)?.snapshot
}

/** One subscription for all who listen; it is closed a moment after the last has left. Returns how to leave. */
export function shareStream(client: PaymentsClient, stream: string, listener: () => void): () => void {
  const streams = streamsOf.get(client) ?? new Map<string, Shared>()
  streamsOf.set(client, streams)
  const shared = streams.get(stream) ?? open(client, stream)
  streams.set(stream, shared)
  // Each stands for itself: React may give the same function twice.
  const tell = (): void => listener()
  shared.listeners.add(tell)
  return () => {
    shared.listeners.delete(tell)
    setTimeout(() => {
      if (shared.listeners.size > 0 || streams.get(stream) !== shared) return
      streams.delete(stream)
      shared.leave()
    }, lingerMs)
  }
}

function open(client: PaymentsClient, stream: string): Shared {
  let next = unreadStream(stream)
  let timer: ReturnType<typeof setTimeout> | undefined
  const shared: Shared = { snapshot: next, listeners: new Set(), leave: () => {} }
  const show = (): void => {
    timer = undefined
    shared.snapshot = next
    for (const listener of [...shared.listeners]) listener()
  }
  const change = (changes: Partial<StreamSnapshot>): void => {
    next = { ...next, ...changes }
    timer ??= setTimeout(show, frameMs)
  }
  const stop = client.onState(({ state }) => change({ connection: state }))
  // What is shown is made from all events, so it begins at the start each time.
  const subscription = client.subscribe(stream, {
    resume: false,
    onEvent: event =>
      change({ payment: reducePayment(next.payment, event), events: [event, ...next.events].slice(0, keptEvents) }),
    onState: ({ state, isStale }) => change({ streamState: state, isStale }),
  })
  change({ connection: client.state, streamState: subscription.state })
  shared.leave = () => {
    stop()
    subscription.close()
    clearTimeout(timer)
  }
  return shared
}
